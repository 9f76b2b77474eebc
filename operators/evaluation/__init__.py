"""How good pictures are, beside what they should be: measures of each, distances between sets, how sure one can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from operators.evaluation.measures import Measured, Measures, Truth

__all__ = ["Measured", "Measures", "Truth"]


def __getattr__(name: str) -> object:
    """`measures` imports torch, which takes seconds, and most of this package does without."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from operators.evaluation import measures  # noqa: PLC0415

    return getattr(measures, name)
