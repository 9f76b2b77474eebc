"""What is known of a run at one moment, as plain data: the terminal, the page and JSON show the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from jobs.watch.eta import Eta
from jobs.watch.pace import Timeline


@dataclass(frozen=True)
class Stage:
    """What a stage took.

    Attributes:
        name: of the stage.
        seconds: summed over units and threads.
        share: of all stages' seconds, in [0, 1].
        seconds_per_record: of one thread.
        records_per_busy_second: records that a thread gets through in a second of this stage; None for a stage
            without time.
        busy: threads that were at it at once, on the mean; None where it is not known how long the run was worked on.
    """

    name: str
    seconds: float
    share: float
    seconds_per_record: float
    records_per_busy_second: float | None
    busy: float | None


@dataclass(frozen=True)
class Node:
    """What a machine did.

    Attributes:
        host: as it calls itself; empty for units of which that is not known.
        units: committed ones that it began.
        records: in those.
        in_flight: units that it has begun and that are under way.
        last_sign_seconds: age of its newest mark or commit; None where there is none.
        rate: records a second within the window of now.
    """

    host: str
    units: int
    records: int
    in_flight: int
    last_sign_seconds: float | None
    rate: float


@dataclass(frozen=True)
class Row:
    """A record in quarantine.

    Attributes:
        key: the record.
        code: why.
        message: in words.
        stage: that gave up.
        finished: when, ISO 8601, UTC; empty where that is not known.
    """

    key: str
    code: str
    message: str
    stage: str
    finished: str


@dataclass(frozen=True)
class Reason:
    """A reason for quarantine, how many records it holds there, and one of them where one was kept."""

    code: str
    count: int
    example: Row | None


@dataclass(frozen=True)
class Snapshot:
    """A run now. Keys that `facejobs status --json` has mean the same here.

    Attributes:
        name: the job's name.
        kind: of the run.
        run_id: which run.
        taken: when this was read, ISO 8601, UTC.
        state: `complete` or `incomplete`.
        at_work: whether somebody seems to be at work.
        at_work_because: by which sign.
        final: whether the view ends when the run is complete; pairs follow a survey.
        replaced_run: the run that was shown before this one came in its place; empty where there was none.
        created: when the run was planned, ISO 8601, UTC.
        finished: when it came to its end, ISO 8601, UTC; empty before that.
        rounds: the plan, and one a retry.
        round: the one under way, from 0.
        round_units: units of that round.
        round_units_committed: of those.
        round_records: records of that round.
        round_records_done: of those, with an outcome.
        commits_unread: commits that were listed and not read yet; until it is 0, counts are too small.
        units_planned: of all rounds.
        units_committed: of all rounds.
        units_in_flight: begun, and under way as it seems.
        units_waiting: the rest: not begun, or left by a process that is gone or not heard of.
        units_left: of the waiting ones, those that were begun.
        tries_again: attempts at units beyond each one's first.
        records_planned: of the plan.
        records_ok: with outputs.
        records_quarantined: in quarantine now.
        records_todo: without an outcome yet.
        quarantine: reasons, the most frequent first.
        newest_quarantined: records, the newest first; of a run that was finished before, the first ones of its list.
        counts: what the job kind counts.
        engines: what executed a network, to faces.
        engine_events: what befell engines, to how often.
        bytes_in: read from the source, where the kind counts it; else 0.
        output_objects: of all outputs.
        output_bytes: of all outputs.
        worked_seconds: time in which somebody was at work; None where it is not known.
        rate_now: records a second within the last `rate_window_seconds`; None where it is not known.
        rate_window_seconds: see `rate_now`.
        rate_overall: records a second over `worked_seconds`.
        eta: time left.
        timeline: throughput since the last pause; None where there is too little of it.
        stages: in the order of the flow.
        nodes: by name.
        nodes_unread: units of which it was not read yet which machine did them.
        outputs: where the outputs are.
        report: whether the run's folder holds a report.
    """

    name: str
    kind: str
    run_id: str
    taken: str
    state: Literal["complete", "closed", "incomplete"]
    at_work: bool
    at_work_because: str
    final: bool
    replaced_run: str
    created: str
    finished: str
    rounds: int
    round: int
    round_units: int
    round_units_committed: int
    round_records: int
    round_records_done: int
    commits_unread: int
    units_planned: int
    units_committed: int
    units_in_flight: int
    units_waiting: int
    units_left: int
    tries_again: int
    records_planned: int
    records_ok: int
    records_quarantined: int
    records_todo: int
    quarantine: tuple[Reason, ...]
    newest_quarantined: tuple[Row, ...]
    counts: Mapping[str, int]
    engines: Mapping[str, int]
    engine_events: Mapping[str, int]
    bytes_in: int
    output_objects: int
    output_bytes: int
    worked_seconds: float | None
    rate_now: float | None
    rate_window_seconds: float | None
    rate_overall: float | None
    eta: Eta
    timeline: Timeline | None
    stages: tuple[Stage, ...] = ()
    nodes: tuple[Node, ...] = ()
    nodes_unread: int = 0
    outputs: str = field(default="")
    report: bool = False

    @property
    def complete(self) -> bool:
        """Whether the run has come to its end."""
        return self.state == "complete"

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)
