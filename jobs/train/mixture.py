"""The recipes of a train job as they are drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from operators.degradations.reading import from_data
from operators.degradations.shipped import shipped
from operators.training.data.degrading import Mixture


def mixture_of(recipes: Mapping[str, Any] | None) -> Mixture | None:
    """The recipes of a loaded job, in the order of their names; None where it has none.

    Args:
        recipes: a weight for a shipped recipe's name, or a mapping of `weight` and `recipe`.

    Raises:
        RecipeError: the job was not loaded from a file, and one is no recipe.
    """
    if not recipes:
        return None
    names = sorted(recipes)
    read = [
        from_data(recipes[name]["recipe"], f"data.recipes.{name}") if isinstance(recipes[name], dict) else shipped(name)
        for name in names
    ]
    weights = [recipes[name]["weight"] if isinstance(recipes[name], dict) else recipes[name] for name in names]
    return Mixture(tuple(read), tuple(float(weight) for weight in weights))
