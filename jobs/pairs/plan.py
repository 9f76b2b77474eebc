"""What a pairs run would do, without writing anything."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from jobs.console import Output
from jobs.exits import Exit
from jobs.listing import Listing, size_text, survey_source, time_text
from jobs.pairs.make import Make
from jobs.pairs.planned import PlannedPair
from jobs.pairs.settings import PairsSettings
from jobs.pairs.survey.rows import Surveyed
from jobs.pairs.survey.settings import SurveySettings
from jobs.pairs.survey.stage import Look
from jobs.places import output_of, source_of
from jobs.spec import PairsJob
from jobs.versions import pixel_versions
from pipeline.flow import Flow, Stopwatch
from pipeline.records import Artifact, Item, Record
from pipeline.run import current_run
from pipeline.runners.ray_cluster import cores
from pipeline.sources import make_reader
from pipeline.stage import Segment, UnitContext

PAIRS_TRIED = 3
"""Of each record that is tried."""


@dataclass(frozen=True)
class Estimate:
    """What a sample of records says of the whole.

    Attributes:
        sampled: records that were tried.
        failed: those that cannot be read.
        samples: that could be cut out of all records, as far as that can be told: filters and duplicates take more.
        pairs: that would be made.
        survey_seconds_per_record: in one worker.
        seconds_per_pair: in one worker.
        bytes_per_pair: all files of a pair together.
        workers: that this machine would use.
        hours: for all on this machine.
        output_bytes: for all pairs.
    """

    sampled: int
    failed: int
    samples: int
    pairs: int
    survey_seconds_per_record: float
    seconds_per_pair: float
    bytes_per_pair: int
    workers: int
    hours: float
    output_bytes: int


def plan_job(job: PairsJob, sample: int, as_json: bool, out: Output) -> Exit:
    """List the source, try a few records in memory, and say what a run would come to."""
    listing = survey_source(job, sample)
    estimate = _estimate(job, listing) if sample and listing.sample else None
    current = current_run(output_of(job))
    if as_json:
        out.say(json.dumps({**listing.plain(), "estimate": asdict(estimate) if estimate else None}, indent=1))
        return Exit.DONE
    listing.say(job.source.uri, out)
    if estimate is not None:
        out.say(
            f"tried {estimate.sampled} images ({estimate.failed} failed): about {estimate.samples} samples and "
            f"{estimate.pairs} pairs before filters; {estimate.survey_seconds_per_record:.2f} s to survey an image and "
            f"{estimate.seconds_per_pair:.3f} s to make a pair in one worker; about {time_text(estimate.hours)} on "
            f"this machine with {estimate.workers} workers, {size_text(estimate.output_bytes)} of output"
        )
    state = "holds no run yet" if current is None else f"holds run {current.header.run_id} of {current.header.created}"
    out.say(f"{job.output.uri}: {state}")
    return Exit.DONE


def _estimate(job: PairsJob, listing: Listing) -> Estimate:
    read = make_reader(source_of(job)).read
    look = Look(SurveySettings.of(job))
    settings = PairsSettings.of(job)
    make = Make(settings, pixel_versions(), 0, 1)
    look.setup()
    make.setup()
    items = [Item(record) for record in listing.sample]
    survey_seconds, failed = _run(look, items, UnitContext(read, _nowhere, _no_sample))
    sizes: list[int] = []

    def put(_record: Record, artifacts: Sequence[Artifact]) -> None:
        sizes.append(sum(len(artifact.data) for artifact in artifacts))

    pairs = [Item(record) for item in items if item.payload is not None for record in _pairs(item)]
    pair_seconds, _ = _run(make, pairs, UnitContext(read, put, _no_sample))
    found = sum(_usable(item) for item in items if item.payload is not None)
    samples = round(found / len(items) * listing.records)
    total = job.degrade.pairs if job.degrade.pairs is not None else samples * (job.degrade.variants or 1)
    each, each_pair = survey_seconds / len(items), pair_seconds / max(len(pairs), 1)
    workers = 1 if job.run.runner == "local" else min(cores(), job.run.workers or cores())
    size = sum(sizes) // max(len(sizes), 1)
    return Estimate(
        sampled=len(items),
        failed=failed,
        samples=samples,
        pairs=total if samples else 0,
        survey_seconds_per_record=each,
        seconds_per_pair=each_pair,
        bytes_per_pair=size,
        workers=workers,
        hours=(each * listing.records + each_pair * total) / workers / 3600,
        output_bytes=size * total,
    )


def _run(stage: Look | Make, items: Sequence[Item], context: UnitContext) -> tuple[float, int]:
    """Seconds that a stage takes for items, and how many of them fail."""
    start = time.perf_counter()
    Flow(1).carry(Segment(stage.name, (stage,)), items, context, Stopwatch())
    return time.perf_counter() - start, sum(item.failure is not None for item in items)


def _usable(item: Item) -> int:
    found: Surveyed = item.payload
    return sum(candidate.sample is not None and not candidate.left_out for candidate in found.candidates)


def _pairs(item: Item) -> list[Record]:
    """Pairs of the first sample of an image, as a plan would have them."""
    found: Surveyed = item.payload
    samples = [one.sample for one in found.candidates if one.sample is not None and not one.left_out][:1]
    source: dict[str, Any] = {
        "key": item.record.key,
        "bytes": found.size,
        "sha256": found.sha256,
        "format": found.format,
        "width": found.width,
        "height": found.height,
    }
    record = item.record
    return [
        PlannedPair(f"{variant:03d}", "train", "", "both", variant, "", source, sample).to_record(
            record.uri, record.version, record.offset, record.row, "train-000000"
        )
        for sample in samples
        for variant in range(PAIRS_TRIED)
    ]


def _nowhere(_record: Record, _artifacts: Sequence[Artifact]) -> None:
    """The survey puts nothing."""


def _no_sample(_name: str, _data: bytes) -> None:
    """No picture is kept of what is only tried."""
