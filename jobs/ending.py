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
from pipeline.retries import is_storage
from pipeline.signals import Interrupted, terminable


def end(command: Callable[[Output], Exit]) -> None:
    """Run a command and leave with its exit code; errors that a person can act on are said without a traceback."""
    out = Output()
    try:
        with terminable():
            code = command(out)
    except CommandError as error:
        out.complain(error.message)
        code = error.code
    except NotFetchedError as error:
        out.complain(str(error))
        code = Exit.STORAGE
    except (JobFileError, UnsetVariableError, SourceError, ModelFileError) as error:
        out.complain(str(error))
        code = Exit.BAD_JOB
    except CheckpointError as error:
        out.complain(error.message)
        code = Exit.BAD_JOB
    except RunConflictError as error:
        out.complain(str(error))
        code = Exit.CONFLICT
    except NoSuchRunError as error:
        out.complain(str(error))
        code = Exit.NO_RUN
    except LedgerError as error:
        out.complain(str(error))
        code = Exit.FAILED
    except (KeyboardInterrupt, Interrupted):
        out.complain("interrupted; run the same command again to continue")
        code = Exit.INTERRUPTED
    except Exception as error:
        if os.environ.get("FACEJOBS_DEBUG"):
            raise
        if isinstance(error, StorageError) or is_storage(error):
            out.complain(f"storage: {error}; run the same command again to continue")
            raise typer.Exit(int(Exit.STORAGE)) from None
        out.complain(f"facejobs failed: {type(error).__name__}: {error}. FACEJOBS_DEBUG=1 shows where")
        code = Exit.FAILED
    raise typer.Exit(int(code))
