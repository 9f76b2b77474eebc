"""What the rounds of the benchmark come to."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from benchmarks.pairs.crew import Maker

Case = tuple[Maker, int]
"""An implementation and a number of processes."""


NAMES: Mapping[Maker, str] = MappingProxyType({"plain": "straightforward", "ours": "ours"})


@dataclass(frozen=True)
class Figures:
    """Pairs per second of one recipe, round by round.

    Attributes:
        recipe: its name.
        rates: of each case; the rounds in the same order in each.
        cpu: processor time of a pair in milliseconds, likewise.
    """

    recipe: str
    rates: Mapping[Case, list[float]]
    cpu: Mapping[Case, list[float]]

    def ratios(self, above: Case, below: Case) -> list[float]:
        """One case's rate over another's, in each round."""
        return [first / second for first, second in zip(self.rates[above], self.rates[below], strict=True)]

    def compared(self) -> dict[str, list[float]]:
        """The ratios that are aimed at, by what they are called."""
        most = max(processes for _, processes in self.rates)
        named = {"ours / straightforward, 1 process each": self.ratios(("ours", 1), ("plain", 1))}
        named["the same by processor time"] = [
            theirs / own for theirs, own in zip(self.cpu["plain", 1], self.cpu["ours", 1], strict=True)
        ]
        if most > 1:
            each, alone = f"{most} processes", "1 process"
            named[f"ours / straightforward, {each} each"] = self.ratios(("ours", most), ("plain", most))
            named[f"ours, {each} / straightforward, {alone}"] = self.ratios(("ours", most), ("plain", 1))
            for maker, name in NAMES.items():
                linear = [ratio / most for ratio in self.ratios((maker, most), (maker, 1))]
                named[f"{name}: share of linear, {alone} to {each}"] = linear
        return named


def table(figures: Figures) -> str:
    """Rates and ratios of a recipe as lines."""
    lines = [f"{figures.recipe}"]
    for (maker, processes), rates in figures.rates.items():
        many = f"{processes} process{'es' if processes > 1 else ''}"
        used = statistics.median(figures.cpu[maker, processes])
        lines.append(f"  {NAMES[maker]:15s} {many:12s} {_row(rates, 1)} pairs/s  {used:7.2f} ms CPU a pair")
    lines.extend(f"  {name:58s} {_row(ratios, 2)}" for name, ratios in figures.compared().items())
    return "\n".join(lines) + "\n"


def data(figures: Figures) -> dict[str, object]:
    """The same for machines: every round, and medians."""
    return {
        "recipe": figures.recipe,
        "pairs_per_second": {
            f"{maker}-{processes}": list(rates) for (maker, processes), rates in figures.rates.items()
        },
        "ratios": {
            name: {"median": statistics.median(ratios), "least": min(ratios), "most": max(ratios)}
            for name, ratios in figures.compared().items()
        },
    }


def _row(values: Sequence[float], places: int) -> str:
    middle = f"{statistics.median(values):8.{places}f}"
    return f"{middle} ({min(values):.{places}f} .. {max(values):.{places}f})"
