"""What the report of a pairs run shows, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jobs.estimate.fact import Comparison
from jobs.report.data import QuarantineRow, State


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts of a run; a record is a pair, or an image of a survey.

    Attributes:
        units_planned: shards of the plan.
        units_committed: those that are done.
        records_planned: pairs of the plan.
        records_ok: pairs that were made.
        records_quarantined: pairs that were not, each with a reason.
        sources: images that pairs were made of.
        samples: what was cut out of them.
        bytes_out: of all outputs that commits name.
    """

    units_planned: int
    units_committed: int
    records_planned: int
    records_ok: int
    records_quarantined: int
    sources: int = 0
    samples: int = 0
    bytes_out: int = 0


@dataclass(frozen=True, slots=True)
class Split:
    """One split.

    Attributes:
        name: of it.
        pairs: made.
        samples: they were made from.
        groups: of samples that stay together.
        shards: with at least one pair.
        smallest: pairs of the smallest shard.
        largest: pairs of the largest shard.
    """

    name: str
    pairs: int
    samples: int
    groups: int
    shards: int
    smallest: int
    largest: int


@dataclass(frozen=True, slots=True)
class Numbers:
    """A parameter that is a number, as a histogram.

    Attributes:
        edges: (n + 1) borders of bins, ascending.
        counts: (n) values in each.
        expected: (n) share of each bin after the recipe; empty where it is not known.
        logarithmic: whether the axis is.
        total: values.
        quantiles: 0.05, 0.5 and 0.95, exact over what was parsed.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    expected: tuple[float, ...]
    logarithmic: bool
    total: int
    quantiles: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class StepDraws:
    """What was drawn for one step of the recipe.

    Attributes:
        id: of the step, repeats added up.
        use: the degradation.
        both: whether the target got it too.
        pairs: pairs in which it was done.
        times: how often, repeats counted.
        expected: share of pairs in which the recipe does it; None where that is not known.
        numbers: parameter to histogram.
        words: parameter to counts of each word.
        constants: parameter to its one value.
    """

    id: str
    use: str
    both: bool
    pairs: int
    times: int
    expected: float | None
    numbers: Mapping[str, Numbers] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draws:
    """What was drawn.

    Attributes:
        parsed: pairs whose records were read for it.
        degraded: pairs of the run that have a degraded side.
        steps: in the recipe's order.
    """

    parsed: int = 0
    degraded: int = 0
    steps: tuple[StepDraws, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """A pair to look at.

    Attributes:
        key: of the pair.
        split: it belongs to.
        degraded: a JPEG; None where the format keeps the target alone.
        target: a JPEG; None where the format keeps the degraded side alone.
        facts: name to value.
    """

    key: str
    split: str
    degraded: bytes | None = field(repr=False)
    target: bytes | None = field(repr=False)
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PairsReport:
    """Everything a report shows. No value may hold a secret: the report prints what it is given.

    Attributes:
        name: the job's name.
        kind: `pairs`, or that of a survey.
        run_id: the run's hash.
        state: `complete` when all planned units are committed.
        created: when the run was planned, ISO 8601, UTC.
        updated: when the ledger was read for this report, ISO 8601, UTC.
        facejobs_version: the version that made the report.
        totals: counts.
        splits: by name.
        selection: numbers of what was chosen from the survey; empty where they are not there.
        draws: distributions of what was drawn.
        wall_seconds: time in which the run was being worked on, None when it is not known.
        stage_seconds: stage to seconds, summed over all workers.
        views: pairs to look at.
        quarantine: the first rows.
        quarantine_by_code: code to number of all quarantined records.
        settings: the canonical job, nested, without the recipe.
        recipe: as YAML; empty where the run has none.
        versions: component to version.
        hashes: thing to hash, hex.
        warnings: sentences for the reader.
        source: where the images came from, without secrets.
        output: where the outputs are, without secrets.
        comparison: what was estimated beside what came; None where no estimate was kept.
    """

    name: str
    kind: str
    run_id: str
    state: State
    created: str
    updated: str
    facejobs_version: str
    totals: Totals
    splits: tuple[Split, ...] = ()
    selection: Mapping[str, Any] = field(default_factory=dict)
    draws: Draws = field(default_factory=Draws)
    wall_seconds: float | None = None
    stage_seconds: Mapping[str, float] = field(default_factory=dict)
    views: tuple[View, ...] = ()
    quarantine: tuple[QuarantineRow, ...] = ()
    quarantine_by_code: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    recipe: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    source: str = ""
    output: str = ""
    comparison: Comparison | None = None
