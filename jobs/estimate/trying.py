"""What a plan measures beside the records themselves: a worker's start, failures, faces, bytes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial

from jobs.errors import CommandError
from jobs.estimate.ranges import Range, Total, share_of, total_of
from jobs.estimate.trial import WAITING, Trial, Tried
from jobs.exits import Exit
from jobs.places import source_of
from jobs.spec import Sourced
from pipeline.errors import WorkerError
from pipeline.sinks import SinkSpec
from pipeline.stage import Workflow
from pipeline.storage import Folder
from pipeline.watched.limits import Limits
from pipeline.watched.watcher import WatchedWorker
from pipeline.worker import WorkerSpec


def worker_start(job: Sourced, workflow: Callable[[], Workflow]) -> float:
    """Seconds in which a worker's process starts and loads what it needs, measured by starting one.

    0 where the work is done in the command's own process, which does not start again.

    Raises:
        CommandError: a worker cannot be set up on this machine.
        StorageError: storage failed meanwhile.
    """
    if job.run.runner == "local" and not job.run.isolate:
        return 0.0
    with tempfile.TemporaryDirectory(prefix="facejobs-plan-") as name:
        nowhere = Folder(name)
        spec = WorkerSpec(nowhere, source_of(job), SinkSpec("mirror", nowhere), workflow)
        start = time.perf_counter()
        try:
            worker = WatchedWorker(spec, (0, 1, 2), Limits())
        except WorkerError as error:
            raise CommandError(
                f"{error}; no record can be tried here: plan where the job will run, or with --sample 0", Exit.FAILED
            ) from error
        taken = time.perf_counter() - start
        worker.close()
    return taken


def failures(trial: Trial, known: int) -> Range:
    """Records that will go to quarantine.

    Args:
        trial: of those that are not known to fail.
        known: records that are.
    """
    count = len(trial.flat)
    hits = trial.weighted(lambda one: float(bool(one.code))) * count
    return share_of(min(hits, count), count, trial.records).times(trial.records).plus(known)


def output_bytes(trial: Trial) -> dict[str, Range]:
    """Bytes that all records will give, by the artifacts' role."""
    roles = sorted({role for one in trial.flat for role in one.outputs})
    return {role: total_of(trial.groups(partial(_of_role, role))).range for role in roles}


def _of_role(role: str, one: Tried) -> float:
    return float(one.outputs.get(role, 0))


def each_record(total: Total, records: int) -> Range:
    """A sum over all records as a mean."""
    return total.range.times(1 / records if records else 0.0)


def stage_seconds(trial: Trial) -> dict[str, float]:
    """Seconds of a record by stage; of reading and writing too, which are part of other stages."""
    names = dict.fromkeys(name for one in trial.flat for name in one.stages)
    means = {name: trial.weighted(partial(_in_stage, name)) for name in names}
    return {name: means[name] for name in sorted(names, key=lambda name: name in WAITING)}


def _in_stage(name: str, one: Tried) -> float:
    return one.stages.get(name, 0.0)
