"""How a command that drives a job came to its end, for whoever is told of it afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.exits import Exit
from pipeline.driver import Outcome
from pipeline.run import Run


@dataclass(frozen=True)
class Ended:
    """The end of `facejobs run` or `retry`.

    Attributes:
        exit: the exit code.
        run: the run that was worked on or found complete; None where there is none.
        outcome: how driving it ended; None where there was nothing to do.
        night: of a job with a `selection`: what was due and what became of it, JSON values (`jobs.nightly.account`).
    """

    exit: Exit
    run: Run | None = None
    outcome: Outcome | None = None
    night: Mapping[str, Any] | None = None
