"""How every command ends: with an exit code, and with an error that a person can act on."""

from __future__ import annotations

import os
from collections.abc import Callable

import typer

from jobs.console import Output
from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.models.errors import NotFetchedError
from jobs.spec import JobFileError, UnsetVariableError
from operators.checkpoints import CheckpointError
from operators.models import ModelFileError
from pipeline.errors import LedgerError, NoSuchRunError, RunConflictError, SourceError, StorageError
from pipeline.night_lock import NightInProgressError
from pipeline.retries import is_storage
from pipeline.signals import Interrupted, terminable

BAD_JOB = (JobFileError, UnsetVariableError, SourceError, ModelFileError, CheckpointError)
STOPPED = (KeyboardInterrupt, Interrupted)
FORESEEN = (CommandError, NotFetchedError, *BAD_JOB, RunConflictError, NoSuchRunError, LedgerError, *STOPPED)


def end(command: Callable[[Output], Exit]) -> None:
    """Run a command and leave with its exit code; errors that a person can act on are said without a traceback."""
    out = Output()
    try:
        with terminable():
            code = command(out)
    except (Exception, *STOPPED) as error:
        if os.environ.get("FACEJOBS_DEBUG") and not isinstance(error, FORESEEN):
            raise
        code, message = exit_of(error)
        out.complain(message)
    raise typer.Exit(int(code))


def exit_of(error: BaseException) -> tuple[Exit, str]:
    """With which exit code a command ends that raised this, and what is said of it."""
    match error:
        case CommandError():
            return error.code, error.message
        case NotFetchedError():
            return Exit.STORAGE, str(error)
        case CheckpointError():
            return Exit.BAD_JOB, error.message
        case JobFileError() | UnsetVariableError() | SourceError() | ModelFileError():
            return Exit.BAD_JOB, str(error)
        case NightInProgressError():
            return Exit.BUSY, str(error)
        case RunConflictError():
            return Exit.CONFLICT, str(error)
        case NoSuchRunError():
            return Exit.NO_RUN, str(error)
        case LedgerError():
            return Exit.FAILED, str(error)
        case KeyboardInterrupt() | Interrupted():
            return Exit.INTERRUPTED, "interrupted; run the same command again to continue"
    if isinstance(error, StorageError) or is_storage(error):
        return Exit.STORAGE, f"storage: {error}; run the same command again to continue"
    return Exit.FAILED, f"facejobs failed: {type(error).__name__}: {error}. FACEJOBS_DEBUG=1 shows where"
