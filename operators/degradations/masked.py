"""Which degradations, and so which recipes, say where they have done damage."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from operators.degradations.recipe import Recipe, Step, inside

MASKED = frozenset(
    {
        "completion",
        "cracks",
        "dust",
        "fold",
        "foxing",
        "missing-corner",
        "retouching",
        "salt-and-pepper",
        "scratches",
        "silver-mirroring",
        "stain",
        "strokes",
        "tear",
    }
)
"""Degradations that give a mask, whatever their parameters."""


def makes_masks(recipe: Recipe) -> bool:
    """Whether pairs of a recipe can have masks; one of them may have none, where no such step was drawn for it."""
    return _masked(recipe.steps)


def _masked(nodes: Iterable[Any]) -> bool:
    return any(node.use in MASKED if isinstance(node, Step) else _masked(inside(node)) for node in nodes)
