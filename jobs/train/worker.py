"""One worker of a training: the same in this process and on a cluster."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.train import layout
from jobs.train.about import card_facts, template_of
from jobs.train.arithmetic import arithmetic, hardware_of, machine_of, warning_of
from jobs.train.artefacts.export import exported
from jobs.train.artefacts.facts import MachineFacts
from jobs.train.contact import Contact
from jobs.train.header import End, read_end
from jobs.train.keeper import Keeper
from jobs.train.looking import Looker
from jobs.train.starts import built
from jobs.train.task import Task
from operators.training.contract import Hardware, Schedule
from operators.training.health import UnhealthyError
from operators.training.loop import train
from operators.training.together import ElsewhereError, Together
from pipeline.errors import LedgerError, RecordError, StorageError, WorkerError
from pipeline.ledger import now
from pipeline.retries import is_storage


@dataclass(frozen=True)
class Result:
    """How a worker's training ended.

    Attributes:
        state: `complete`, `interrupted`, `unhealthy`, `storage`, `failed` for what else was foreseen, or `elsewhere`
            where another worker has the reason.
        done: steps that are done; -1 where that is not known.
        worked: steps of this call.
        message: why it is not complete; empty where it is.
        rollbacks: what was wrong each time that it was rolled back.
        code: of the exit, where it failed.
    """

    state: str
    done: int = -1
    worked: int = 0
    message: str = ""
    rollbacks: tuple[str, ...] = ()
    code: Exit = Exit.FAILED


def work(task: Task, contact: Contact, nodes: int = 1) -> Result:
    """Train, and write the model at the end; every worker calls it.

    Args:
        task: the training.
        contact: with the command that drives it; used by the first worker alone, but for `stopping`.
        nodes: machines that workers are on.

    Returns:
        How it ended; what is not foreseen is raised.
    """
    together = Together()
    try:
        with arithmetic(task.job.run.threads):
            return _work(task, contact, nodes, together)
    except UnhealthyError as error:
        return Result("unhealthy", message=str(error))
    except ElsewhereError:
        return Result("elsewhere")
    except CommandError as error:
        return Result("failed", message=error.message, code=error.code)
    except RecordError as error:
        return Result("failed", message=error.message, code=Exit.BAD_JOB)
    except (LedgerError, WorkerError) as error:
        return Result("failed", message=str(error))
    except Exception as error:
        if isinstance(error, StorageError) or is_storage(error):
            return Result("storage", message=f"{type(error).__name__}: {error}")
        raise


def _work(task: Task, contact: Contact, nodes: int, together: Together) -> Result:
    hardware = hardware_of(task.job.run, together)
    if together.first and (warning := warning_of(hardware)):
        contact.say(warning)
    schedule = built(task.entry, task.given(hardware), task.starts)
    machine = machine_of(task.job.run, hardware, nodes)
    keeper = Keeper(task, schedule, _looker(task, hardware), machine, contact)
    end = train(schedule, task.gathered.samples, task.settings(hardware), keeper)
    if end.state == "complete":
        together.alone(lambda: _finish(task, schedule, machine, keeper.seconds))
    return Result(end.state, end.done, end.worked, rollbacks=end.rollbacks)


def _looker(task: Task, hardware: Hardware) -> Looker:
    job, gathered = task.job, task.gathered
    size = max(1, job.schedule.batch // hardware.world)
    return Looker(
        gathered.samples, gathered.held_out, job.output.samples, job.output.measured, size, hardware, template_of(job)
    )


def _finish(task: Task, schedule: Schedule, machine: MachineFacts, seconds: float) -> None:
    """Write the model with its card, and that the training is finished; again does no harm."""
    if read_end(task.output) is not None:
        return
    about = card_facts(task, machine, seconds)
    files = exported(schedule.exports(), about, task.job.output.half)
    folder = task.output.child(layout.MODEL)
    for name, data in files.items():
        folder.write(name, data)
    task.output.write(layout.END, End(now(), seconds, _sums(files)).written())


def _sums(files: Mapping[str, bytes]) -> dict[str, tuple[str, int]]:
    return {
        f"{layout.MODEL}/{name}": (hashlib.sha256(data).hexdigest(), len(data)) for name, data in sorted(files.items())
    }
