"""What can go wrong on the way, by who has to act on it."""

from __future__ import annotations


class RecordError(Exception):
    """One record cannot be processed: it becomes a quarantine row and the job goes on.

    `code` is a stable lower_snake_case word; `message` says what was found, what was expected and what to do.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __reduce__(self) -> tuple[type[RecordError], tuple[str, str]]:
        return (type(self), (self.code, self.message))


class SourceError(Exception):
    """The source as a whole cannot be read as the job says (no such column, no matching object, not a tar)."""


class StorageError(Exception):
    """Storage did not answer, or refused: the run stops and can be resumed."""


class WorkerError(Exception):
    """A worker lacks what it needs to work (a model's file, a device): no record's fault.

    The run stops and can be resumed.
    """


class RunConflictError(Exception):
    """The output already holds the results of another run."""


class RunAliveError(RunConflictError):
    """Somebody may be working on the run right now."""


class NoSuchRunError(Exception):
    """The named place holds no run."""


class LedgerError(Exception):
    """What a run has written about itself is damaged or gone; the message names the file and says what to do."""


class RunnerError(Exception):
    """The runner cannot work: the cluster is too small, cannot be joined, or its workers do not start."""
