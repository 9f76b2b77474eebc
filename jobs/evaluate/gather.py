"""Collects what workers say: a row of numbers a picture, one line of CSV, running sums of features."""

from __future__ import annotations

import csv
import io
from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jobs.evaluate.methods import TRUTH
from jobs.evaluate.plan import Plan
from jobs.evaluate.sides import Picture
from jobs.evaluate.spool import Spool
from jobs.evaluate.worker import Looked, Row

NOTHING = float("nan")
CSV = "evaluation.csv"
REFERENCE = "reference"


@dataclass
class OfMethod:
    """All that is known of a method.

    Attributes:
        values: by measure: one number a picture, NaN where there is none.
        faces: how many faces were found how.
        errors: how many pictures could not be measured, by code.
        examples: the first message of each code, with the picture's name.
        spool: features; None where sets are not compared.
    """

    values: dict[str, array[float]]
    faces: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    spool: Spool | None = None

    def column(self, measure: str) -> NDArray[np.float64]:
        """(N,) of a measure."""
        return np.asarray(self.values[measure], np.float64)

    def take(self, name: str, row: Row) -> None:
        """Count one picture."""
        for measure, column in self.values.items():
            value = row.values.get(measure)
            column.append(NOTHING if value is None else value)
        if row.error:
            self.errors[row.error] += 1
            self.examples.setdefault(row.error, f"{name}: {row.message}")
        if row.face:
            self.faces[row.face] += 1
        if self.spool is not None and row.vector is not None:
            self.spool.add(row.vector)


@dataclass
class Shown:
    """A picture of the sheet.

    Attributes:
        name: of the picture.
        pictures: by column: `input`, a method's name, `truth`; those that there are.
    """

    name: str
    pictures: dict[str, Picture]


@dataclass
class Gathered:
    """Everything that was measured.

    Attributes:
        methods: by name.
        truth: of the truth itself, where there is one.
        reference: the set that others are compared with; None where that is the truth, or nothing.
        sheet: pictures to be shown.
        pictures: how many were looked at.
    """

    methods: dict[str, OfMethod]
    truth: OfMethod | None
    reference: OfMethod | None
    sheet: list[Shown] = field(default_factory=list)
    pictures: int = 0


def gather(plan: Plan, results: Iterable[Looked], scratch: Path) -> Gathered:
    """Take in all results.

    Args:
        plan: what was asked.
        results: in the order of its tasks.
        scratch: an empty local folder for the CSV and for features; it has to live as long as the result.
    """
    measures = plan.settings.measures
    number = iter(range(1000))

    def empty(names: tuple[str, ...], compared: bool) -> OfMethod:
        spool = Spool(scratch / f"{next(number)}.features") if compared and plan.settings.features else None
        return OfMethod({name: array("d") for name in names}, spool=spool)

    gathered = Gathered(
        {method.name: empty(measures, True) for method in plan.methods},
        empty(measures, plan.reference is None) if plan.truth is not None else None,
        empty((), True) if plan.reference is not None else None,
    )
    with (scratch / CSV).open("w", encoding="utf-8", newline="") as file:
        file.write(_line(["picture", "method", *measures, "face", "error", "message"]))
        for looked in results:
            if looked.is_reference:
                if gathered.reference is not None and looked.truth is not None:
                    gathered.reference.take(looked.name, looked.truth)
                continue
            gathered.pictures += 1
            for method, row in zip(plan.methods, looked.rows, strict=True):
                gathered.methods[method.name].take(looked.name, row)
                file.write(_fields(looked.name, method.name, measures, row))
            if gathered.truth is not None and looked.truth is not None:
                gathered.truth.take(looked.name, looked.truth)
            if looked.name in plan.sheet:
                gathered.sheet.append(_shown(plan, looked))
    return gathered


def _shown(plan: Plan, looked: Looked) -> Shown:
    pictures: dict[str, Picture] = {}
    if looked.given is not None and all(method.kind != "input" for method in plan.methods):
        pictures["input"] = looked.given
    for method, row in zip(plan.methods, looked.rows, strict=True):
        if row.shown is not None:
            pictures[method.name] = row.shown
    if looked.truth is not None and looked.truth.shown is not None:
        pictures[TRUTH] = looked.truth.shown
    return Shown(looked.name, pictures)


def _fields(name: str, method: str, measures: tuple[str, ...], row: Row) -> str:
    values = [row.values.get(measure) for measure in measures]
    numbers = ["" if value is None else f"{value:.6g}" for value in values]
    return _line([name, method, *numbers, row.face, row.error, row.message])


def _line(fields: list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(fields)
    return buffer.getvalue()
