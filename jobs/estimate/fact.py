"""What a run has come to, beside what was estimated of it; and what was off, as far as the ledger shows why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from jobs.estimate.kept import kept_for
from jobs.estimate.trial import WAITING
from jobs.report import text
from pipeline.run import Run
from pipeline.tally import Tally

NOTABLE = 0.1
"""Part by which something must be off to be named as a reason."""
PASSES = {"restore": "restore", "pairs": "make", "survey": "survey"}
"""By kind of run: which pass of an estimate it is."""


@dataclass(frozen=True, slots=True)
class Row:
    """One number as it was estimated and as it came.

    Attributes:
        label: what it is.
        low: lower end of the estimated range.
        point: estimate.
        high: upper end.
        fact: what it came to.
        kind: how it is written: `duration`, `hours`, `number`, `count`, `bytes` or `money`.
    """

    label: str
    low: float
    point: float
    high: float
    fact: float
    kind: Literal["duration", "hours", "number", "count", "bytes", "money"]

    @property
    def verdict(self) -> Literal["inside", "above", "below"]:
        """Where the fact lies: in the range, above or below it."""
        if self.fact > self.high * 1.005:
            return "above"
        return "below" if self.fact < self.low * 0.995 else "inside"

    @property
    def off(self) -> float | None:
        """By which part of the estimate the fact differs from it; None where none was estimated."""
        return self.fact / self.point - 1 if self.point else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """An estimate and the fact.

    Attributes:
        made: when the estimate was made, ISO 8601, UTC.
        sampled: records that were tried for it.
        confidence: how often the truth is meant to lie inside a range, 0 to 1.
        place: `machine` or `cluster`, where the run was meant to go.
        partial: whether the run is not finished, so that only what does not depend on its size is compared.
        currency: of money.
        rows: numbers.
        reasons: what was off and why, in sentences.
    """

    made: str
    sampled: int
    confidence: float
    place: str
    partial: bool
    currency: str
    rows: tuple[Row, ...]
    reasons: tuple[str, ...]


def compare(run: Run, tally: Tally, wall_seconds: float) -> Comparison | None:
    """An estimate that was kept for a run beside what the run has come to; None where none was kept that can be used.

    Args:
        run: finished or not.
        tally: its counts.
        wall_seconds: time in which it was worked on.
    """
    kept = kept_for(run)
    if kept is None:
        return None
    try:
        return compared(kept, run.header.kind, tally, wall_seconds)
    except (KeyError, TypeError):
        return None  # somebody has changed the file: no report is to fail for that


def compared(kept: Mapping[str, Any], kind: str, tally: Tally, wall_seconds: float) -> Comparison | None:
    """The same for an estimate at hand; None where it says nothing of such a run or nothing is done yet."""
    estimate, place = kept["estimate"], kept["estimate"][kept["compared"]]
    passed = _pass(place, PASSES.get(kind, kind))
    if passed is None or not tally.done or not wall_seconds:
        return None
    said = _Said(kept, kind, passed, tally, wall_seconds)
    return Comparison(
        made=kept["made"],
        sampled=estimate["sampled"],
        confidence=estimate["confidence"],
        place=kept["compared"],
        partial=not tally.complete,
        currency=estimate.get("currency") or "",
        rows=tuple(said.rows()),
        reasons=tuple(said.reasons()),
    )


def _pass(place: Mapping[str, Any] | None, name: str) -> Mapping[str, Any] | None:
    """What is said of a pass; None where nothing can be said."""
    found = next((one for one in place["passes"] if one["name"] == name), None) if place is not None else None
    return found if found is not None and not found["unknown"] else None


class _Said:
    """An estimate of a pass and the counts of its run."""

    def __init__(
        self, kept: Mapping[str, Any], kind: str, passed: Mapping[str, Any], tally: Tally, wall_seconds: float
    ) -> None:
        self._kept, self._estimate = kept, kept["estimate"]
        self._place = self._estimate[kept["compared"]]
        self._kind, self._pass = kind, passed
        self._tally, self._wall = tally, wall_seconds
        self._noun = {"pairs": "pair", "survey": "image"}.get(kind, "picture")
        self._stages = {name: float(seconds) for name, seconds in tally.seconds.items() if name not in WAITING}

    @property
    def _records(self) -> float:
        """That the estimate is of."""
        return float(self._estimate["pairs"] if self._kind == "pairs" else self._kept["records"])

    def rows(self) -> Iterator[Row]:
        """Numbers to compare."""
        work, workers = self._pass["work_seconds"], self._pass["worker_seconds"]
        whole = self._tally.complete
        if whole:
            yield _row("working time", work, self._wall, "duration")
        rate = {"low": "high", "point": "point", "high": "low"}
        speed = {end: self._records / work[other] if work[other] else 0.0 for end, other in rate.items()}
        yield _row(f"{self._noun}s a second", speed, self._tally.done / self._wall, "number")
        spent = sum(self._stages.values())
        if whole:
            yield _row("worker hours", workers, spent, "hours")
        each = {end: workers[end] / self._records if self._records else 0.0 for end in workers}
        yield _row(f"worker seconds a {self._noun}", each, spent / self._tally.done, "number")
        if (faces := self._faces) is not None and self._estimate["faces_per_record"] is not None:
            yield _row(f"faces a {self._noun}", self._estimate["faces_per_record"], faces, "number")
        if whole:
            yield from self._totals()

    def _totals(self) -> Iterator[Row]:
        if self._kind != "pairs":
            yield _row("in quarantine", self._estimate["failures"], self._tally.quarantined, "count")
        outputs = list(self._estimate["storage"]["outputs"].values())
        if self._kind != "survey" and outputs:
            size = {end: sum(each[end] for each in outputs) for end in ("low", "point", "high")}
            yield _row("output", size, self._tally.output_bytes, "bytes")
        price = self._place.get("price_per_hour")
        if price is not None:
            cost = {end: value * price / 3600 for end, value in self._pass["work_seconds"].items()}
            yield _row("machines while at work", cost, self._wall * price / 3600, "money")

    @property
    def _faces(self) -> float | None:
        """That went to the restorer, a record."""
        counts = self._tally.counts
        if "faces_found" not in counts:
            return None
        return (counts["faces_found"] - counts.get("faces_kept:larger_than_model", 0)) / self._tally.done

    def reasons(self) -> Iterator[str]:
        """What was off, and why, as far as it can be told."""
        yield from self._of_number()
        yield from self._of_faces()
        yield from self._of_stages()
        yield from self._of_workers()

    def _of_number(self) -> Iterator[str]:
        planned, expected = self._tally.records_planned, self._records
        if expected and abs(planned / expected - 1) >= NOTABLE / 10:
            yield (
                f"The run has {text.count(planned)} {self._noun}s, and the estimate was of "
                f"{text.count(round(expected))}."
            )

    def _of_faces(self) -> Iterator[str]:
        expected, faces = self._estimate["faces_per_record"], self._faces
        if (
            expected is not None
            and faces is not None
            and expected["point"]
            and abs(faces / expected["point"] - 1) >= NOTABLE
        ):
            yield (
                f"There were {text.number(faces)} faces a {self._noun}, and {text.number(expected['point'])} in the "
                "sample: a larger sample would have come closer."
            )

    def _of_stages(self) -> Iterator[str]:
        """The stage that is off the most, in seconds of all records."""
        expected = self._estimate["stage_seconds"].get(self._pass["name"], {})
        off = {name: seconds / self._tally.done - expected.get(name, 0.0) for name, seconds in self._stages.items()}
        if not off:
            return
        name = max(off, key=lambda stage: abs(off[stage]))
        before, each = expected.get(name, 0.0), self._stages[name] / self._tally.done
        total = sum(expected.get(stage, 0.0) for stage in self._stages)
        if total and abs(off[name]) >= NOTABLE * total:
            yield (
                f"Of all stages, {text.words(name)} was off the most: it took {text.duration(each)} a {self._noun}, "
                f"and {text.duration(before)} in the sample."
            )

    def _of_workers(self) -> Iterator[str]:
        """Workers that waited, or were fewer than was thought."""
        workers = sum(pool["workers"] for pool in self._pass["pools"])
        busy = sum(self._stages.values()) / (self._wall * workers)
        work, spent = self._pass["work_seconds"]["point"], self._pass["worker_seconds"]["point"]
        planned = spent / (work * workers) if work else 0.0
        if self._tally.complete and planned and abs(busy / planned - 1) >= NOTABLE * 1.5:
            yield (
                f"{text.count(workers)} workers were expected to be in the stages for {text.percent(planned, 1.0)} of "
                f"the working time, and it was {text.percent(busy, 1.0)}: "
                + ("they waited, or there were fewer of them." if busy < planned else "there were more of them.")
            )


def _row(label: str, found: Mapping[str, float], fact: float, kind: Any) -> Row:
    return Row(label, found["low"], found["point"], found["high"], float(fact), kind)
