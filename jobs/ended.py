"""How a command that drives a job came to its end, for whoever is told of it afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.exits import Exit
from pipeline.driver import Outcome
from pipeline.run import Run


@dataclass(frozen=True)
class TrainingEnd:
    """How a training ended.

    Attributes:
        state: `complete`, `interrupted`, `storage`, `unhealthy` where it went wrong again after a rollback, `failed`.
        worked: whether steps were done.
        done: steps that are done; -1 where that is not known.
        steps: of the whole training.
        message: why it is not complete; empty where it is.
    """

    state: str
    worked: bool
    done: int
    steps: int
    message: str = ""


@dataclass(frozen=True)
class Ended:
    """The end of `facejobs run` or `retry`.

    Attributes:
        exit: the exit code.
        run: the run that was worked on or found complete; None where there is none.
        outcome: how driving it ended; None where there was nothing to do.
        night: of a job with a `selection`: what was due and what became of it, JSON values (`jobs.nightly.account`).
        training: of a train job, which has no run.
    """

    exit: Exit
    run: Run | None = None
    outcome: Outcome | None = None
    night: Mapping[str, Any] | None = None
    training: TrainingEnd | None = None
