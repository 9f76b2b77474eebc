"""What a restore run would do, without writing anything."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from jobs.console import Output
from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.identity import digest
from jobs.listing import Listing, size_text, survey_source, time_text
from jobs.models.progress import watched
from jobs.places import output_of, source_of
from jobs.restore.identity import identity_of, settings_of
from jobs.restore.needs import needs_of
from jobs.restore.settings import RestoreSettings
from jobs.restore.weights import Weights, weights_of
from jobs.restore.workflow import RestoreWorkflow
from jobs.spec import RestoreJob
from jobs.versions import facejobs_version
from pipeline.errors import RunnerError
from pipeline.flow import Flow, Stopwatch
from pipeline.records import Artifact, Item, Record
from pipeline.run import current_run
from pipeline.runners.pools import Pool, least_cpus, pools_for
from pipeline.runners.ray_cluster import this_machine
from pipeline.sources import make_reader
from pipeline.stage import Resources, UnitContext, Workflow


@dataclass(frozen=True)
class Estimate:
    """What a sample of records says of the whole.

    Attributes:
        sampled: records that were tried.
        failed: those that would go to quarantine.
        seconds_per_record: in one worker.
        output_bytes_per_record: image and record together.
        workers: that this machine would use; of the kind that the rest waits for, where there are several.
        hours: for all records on this machine.
        output_bytes: for all records.
    """

    sampled: int
    failed: int
    seconds_per_record: float
    output_bytes_per_record: int
    workers: int
    hours: float
    output_bytes: int


def plan_job(job: RestoreJob, sample: int, as_json: bool, out: Output) -> Exit:
    """List the source, cut it into units, try a few records in memory, and say what a run would come to."""
    weights = weights_of(job, watch=watched(out))
    listing = survey_source(job, sample)
    estimate = _estimate(job, weights, listing) if sample and listing.sample else None
    current = current_run(output_of(job))
    if as_json:
        out.say(json.dumps({**listing.plain(), "estimate": asdict(estimate) if estimate else None}, indent=1))
        return Exit.DONE
    listing.say(job.source.uri, out)
    if estimate is not None:
        out.say(
            f"tried {estimate.sampled} records ({estimate.failed} failed): {estimate.seconds_per_record:.2f} s each in "
            f"one worker; about {time_text(estimate.hours)} on this machine with {estimate.workers} workers, "
            f"{size_text(estimate.output_bytes)} of output"
        )
    state = "holds no run yet" if current is None else f"holds run {current.header.run_id} of {current.header.created}"
    out.say(f"{job.output.uri}: {state}")
    return Exit.DONE


def _estimate(job: RestoreJob, weights: Weights, listing: Listing) -> Estimate:
    settings = RestoreSettings.of(job, weights)
    digest_ = digest(settings_of(identity_of(job, weights)))
    workflow = RestoreWorkflow(settings, facejobs_version(), digest_, 0, 0, needs_of(job, weights))()
    for segment in workflow.segments:
        for stage in segment.stages:
            stage.setup()
    sizes: list[int] = []

    def put(_record: Record, artifacts: Sequence[Artifact]) -> None:
        sizes.append(sum(len(artifact.data) for artifact in artifacts))

    context = UnitContext(make_reader(source_of(job)).read, put, lambda _name, _data: None)
    items = [Item(record) for record in listing.sample]
    start, watch = time.perf_counter(), Stopwatch()
    Flow(1).carry_all(workflow.segments, items, context, watch)
    each = (time.perf_counter() - start) / len(items)
    workers, seconds = _pace(job, workflow, watch, listing.units)
    size = sum(sizes) // max(len(sizes), 1)
    return Estimate(
        sampled=len(items),
        failed=sum(item.failure is not None for item in items),
        seconds_per_record=each,
        output_bytes_per_record=size,
        workers=workers,
        hours=seconds / len(items) * listing.records / 3600,
        output_bytes=size * listing.records,
    )


def _pace(job: RestoreJob, workflow: Workflow, watch: Stopwatch, units: int) -> tuple[int, float]:
    """Workers of the pool that the others wait for, and seconds that it takes for what was tried."""
    pools = [Pool((0, 1, 2), Resources(), 1)]
    if job.run.runner == "ray":
        room = this_machine(least_cpus(workflow, job.run.placement), _gpus(workflow))
        try:
            pools = pools_for(workflow, job.run.placement, room, job.run.workers, units)
        except RunnerError as error:
            raise CommandError(f"on this machine: {error}", Exit.FAILED) from error
    stages = [{stage.name for stage in segment.stages} for segment in workflow.segments]
    spent = [
        (sum(watch.seconds[name] for index in pool.segments for name in stages[index]) / pool.size, pool.size)
        for pool in pools
    ]
    seconds, workers = max(spent)
    return workers, seconds


def _gpus(workflow: Workflow) -> int:
    """GPUs of this machine, asked for only where a network would use one."""
    if not any(segment.needs.gpus for segment in workflow.segments):
        return 0
    import torch  # noqa: PLC0415 - the network that was tried has loaded it already

    return torch.cuda.device_count()
