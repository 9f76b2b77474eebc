"""Gathers what was drawn from the records of a run's pairs, in bounded memory."""

from __future__ import annotations

import json
import math
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.pairs.report.bins import histogram
from jobs.pairs.report.data import Draws, StepDraws
from jobs.pairs.report.outline import Planned, is_constant
from jobs.report.text import fact
from operators.degradations.record import AGAIN, FORK, JOIN

MOST_PAIRS = 20_000
"""Pairs whose records are parsed; they are spread evenly over the run's shards."""
MOST_WORDS = 200
"""Different words of a parameter that are counted; no recipe has as many."""
_ENDS = {FORK: "/fork", AGAIN: "/again", JOIN: "/join"}


@dataclass
class _Seen:
    """What was drawn for one step so far."""

    use: str
    both: bool
    pairs: int = 0
    times: int = 0
    numbers: dict[str, array[float]] = field(default_factory=dict)
    words: dict[str, Counter[str]] = field(default_factory=dict)

    def take(self, parameters: Mapping[str, Any]) -> None:
        self.times += 1
        for name, value in parameters.items():
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                self.numbers.setdefault(name, array("d")).append(value)
            else:
                counted = self.words.setdefault(name, Counter())
                word = fact(value)
                if word in counted or len(counted) < MOST_WORDS:
                    counted[word] += 1


class DrawGatherer:
    """Takes the run's table part by part; parses every n-th pair, so that no more than `MOST_PAIRS` are.

    Args:
        pairs: rows of the table, or more.
        plan: of the recipe, from `outline`; empty where it is not known.
        most: pairs that are parsed at most.
    """

    def __init__(self, pairs: int, plan: Sequence[Planned], most: int = MOST_PAIRS) -> None:
        self._stride = max(1, math.ceil(pairs / most))
        self._plan = {planned.id: planned for planned in plan}
        self._steps: dict[str, _Seen] = {}
        self._rows = self._parsed = self._degraded = 0

    def add(self, table: pa.Table) -> None:
        """Take a part of the table: its columns `side` and `record`."""
        alone = pc.equal(table["side"], "B")
        records = table.filter(pc.invert(alone))["record"] if pc.any(alone).as_py() else table["record"]
        self._degraded += len(records)
        first = -self._rows % self._stride
        self._rows += len(records)
        for row in range(first, len(records), self._stride):
            self._take(json.loads(records[row].as_py())["steps"])

    def draws(self) -> Draws:
        """What has been gathered so far."""
        names = [*self._plan, *(name for name in self._steps if name not in self._plan)]
        steps = (self._step(name) for name in names)
        return Draws(self._parsed, self._degraded, tuple(steps))

    def _take(self, steps: Sequence[Mapping[str, Any]]) -> None:
        self._parsed += 1
        done = set()
        for step in steps:
            use = str(step["use"])
            if use in (FORK, AGAIN):
                continue
            name = str(step["id"]).removesuffix(_ENDS.get(use, "")).split("~", 1)[0]
            seen = self._steps.get(name)
            if seen is None:
                seen = self._steps[name] = _Seen(use, bool(step["both"]))
            if name not in done:
                seen.pairs += 1
                done.add(name)
            seen.take(step["parameters"])

    def _step(self, name: str) -> StepDraws:
        plan = self._plan.get(name)
        seen = self._steps.get(name)
        if seen is None:
            assert plan is not None
            seen = _Seen(plan.use, plan.both)
        return StepDraws(
            id=name,
            use=seen.use,
            both=seen.both,
            pairs=seen.pairs,
            times=seen.times,
            expected=None if plan is None else plan.share,
            **_parameters(seen, {} if plan is None else plan.parameters),
        )


def _parameters(seen: _Seen, ranges: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters by kind: what was drawn as numbers, as words, and what has one value only."""
    sorted_out: dict[str, dict[str, Any]] = {"numbers": {}, "words": {}, "constants": {}}
    for name in dict.fromkeys((*ranges, *seen.numbers, *seen.words)):
        value = ranges.get(name)
        if name in ranges and is_constant(value):
            sorted_out["constants"][name] = fact(value)
        elif name in seen.numbers:
            drawn = np.frombuffer(seen.numbers[name], np.float64)
            if name not in ranges and drawn.min() == drawn.max():
                sorted_out["constants"][name] = fact(float(drawn[0]))
            else:
                sorted_out["numbers"][name] = histogram(drawn, value)
        elif name in seen.words:
            counts = seen.words[name]
            if name not in ranges and len(counts) == 1:
                sorted_out["constants"][name] = next(iter(counts))
            else:
                sorted_out["words"][name] = dict(counts.most_common())
    return sorted_out
