"""An exported network as its card and its entry speak of it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from operators.models.checkpoint import UNSAID, Checkpoint
from operators.models.examine import ROLES


@dataclass(frozen=True)
class KeptModel:
    """An exported network.

    Attributes:
        role: what the schedule calls it.
        checkpoint: all about its file but the hash, which would have to contain itself.
        numbers: parameters and statistics.
        half: whether they are kept as float16.
    """

    role: str
    checkpoint: Checkpoint
    numbers: int
    half: bool


def added(checkpoint: Checkpoint) -> str:
    """The command that takes the file into the cache of models, with all that the file does not say itself."""
    words = ["facejobs", "models", "add", checkpoint.file, "--name", checkpoint.name]
    role = ROLES[checkpoint.architecture]
    if checkpoint.task != role.task and checkpoint.task:
        words += ["--task", checkpoint.task]
    if checkpoint.template != role.template and checkpoint.template:
        words += ["--template", checkpoint.template]
    if checkpoint.licence != UNSAID:
        words += ["--licence", checkpoint.licence]
    # A model without a licence is marked by the command itself, where its architecture asks for that.
    if checkpoint.noncommercial and checkpoint.terms != role.terms:
        words.append("--noncommercial")
    return shlex.join(words)
