"""What a job that hides faces asks for, beyond what every restorer has."""

from __future__ import annotations

from dataclasses import dataclass, field

from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.spec.job import RestoreJob
from jobs.spec.passcodes import PasscodeError, passcode_of
from jobs.spec.restore import AnonymizeRestore
from jobs.spec.variables import UnsetVariableError
from operators.restorers.anonymize.options import AnonymizeOptions


@dataclass(frozen=True)
class Anonymity:
    """How faces are hidden.

    Attributes:
        options: cells, margin and colour; the method `generated` stands as `mean`, since what is made beside the
            restorer is never drawn.
        max_identity: most similarity of a hidden face with the original.
        passcode: that the original is sealed with; None seals nothing.
    """

    options: AnonymizeOptions
    max_identity: float
    passcode: str | None = field(default=None, repr=False)


def anonymity_of(job: RestoreJob) -> Anonymity | None:
    """What a job says of it; None for one that restores faces.

    Raises:
        CommandError: there is no passcode where one is named.
        ValueError: the job could leave a face as it was; a job file that does is refused when it is read.
    """
    restore, gate = job.restore, job.score.gate
    if not isinstance(restore, AnonymizeRestore):
        return None
    unsafe = gate.on_fail == "keep_original" or gate.max_identity is None or restore.oversize == "keep"
    if unsafe or restore.strength < 1.0 or job.detect.aligned:
        raise ValueError("a job with model: anonymize was made without its defaults: read it with jobs.spec.load")
    assert gate.max_identity is not None
    asked = restore.options
    method = "mean" if asked.method == "generated" else asked.method
    options = AnonymizeOptions(method, asked.cell, asked.margin, asked.colour)
    try:
        return Anonymity(options, gate.max_identity, passcode_of(asked))
    except (PasscodeError, UnsetVariableError) as error:
        key = "passcode_file" if asked.passcode is None else "passcode"
        raise CommandError(f"restore.options.{key}: {error}", Exit.BAD_JOB) from error
