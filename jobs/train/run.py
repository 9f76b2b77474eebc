"""A train job from its file to its end: find the training or begin it, train, write the report."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from jobs.console import Output as Console
from jobs.ended import Ended, TrainingEnd
from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.places import output_of
from jobs.spec.train import TrainJob
from jobs.train import layout
from jobs.train.contact import Near
from jobs.train.data import Gathered, gather
from jobs.train.header import Header
from jobs.train.identity import identity_of
from jobs.train.lock import TrainingLock
from jobs.train.report import write_training_report
from jobs.train.start import begin, check_data, known
from jobs.train.starts import find_starts, read_starts
from jobs.train.task import Task
from jobs.train.words import of_row
from jobs.train.worker import Result, work
from operators.training.loop import Row
from pipeline.errors import RunnerError
from pipeline.signals import Interrupted, Stop, draining
from pipeline.storage import Folder
from pipeline.writer_lock import SoleWriters

EXITS = {
    "complete": Exit.DONE,
    "interrupted": Exit.INTERRUPTED,
    "storage": Exit.STORAGE,
    "unhealthy": Exit.FAILED,
}


def run(job: TrainJob, out: Console, writers: SoleWriters) -> Ended:
    """Train, or go on where the training was left."""
    if job.run.runner == "local" and job.run.workers > 1:
        raise CommandError(
            f"run.workers: {job.run.workers} workers are more than this process; say run.runner: ray", Exit.BAD_JOB
        )
    output = output_of(job)
    starts = find_starts(job)
    identity = identity_of(job, starts)
    there = known(output, job, identity)
    if there is not None and there.end is not None:
        return _nothing_to_do(output, there.header, out)
    output.check()
    output = writers.output(output)
    writers.hold(TrainingLock(output))
    there = known(output, job, identity)  # whoever held it a moment ago may have begun, or ended
    if there is not None and there.end is not None:
        return _nothing_to_do(output, there.header, out)
    gathered = gather(job)
    _say_data(gathered, out)
    if there is not None:
        header = there.header
        check_data(output, header, gathered.fingerprint)
    else:
        header = begin(output, job, identity, gathered, starts)
    task = Task(job, header, output, gathered, starts, read_starts(starts))
    return _ended(_drive(task, out, writers), task, out)


def _drive(task: Task, out: Console, writers: SoleWriters) -> Result:
    """The training itself, in this process or on a cluster."""
    run_ = task.job.run
    with draining(run_.grace_seconds) as stop, out.steps(task.header.steps, "training") as show:

        def tell(done: int, row: Row | None) -> None:
            writers.check()
            show(done, of_row(row) if row is not None else "")

        try:
            return _trained(task, stop, tell, out.log)
        except (KeyboardInterrupt, Interrupted):
            return Result("interrupted", message="stopped by a signal; steps since the last checkpoint are lost")
        except RunnerError as error:
            return Result("failed", message=str(error))


def _trained(task: Task, stop: Stop, tell: Callable[[int, Row | None], None], say: Callable[[str], None]) -> Result:
    if task.job.run.runner == "ray":
        from jobs.train.cluster import on_cluster  # noqa: PLC0415  Ray, for those who use it

        return on_cluster(task, stop, tell, say)
    return work(task, Near(stop.signalled.is_set, tell, say))


def _ended(result: Result, task: Task, out: Console) -> Ended:
    """Say how it ended, and write the report where somebody has time for it."""
    code = EXITS.get(result.state, result.code)
    header, output = task.header, task.output
    said = f"{max(result.done, 0)} of {header.steps} steps"
    if result.state in ("complete", "unhealthy"):
        write_training_report(output, header, out.scrubber, result.message if result.state == "unhealthy" else "")
    if result.state == "complete":
        out.say(f"{header.name}: {said}{f', rolled back {len(result.rollbacks)} times' if result.rollbacks else ''}")
        _say_places(output, out)
    elif result.state == "interrupted":
        message = result.message or f"stopped by a signal after {said}, which are kept"
        out.log(f"not complete: {message}; run the same command again to continue", "error")
    elif result.state == "storage":
        out.log(f"not complete: storage: {result.message}; run the same command again to continue", "error")
    else:
        out.log(f"not complete: {result.message}", "error")
        if result.state == "unhealthy":
            _say_places(output, out, model=False)
    return Ended(code, training=TrainingEnd(result.state, result.worked > 0, result.done, header.steps, result.message))


def _nothing_to_do(output: Folder, header: Header, out: Console) -> Ended:
    out.say(f"nothing to do: the training {header.name} is complete ({header.steps} steps)")
    with suppress(FileNotFoundError):
        output.read(layout.REPORT)
        _say_places(output, out)
        return Ended(Exit.DONE, training=TrainingEnd("complete", False, header.steps, header.steps))
    write_training_report(output, header, out.scrubber)  # killed after the last step
    _say_places(output, out)
    return Ended(Exit.DONE, training=TrainingEnd("complete", False, header.steps, header.steps))


def _say_places(output: Folder, out: Console, *, model: bool = True) -> None:
    if model:
        out.say(f"model: {output.uri.rstrip('/')}/{layout.MODEL}")
    out.say(f"report: {output.uri.rstrip('/')}/{layout.REPORT}")


def _say_data(gathered: Gathered, out: Console) -> None:
    held = f", {gathered.held_out.count} held out" if gathered.held_out is not None else ""
    out.log(f"{gathered.samples.count} pictures to train on{held}")
    for note in gathered.notes:
        out.log(note)
