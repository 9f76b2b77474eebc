"""`facejobs plan` of a training: what it would come to, told from a few steps in memory."""

from __future__ import annotations

import json
import time
from typing import Any

from jobs.console import Output as Console
from jobs.errors import CommandError
from jobs.estimate.plan import Asked
from jobs.exits import Exit
from jobs.places import output_of
from jobs.spec.train import TrainJob
from jobs.train.arithmetic import arithmetic, hardware_of
from jobs.train.data import gather
from jobs.train.identity import identity_of
from jobs.train.start import known, new_header
from jobs.train.starts import built, find_starts, read_starts
from jobs.train.task import Task
from operators.training.contract import At
from operators.training.crew import Crew
from operators.training.draws import Draws
from operators.training.feeding import tensors
from operators.training.packing import packed
from operators.training.together import Together

TRIED = 5
"""Steps that are tried, at most; the first one is left out of the measure."""


def plan_job(job: TrainJob, asked: Asked, out: Console) -> Exit:
    """Build the networks, try a few steps here in memory, and say what the whole would come to; writes nothing.

    Raises:
        CommandError: the estimate is to be kept, which is for reports of other jobs.
    """
    if asked.keep:
        raise CommandError("--keep: the report of a training compares with no estimate; leave it out", Exit.USAGE)
    output, starts = output_of(job), find_starts(job)
    identity = identity_of(job, starts)
    there = known(output, job, identity)
    gathered = gather(job)
    header = there.header if there is not None else new_header(job, identity, gathered, starts)
    task = Task(job, header, output, gathered, starts, read_starts(starts))
    with arithmetic(job.run.threads):
        found = _tried(task, min(asked.sample, TRIED))
    if asked.as_json:
        out.say(json.dumps(found, indent=1))
        return Exit.DONE
    out.say(f"{job.name}: training of {job.model.kind}, {job.schedule.steps} steps of {job.schedule.batch} samples")
    out.say(f"data         {found['pictures']} pictures, {found['held_out']} held out")
    out.say(f"networks     {', '.join(f'{name} {count:,}' for name, count in found['parameters'].items())} parameters")
    out.say(f"a checkpoint {found['checkpoint_bytes']:,} bytes")
    if found["seconds_per_step"] is not None:
        out.say(
            f"a step       {found['seconds_per_step']:.3g} s here on {found['device']}, so the whole would take "
            f"{found['hours']:.3g} hours with one worker"
        )
    return Exit.DONE


def _tried(task: Task, count: int) -> dict[str, Any]:
    job = task.job
    hardware = hardware_of(job.run, Together())
    schedule = built(task.entry, task.given(hardware), task.starts)
    seconds: list[float] = []
    batches = iter(Crew(task.gathered.samples, job.schedule.batch))
    for step in range(min(count, job.schedule.steps)):
        began = time.monotonic()
        at = At(step, job.schedule.steps, Draws(job.run.seed, step), job.schedule.batch)
        terms = schedule.step(at, tensors(next(batches), hardware))
        for term in terms.values():
            term.item()  # waits for the device
        seconds.append(time.monotonic() - began)
    state = {
        "networks": {name: module.state_dict() for name, module in schedule.networks.items()},
        "schedule": schedule.state(),
    }
    each = min(seconds[1:] or seconds, default=None)
    return {
        "pictures": task.gathered.samples.count,
        "held_out": task.gathered.held_out.count if task.gathered.held_out is not None else 0,
        "parameters": {
            name: sum(one.numel() for one in module.parameters()) for name, module in schedule.networks.items()
        },
        "checkpoint_bytes": sum(map(len, packed(state).values())),
        "device": hardware.device,
        "seconds_per_step": each,
        "hours": each * job.schedule.steps / 3600 if each is not None else None,
    }
