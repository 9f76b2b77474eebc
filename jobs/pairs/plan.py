"""What a pairs run would come to, without writing anything."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, replace
from math import hypot
from typing import Any

import numpy as np

from jobs.console import Output
from jobs.estimate.build import Found
from jobs.estimate.plan import Asked, Places, places_of, say_plan
from jobs.estimate.ranges import NOTHING, Group, Range, around, exactly, significant, total_of
from jobs.estimate.strata import Stratum
from jobs.estimate.trial import Puts, Trial, Tried, is_local, try_records
from jobs.estimate.trying import failures, output_bytes, stage_seconds, worker_start
from jobs.estimate.work import Load, Units, totals
from jobs.exits import Exit
from jobs.listing import Listing, survey_source
from jobs.pairs.identity import identity_of, survey_identity
from jobs.pairs.planned import PlannedPair
from jobs.pairs.settings import PairsSettings
from jobs.pairs.survey.rows import Surveyed
from jobs.pairs.survey.settings import SurveySettings
from jobs.pairs.survey.start import survey_folder
from jobs.pairs.survey.workflow import SurveyWorkflow
from jobs.pairs.workflow import PairsWorkflow
from jobs.places import output_of, source_of
from jobs.spec import PairsJob
from pipeline.records import Item, Record
from pipeline.sources import make_reader
from pipeline.stage import Workflow

MOST_TRIED = 3
"""Pairs of each image that is tried, where a run makes so many of a sample."""


@dataclass(frozen=True)
class Made:
    """What trying pairs has shown.

    Attributes:
        trial: of pairs, all in one stratum; None where no image had a sample.
        samples: targets in all images, before filters and duplicates take some away.
        pairs: that would be made of them.
    """

    trial: Trial | None
    samples: Range
    pairs: Range


def plan_job(job: PairsJob, asked: Asked, out: Output) -> Exit:
    """List the source, try a few images and pairs of them in memory, and say what a run would come to."""
    listing = survey_source(job, asked.sample)
    found = estimated(job, listing) if listing.sample else None
    identities = {
        "survey": (survey_folder(job), survey_identity(job)),
        "make": (output_of(job), identity_of(job)),
    }
    return say_plan(job, listing, found, identities, asked, out)


def estimated(job: PairsJob, listing: Listing) -> tuple[Found, Places]:
    """What the survey of the images and the making of pairs will take and give.

    Args:
        job: the job.
        listing: with at least one image to try.
    """
    survey = SurveyWorkflow(SurveySettings.of(job))
    workflow = survey()
    places = places_of(job, workflow)
    output = output_of(job)
    start = worker_start(job, survey)
    # A survey writes nothing for an image by itself.
    trial = try_records(workflow, listing.strata, make_reader(source_of(job)).read, Puts(output, together=True))
    made = _made(job, trial)
    loads = [_load("survey", workflow, trial, trial.records, listing.units, start)]
    stages = {"survey": stage_seconds(trial)}
    outputs: dict[str, Range] = {}
    puts, each_pair, size = NOTHING, 0.0, 0.0
    if made.trial is not None:
        pairs, shards = round(made.pairs.point), _shards(round(made.pairs.point), job.output.shard_pairs)
        make = PairsWorkflow(PairsSettings.of(job), 0, pairs)()
        load = _load("make", make, made.trial, pairs, shards, start)
        each_pair = load.whole.point / pairs
        loads.append(replace(load, whole=_with_doubt(load.whole, made.pairs)))
        stages["make"] = stage_seconds(made.trial)
        outputs = _scaled(output_bytes(made.trial), made.pairs)
        puts = exactly(len(shards)) if _together(job) else _count(made.trial)
        size = sum(each.point for each in outputs.values()) / pairs
    return Found(
        trial=trial,
        loads=[replace(load, remote=not is_local(output)) for load in loads],
        outputs=outputs,
        puts=puts,
        failures=failures(trial, sum(listing.problems.values())),
        faces=None,
        stages=stages,
        more={
            "samples": round(made.samples.point),
            "pairs": round(made.pairs.point),
            "samples_range": made.samples.plain(),
            "survey_seconds_per_record": significant(loads[0].whole.point / trial.records, 4),
            "seconds_per_pair": significant(each_pair, 4),
            "bytes_per_pair": round(size),
        },
    ), places


def _load(name: str, workflow: Workflow, trial: Trial, records: int, units: Units, start: float) -> Load:
    whole, parts = totals(trial)
    return Load(
        name=name,
        workflow=workflow,
        records=records,
        units=units,
        whole=whole,
        parts=parts,
        weight=NOTHING,
        warm_seconds=trial.warm_seconds,
        start_seconds=start or trial.setup_seconds,
        cpu_share=trial.cpu_share,
    )


def _with_doubt(seconds: Range, pairs: Range) -> Range:
    """Seconds of all pairs, of which nobody knows yet how many there will be."""
    relative = hypot(seconds.high / seconds.point - 1, pairs.high / pairs.point - 1) if seconds.point else 0.0
    return around(seconds.point, relative * seconds.point)


def _made(job: PairsJob, trial: Trial) -> Made:
    """Make pairs of the samples that the tried images have."""
    found = [float(_usable(item)) for item in trial.items]
    usable = iter(found)
    groups = [
        Group(stratum.records, float(stratum.bytes), sizes, np.array([next(usable) for _ in tried]))
        for stratum, tried, sizes in (
            (stratum, tried, np.array([one.size for one in tried], np.float64))
            for stratum, tried in zip(trial.strata, trial.tried, strict=True)
        )
    ]
    samples = total_of(groups).range
    samples = Range(samples.low, float(round(samples.point)), samples.high)
    wanted = job.degrade.pairs
    pairs = samples.times(job.degrade.variants or 1) if wanted is None else exactly(wanted if samples.point else 0)
    each = _tried_each(job)
    records = [record for item in trial.items for record in _pairs(item, each)]
    if not records or not round(pairs.point):
        return Made(None, samples, pairs if samples.point else NOTHING)
    stratum = Stratum(round(pairs.point), 0, -1, -1, tuple(records))
    make = PairsWorkflow(PairsSettings.of(job), 0, 1)()
    read = make_reader(source_of(job)).read
    made = try_records(make, [stratum], read, Puts(output_of(job), together=_together(job)))
    for one in made.flat:
        one.size = 0  # what a pair takes depends on its target's size, and not on the source's bytes
    return Made(_by_image(made, each), samples, pairs)


def _tried_each(job: PairsJob) -> int:
    """Pairs to try of a sample: as many as are made of it, since they share its decoding."""
    given = job.degrade.variants or (MOST_TRIED if job.degrade.pairs is not None else 1)
    return min(MOST_TRIED, given)


def _by_image(trial: Trial, each: int) -> Trial:
    """Pairs of an image have its decoding in common, so the range is told from means of images and not of pairs."""
    tried = trial.flat
    means = []
    for place in range(0, len(tried), each):
        several = tried[place : place + each]
        count = len(several)
        roles = {role for one in several for role in one.outputs}
        names = {name for one in several for name in one.stages}
        means.append(
            Tried(
                size=0,
                seconds=[sum(one.seconds[index] for one in several) / count for index in range(3)],
                stages={name: sum(one.stages.get(name, 0.0) for one in several) / count for name in names},
                outputs={role: round(sum(one.outputs.get(role, 0) for one in several) / count) for role in roles},
                puts=max(one.puts for one in several),
                code=next((one.code for one in several if one.code), ""),
            )
        )
    return replace(trial, tried=[means])


def _usable(item: Item) -> int:
    if item.payload is None:
        return 0
    found: Surveyed = item.payload
    return sum(candidate.sample is not None and not candidate.left_out for candidate in found.candidates)


def _pairs(item: Item, count: int) -> list[Record]:
    """Pairs of the first sample of an image, as a plan would have them."""
    if item.payload is None:
        return []
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
        for variant in range(count)
    ]


def _shards(pairs: int, most: int) -> Units:
    """Units of about equal size with at most so many pairs; splits and balance are left out of account."""
    count = -(-pairs // most)
    each = [pairs // count + (index < pairs % count) for index in range(count)] if count else []
    return Units(array("q", each), array("q", [0] * count))


def _scaled(outputs: dict[str, Range], pairs: Range) -> dict[str, Range]:
    """Bytes with the doubt about the number of pairs."""
    low, high = pairs.low / pairs.point, pairs.high / pairs.point
    return {role: Range(each.low * low, each.point, each.high * high) for role, each in outputs.items()}


def _together(job: PairsJob) -> bool:
    return PairsSettings.of(job).format.container() is not None


def _count(trial: Trial) -> Range:
    return total_of(trial.groups(lambda one: float(one.puts))).range
