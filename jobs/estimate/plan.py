"""`facejobs plan` for any kind of job: list, try, say, and keep it where that is asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.console import Output
from jobs.estimate.build import Found, build
from jobs.estimate.kept import keep
from jobs.estimate.place import Place, cluster_of, machine
from jobs.estimate.text import page
from jobs.exits import Exit
from jobs.listing import Listing
from jobs.places import output_of
from jobs.report.scrub import scrubbed
from jobs.spec import Scrubber, Sourced
from pipeline.errors import RunnerError
from pipeline.run import current_run
from pipeline.runners.pools import Pool, least_cpus
from pipeline.runners.ray_cluster import this_machine
from pipeline.stage import Workflow
from pipeline.storage import Folder

SAMPLE = 24
"""Records that are tried where nobody says how many."""


@dataclass(frozen=True)
class Asked:
    """What a person asked a plan for.

    Attributes:
        sample: records to try; 0 tries none.
        as_json: everything as JSON instead of a page.
        keep: keep the estimate below the output.
    """

    sample: int = SAMPLE
    as_json: bool = False
    keep: bool = False


@dataclass(frozen=True)
class Places:
    """Where a job's run could go.

    Attributes:
        machine: this one.
        cluster: that the job describes.
        gpus: of this machine that the job would use.
    """

    machine: Place
    cluster: Place | None
    gpus: int

    def staged(self, job: Sourced, workflow: Workflow, units: int) -> bool:
        """Whether segments have workers of their own somewhere."""
        return any(len(_pools(place, job, workflow, units)) > 1 for place in (self.machine, self.cluster) if place)


def places_of(job: Sourced, workflow: Workflow) -> Places:
    """This machine and the job's cluster, for a workflow."""
    gpus = _gpus(workflow)
    room = this_machine(least_cpus(workflow, job.run.placement), gpus)
    return Places(machine(room, job.run.runner), cluster_of(job.cluster, job.run.runner), gpus)


def say_plan(
    job: Sourced,
    listing: Listing,
    found: tuple[Found, Places] | None,
    identities: Mapping[str, tuple[Folder, Mapping[str, Any]]],
    asked: Asked,
    out: Output,
    more: Mapping[str, object] | None = None,
) -> Exit:
    """Say what a run would come to.

    Args:
        job: whose run.
        listing: what there is to do.
        found: by trying; None where nothing was tried.
        identities: of each pass the output and the identity of its run, under which an estimate is kept.
        asked: what for.
        out: where to say it.
        more: further entries of the JSON.
    """
    estimate = None
    if found is not None:
        estimate = build(job, listing, found[0], found[1].machine, found[1].cluster)
    said = {**listing.plain(), **(more or {}), "estimate": estimate}
    current = current_run(output_of(job))
    said["run"] = None if current is None else current.header.run_id
    kept = _kept(job, said, identities, out.scrubber) if asked.keep and estimate is not None else []
    if asked.as_json:
        out.say(json.dumps({**said, "kept": kept}, indent=1))
        return Exit.DONE
    listing.say(job.source.uri, out)
    if estimate is not None:
        out.say(page(estimate))
    state = "holds no run yet" if current is None else f"holds run {current.header.run_id} of {current.header.created}"
    out.say(f"{job.output.uri}: {state}")
    for place in kept:
        out.say(f"estimate kept: {place}")
    if asked.keep and estimate is None:
        out.say("nothing was tried, so there is no estimate to keep")
    return Exit.DONE


def _kept(
    job: Sourced,
    said: Mapping[str, Any],
    identities: Mapping[str, tuple[Folder, Mapping[str, Any]]],
    scrubber: Scrubber,
) -> list[str]:
    compared = "cluster" if job.run.address is not None and job.cluster.nodes else "machine"
    clean = scrubbed(dict(said), scrubber.scrub)
    return [
        keep(folder, identity, {"pass": name, **clean}, compared) for name, (folder, identity) in identities.items()
    ]


def _pools(place: Place, job: Sourced, workflow: Workflow, units: int) -> list[Pool]:
    try:
        return place.pools(workflow, job.run.placement, job.run.workers, max(1, units))
    except RunnerError:
        return []


def _gpus(workflow: Workflow) -> int:
    """GPUs of this machine, asked for only where a network would use one."""
    if not any(segment.needs.gpus for segment in workflow.segments):
        return 0
    import torch  # noqa: PLC0415 - takes seconds, and a job without a network does not need it

    return torch.cuda.device_count()
