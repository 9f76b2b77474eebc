"""What is wrong with a training, told from the rows of its curve: numbers that are none, divergence, collapse."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any


class UnhealthyError(Exception):
    """A training went wrong a second time, after it had been rolled back once."""


@dataclass(frozen=True)
class Limits:
    """When a training is called unhealthy.

    Attributes:
        times: the watched term above so many times its running median is far off.
        far_rows: in so many logged rows one after the other, and it has diverged.
        memory: rows that the median is taken of.
        least: rows before which nothing is called far off: a term settles first.
        still: a discriminator's loss below this tells no picture from a made one any more; the logistic loss is 1.39
            and the least squares one 0.5 where it guesses.
        still_rows: in so many logged rows one after the other, and it has collapsed.
    """

    times: float = 5.0
    far_rows: int = 5
    memory: int = 50
    least: int = 10
    still: float = 1e-3
    still_rows: int = 30


class Health:
    """Watches the rows of a curve.

    Args:
        watched: term by which divergence is noticed; empty for none.
        limits: see there.
    """

    def __init__(self, watched: str, limits: Limits = Limits()) -> None:
        self._watched = watched
        self._limits = limits
        self._phase = ""
        self._values: list[float] = []
        self._far = 0
        self._still: dict[str, int] = {}

    def look(self, terms: Mapping[str, float], phase: str = "") -> str:
        """Look at a row.

        Args:
            terms: means of the terms over the steps of the row, unweighted.
            phase: what was trained in the row's last step; where it changes, the running median begins anew.

        Returns:
            What is wrong, for people; empty where nothing is.
        """
        for name, value in terms.items():
            if not math.isfinite(value):
                return f"the term {name} is {value}"
        if phase != self._phase:
            self._phase, self._values, self._far = phase, [], 0
        return self._diverged(terms) or self._collapsed(terms)

    @property
    def sound(self) -> bool:
        """Whether nothing points to what would be wrong if it went on."""
        return self._far == 0 and not any(self._still.values())

    def state(self) -> dict[str, Any]:
        """What was seen so far."""
        return {"phase": self._phase, "values": list(self._values), "far": self._far, "still": dict(self._still)}

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self._phase = str(state["phase"])
        self._values = [float(value) for value in state["values"]]
        self._far = int(state["far"])
        self._still = {str(name): int(count) for name, count in state["still"].items()}

    def _diverged(self, terms: Mapping[str, float]) -> str:
        limits, value = self._limits, terms.get(self._watched)
        if value is None:
            return ""
        usual = median(self._values) if len(self._values) >= limits.least else math.inf
        if value > limits.times * usual:
            # It is kept out of the median, which would otherwise grow into what it is to be told from.
            self._far += 1
        else:
            self._far = 0
            self._values = [*self._values, value][-limits.memory :]
        if self._far < limits.far_rows:
            return ""
        return (
            f"the term {self._watched} has diverged: it is {value:.4g}, and was above {limits.times:g} times its "
            f"running median of {usual:.4g} in {self._far} rows one after the other"
        )

    def _collapsed(self, terms: Mapping[str, float]) -> str:
        limits = self._limits
        for name, value in terms.items():
            if not _rivals(name):
                continue
            # A Wasserstein critic's is negative and may come near 0 from there.
            still = self._still.get(name, 0) + 1 if 0.0 <= value < limits.still else 0
            self._still[name] = still
            if still >= limits.still_rows:
                return (
                    f"the game has collapsed: the term {name} is {value:.2g}, and was below {limits.still:g} in "
                    f"{still} rows one after the other, so that the generator learns nothing from it any more"
                )
        return ""


def _rivals(name: str) -> bool:
    """Whether a term is the loss of a discriminator."""
    return name == "discriminator" or name.startswith("discriminator_") or name.endswith("_discriminator")
