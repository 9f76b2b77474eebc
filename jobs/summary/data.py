"""What a summary says, as plain data: whoever knows how a command ended fills it, others draw it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jobs.exits import MEANING, Exit

FORMAT = 1
"""Of `summary.json`; a program that reads it looks at this first."""


@dataclass(frozen=True, slots=True)
class Command:
    """The command that was given.

    Attributes:
        words: `run` or `retry`, with its options.
        file: the job file, as it was named.
        host: the machine that it ran on.
        version: of facejobs.
        started: ISO 8601, UTC.
        finished: likewise.
        seconds: on the clock between the two.
    """

    words: tuple[str, ...]
    file: str
    host: str
    version: str
    started: str
    finished: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason for which records are in quarantine.

    Attributes:
        code: stable lower_snake_case word.
        count: records.
        advice: what to do, one sentence.
    """

    code: str
    count: int
    advice: str


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done next.

    Attributes:
        why: when or why, one sentence without a full stop.
        command: a command line; empty where none helps.
    """

    why: str
    command: str = ""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """The run that was worked on or found complete.

    Attributes:
        run_id: its hash.
        noun: what its records are, for people: `record`, `pair`, `image`.
        made: what becomes of them: `restored or copied`, `made`, `surveyed`.
        created: when it was planned, ISO 8601, UTC.
        source: where the records came from.
        output: where its outputs are.
        folder: the run's own folder.
        report: where the report lies; empty where there is none.
        quarantine: where the list of what is in quarantine lies; empty likewise.
        units_planned: units of all rounds.
        units_committed: those with a commit.
        units_worked: those that this command committed.
        planned: records of the plan.
        ok: records with an output.
        quarantined: records in quarantine now.
        faces_found: of a restore job; None elsewhere.
        faces_restored: likewise.
        counts: all that the job kind counts.
        bytes_in: read from the source, None where it is not known.
        bytes_out: of all outputs that commits name, None where it is not known.
        wall_seconds: in which the run was worked on, by this command and others; None where it is not known.
    """

    run_id: str
    noun: str
    made: str
    created: str
    source: str
    output: str
    folder: str
    report: str
    quarantine: str
    units_planned: int
    units_committed: int
    units_worked: int
    planned: int
    ok: int
    quarantined: int
    faces_found: int | None = None
    faces_restored: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    bytes_in: int | None = None
    bytes_out: int | None = None
    wall_seconds: float | None = None

    @property
    def todo(self) -> int:
        """Records that are not decided yet."""
        return self.planned - self.ok - self.quarantined

    @property
    def records_per_second(self) -> float | None:
        """Decided records by wall second."""
        return (self.ok + self.quarantined) / self.wall_seconds if self.wall_seconds else None

    @property
    def faces_per_second(self) -> float | None:
        """Found faces by wall second."""
        return self.faces_found / self.wall_seconds if self.wall_seconds and self.faces_found is not None else None


@dataclass(frozen=True, slots=True)
class Summary:
    """How a command ended. No value may hold a secret: it is shown and sent as it is.

    Attributes:
        job: the job's name.
        kind: of the job.
        command: what was given.
        exit: the exit code.
        state: of the run: `complete`, `time_up`, `over_budget`, `storage`, `interrupted`, `incomplete`; `nothing_to_do`
            where nothing was due; `unhealthy` for a training that was given up;
            `error` where the command failed before or outside of the run.
        message: why it is not complete, or the error; empty where it is.
        worked: whether there was something to do.
        run: the run; None where there is none.
        reasons: for quarantine, the most frequent first.
        night: of a collection: what was due and what became of it (`jobs.ended.Ended`); None elsewhere.
        steps: what is to be done next; empty where nothing is.
    """

    job: str
    kind: str
    command: Command
    exit: Exit
    state: str
    message: str = ""
    worked: bool = True
    run: RunFacts | None = None
    reasons: tuple[Reason, ...] = ()
    night: Mapping[str, Any] | None = None
    steps: tuple[Step, ...] = ()

    @property
    def meaning(self) -> str:
        """What the exit code means."""
        return MEANING[self.exit]
