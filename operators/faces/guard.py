"""Keeps a face that is larger than a restorer's largest crop from being thrown away to a smaller one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SizeDecision = Literal["restore", "keep_larger"]


@dataclass(frozen=True)
class SizeGuard:
    """What to do with faces larger than the largest crop.

    Attributes:
        max_reduction: source pixels per crop pixel up to which a face is restored all the same; at least 1.
        on_larger: what happens to a face beyond it: `keep_larger` leaves the original pixels alone, `restore` shrinks
            the face because the job asked for it.
    """

    max_reduction: float = 1.25
    on_larger: SizeDecision = "keep_larger"

    def __post_init__(self) -> None:
        if not self.max_reduction >= 1.0:
            raise ValueError(f"max_reduction {self.max_reduction}: expected 1 or more source pixels per crop pixel")
        if self.on_larger not in ("restore", "keep_larger"):
            raise ValueError(f"on_larger {self.on_larger!r}: expected 'restore' or 'keep_larger'")

    def decide(self, reduction: float) -> SizeDecision:
        """Decide for one face.

        Args:
            reduction: source pixels per crop pixel at the size that `choose_size` gave.
        """
        return "restore" if reduction <= self.max_reduction else self.on_larger
