"""Pairs per second of the gfpgan and the real-esrgan recipe beside a straightforward implementation, in one run."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

from benchmarks.pairs.crew import Maker, Work, crew
from benchmarks.pairs.plain import RECIPES
from benchmarks.pairs.report import Case, Figures, data, table

MAKERS: tuple[Maker, ...] = ("plain", "ours")
LIBRARIES = ("numpy", "opencv-python-headless", "scipy")


def measure(recipes: list[str], processes: int, side: int, pairs: int, rounds: int) -> list[Figures]:
    """Rates of all cases, round after round.

    Every case of a round makes the same variants, in each process, and the cases follow each other at once, so that
    what else the machine does hits all alike. Each process is warmed up with other variants first.
    """
    cases: list[Case] = [(maker, count) for count in sorted({1, processes}) for maker in MAKERS]
    figures = [Figures(name, {case: [] for case in cases}, {case: [] for case in cases}) for name in recipes]
    with ExitStack() as stack:
        do = {maker: stack.enter_context(crew(maker, processes, side)) for maker in MAKERS}
        for name in recipes:
            for maker in MAKERS:
                do[maker](Work(name, 1 << 20, min(pairs, 10)), processes)
        for number in range(rounds):
            for each in figures:
                work = Work(each.recipe, number * pairs, pairs)
                for maker, count in cases:
                    spent = do[maker](work, count)
                    each.rates[maker, count].append(count * pairs / spent.seconds)
                    each.cpu[maker, count].append(1e3 * spent.cpu / (count * pairs))
    return figures


def main() -> None:
    """Print a table for each recipe; `--json` writes every round as well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipes", nargs="+", choices=tuple(RECIPES), default=list(RECIPES))
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--pairs", type=int, default=40, help="each process makes in a round")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--tiny", action="store_true", help="64 px, two pairs, one round: whether it runs")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    given, _ = parser.parse_known_args()
    side, pairs, rounds = (64, 2, 1) if given.tiny else (given.side, given.pairs, given.rounds)
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    sys.stdout.write(
        f"training pairs at {side} px, {pairs} pairs a process and round, median of {rounds} rounds (least .. most), "
        f"{libraries}; PNG left out of both\n"
    )
    sys.stdout.flush()
    figures = measure(given.recipes, given.processes, side, pairs, rounds)
    sys.stdout.write("".join(map(table, figures)))
    if given.json is not None:
        settings = {"side": side, "pairs": pairs, "rounds": rounds, "processes": given.processes}
        given.json.write_text(json.dumps({**settings, "recipes": [data(each) for each in figures]}, indent=1) + "\n")


if __name__ == "__main__":
    main()
