"""What a report shows, as plain data: whoever reads a ledger fills it, `render` draws it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from jobs.estimate.fact import Comparison

State = Literal["complete", "incomplete"]


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts of a run. In a complete run `records_planned = records_ok + records_quarantined`.

    Attributes:
        units_planned: units of the plan.
        units_committed: units that the ledger names as done.
        records_planned: records of the plan.
        records_ok: records with an output.
        records_quarantined: records without one, each with a reason.
        images_changed: outputs in which at least one pixel differs from the source.
        images_unchanged: outputs whose pixels are all those of the source.
        faces_found: faces that were detected.
        faces_restored: faces whose restoration was pasted into an output.
        faces_kept: faces left as they were, by reason (lower_snake_case word to count).
        backgrounds: whole pictures made anew (`made`) and those left as they were, by reason; empty for a job that does
            nothing with them.
        bytes_in: bytes read from the source.
        bytes_out: bytes of all outputs that commits name.
    """

    units_planned: int
    units_committed: int
    records_planned: int
    records_ok: int
    records_quarantined: int
    images_changed: int
    images_unchanged: int
    faces_found: int
    faces_restored: int
    faces_kept: Mapping[str, int] = field(default_factory=dict)
    backgrounds: Mapping[str, int] = field(default_factory=dict)
    bytes_in: int = 0
    bytes_out: int = 0


@dataclass(frozen=True, slots=True)
class Throughput:
    """How fast the run was.

    Attributes:
        wall_seconds: time on the clock in which the run was being worked on, None when it is not known.
        images_per_second: committed records by wall second, None when it is not known.
        faces_per_second: found faces by wall second, None when it is not known.
        stage_seconds: stage to seconds, summed over all committed units and all workers, in the order of the flow.
        engines: what executed a network (engine, arithmetic, device) to number of faces; empty where none was.
        backgrounds: what executed the network that whole pictures went through, to number of pictures.
        engine_events: what befell engines (`batch_halved`, `engine_fallback`) to how often.
    """

    wall_seconds: float | None = None
    images_per_second: float | None = None
    faces_per_second: float | None = None
    stage_seconds: Mapping[str, float] = field(default_factory=dict)
    engines: Mapping[str, int] = field(default_factory=dict)
    backgrounds: Mapping[str, int] = field(default_factory=dict)
    engine_events: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Series:
    """Many values of one measure, as a histogram of constant size.

    Attributes:
        counts: values by bin; the bins are those of the `Distribution` that holds the series. Values outside its
            range are counted in the first or last bin.
        outside: how many values those were.
        missing: how many values could not be computed (None or not finite); they are not in `counts`.
        minimum: smallest value seen, exact; None without values.
        maximum: largest value seen, exact; None without values.
        mean: arithmetic mean, None without values.
        quantiles: probability to value, for 0.05, 0.25, 0.5, 0.75 and 0.95; exact to one bin; empty without values.
    """

    counts: tuple[int, ...]
    outside: int
    missing: int
    minimum: float | None
    maximum: float | None
    mean: float | None
    quantiles: Mapping[float, float]

    @property
    def total(self) -> int:
        """Number of values in the histogram."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Distribution:
    """One measure over all faces of a run, before and after restoration.

    Attributes:
        edges: bin borders, ascending, one more than there are counts in a series.
        after: values after restoration; for a measure that compares both (identity) its only values.
        before: values before restoration; None for a measure that compares both.
        improved: pairs in which the value moved to the better side; 0 where the measure has none.
        worsened: pairs in which it moved to the worse side.
    """

    edges: tuple[float, ...]
    after: Series
    before: Series | None = None
    improved: int = 0
    worsened: int = 0


@dataclass(frozen=True, slots=True)
class GateSummary:
    """What the gate decided.

    Attributes:
        decisions: action (`paste`, `keep_original`, `flag`, `quarantine`) to number of faces.
        reasons: why faces did not pass, to number of faces; a face may have several.
    """

    decisions: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sample:
    """One face or one whole image, before and after.

    Attributes:
        kind: `face` or `image`.
        key: the record's key.
        caption: one short line.
        before: a JPEG.
        after: a JPEG of the same size.
        width: pixels of both.
        height: pixels of both.
        facts: name to value, in the order to show them; numbers or short texts.
    """

    kind: Literal["face", "image"]
    key: str
    caption: str
    before: bytes = field(repr=False)
    after: bytes = field(repr=False)
    width: int
    height: int
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """A record that could not be processed.

    Attributes:
        key: the record's key.
        code: stable lower_snake_case word.
        message: what was found, what was expected, what to do.
        stage: name of the stage that gave up.
        uri: where its bytes are, without secrets.
    """

    key: str
    code: str
    message: str
    stage: str
    uri: str


@dataclass(frozen=True, slots=True)
class ReportData:
    """Everything a report shows. No value may hold a secret: the report prints what it is given.

    Attributes:
        name: the job's name.
        run_id: the run's hash.
        state: `complete` when all planned units are committed.
        created: when the run was planned, ISO 8601, UTC.
        updated: when the ledger was read for this report or last written, ISO 8601, UTC.
        facejobs_version: the version that made the report.
        totals: counts.
        throughput: speed and stage times.
        scores: measure's name (see `jobs.report.measures`) to its distribution, in the order to show them.
        gate: decisions and reasons.
        samples: faces and whole images to compare; few, they make up most of the report's size.
        quarantine: the first rows, `limits.QUARANTINE_ROWS` are shown at most.
        quarantine_by_code: code to number of all quarantined records.
        settings: the canonical job, nested.
        versions: component to version.
        hashes: thing (plan, a model file) to hash, hex.
        warnings: sentences for the reader.
        source: where the records came from, without secrets.
        output: where the outputs are, without secrets.
        night: of a night of a collection, what was due; empty elsewhere.
        comparison: what was estimated beside what came; None where no estimate was kept.
    """

    name: str
    run_id: str
    state: State
    created: str
    updated: str
    facejobs_version: str
    totals: Totals
    throughput: Throughput = field(default_factory=Throughput)
    scores: Mapping[str, Distribution] = field(default_factory=dict)
    gate: GateSummary = field(default_factory=GateSummary)
    samples: tuple[Sample, ...] = ()
    quarantine: tuple[QuarantineRow, ...] = ()
    quarantine_by_code: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    source: str = ""
    output: str = ""
    night: str = ""
    comparison: Comparison | None = None
