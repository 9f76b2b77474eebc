"""What is to be measured: one task a picture, and all that a worker has to know besides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from jobs.evaluate.methods import Method
from jobs.evaluate.sides import Side
from pipeline.records import Record


@dataclass(frozen=True)
class Network:
    """A model of the cache that measures need.

    Attributes:
        name: of the model.
        path: of its file.
        sha256: of its content.
        layer: of which features are taken; empty for the usual one.
    """

    name: str
    path: Path
    sha256: str
    layer: str = ""


@dataclass(frozen=True)
class Settings:
    """How pictures are measured; picklable.

    Attributes:
        measures: names of measures of pictures.
        template: alignment of square pictures in which no face is found.
        resize: whether results of another size than the truth are brought to it.
        vgg: for LPIPS; None where it is not measured.
        features: what sets are compared by: `sface`, a model, or None for not at all.
        seed: of restorers that draw, and of the statistics.
        shown_side: longer side of pictures for the sheet.
    """

    measures: tuple[str, ...]
    template: str = "ffhq"
    resize: bool = False
    vgg: Network | None = None
    features: Network | Literal["sface"] | None = None
    seed: int = 0
    shown_side: int = 192


@dataclass(frozen=True)
class Plan:
    """Everything that is compared.

    Attributes:
        methods: in the order of the tables' rows.
        truth: None for a set without one.
        inputs: what restorers and baselines are given; None where there is none.
        reference: a set of good pictures to compare sets with; None for the truth, or for nothing.
        settings: how.
        names: of the pictures, sorted.
        sheet: those of them that are shown.
    """

    methods: tuple[Method, ...]
    truth: Side | None
    inputs: Side | None
    reference: Side | None
    settings: Settings
    names: tuple[str, ...]
    sheet: frozenset[str] = field(default=frozenset())

    def bare(self) -> Plan:
        """Without lists of pictures, for workers."""
        return replace(
            self,
            methods=tuple(replace(one, side=one.side and one.side.bare()) for one in self.methods),
            truth=self.truth and self.truth.bare(),
            inputs=self.inputs and self.inputs.bare(),
            reference=self.reference and self.reference.bare(),
            names=(),
            sheet=frozenset(),
        )

    def tasks(self) -> Iterator[Task]:
        """One a picture, then one for each of the reference set."""
        for name in self.names:
            yield Task(
                name,
                self.truth.records.get(name) if self.truth else None,
                self.inputs.records.get(name) if self.inputs else None,
                tuple(method.side.records.get(name) if method.side else None for method in self.methods),
                shown=name in self.sheet,
            )
        for name, record in self.reference.records.items() if self.reference else ():
            yield Task(name, reference=record)


@dataclass(frozen=True)
class Task:
    """One picture.

    Attributes:
        name: of the picture.
        truth: where it lies; None where there is none.
        given: the input likewise.
        made: likewise of each method, None for those that make it here.
        shown: whether it is for the sheet.
        reference: of a picture of the reference set, and then nothing else.
    """

    name: str
    truth: Record | None = None
    given: Record | None = None
    made: tuple[Record | None, ...] = ()
    shown: bool = False
    reference: Record | None = None


def evenly(names: tuple[str, ...], count: int) -> frozenset[str]:
    """Some names with equal steps between them, whatever came out of their pictures."""
    count = min(count, len(names))
    if count < 2:
        return frozenset(names[:count])
    return frozenset(names[round(place * (len(names) - 1) / (count - 1))] for place in range(count))
