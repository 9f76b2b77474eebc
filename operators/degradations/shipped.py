"""The recipes that come with the package, by name."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from operators.degradations.problems import Problem, RecipeError, meant, shown
from operators.degradations.reading import parse
from operators.degradations.recipe import Recipe

_PREFIX, _SUFFIX = "recipe-", ".yaml"


@cache
def names() -> tuple[str, ...]:
    """Names of all shipped recipes, in alphabetical order."""
    found = (entry.name for entry in (files("operators") / "data").iterdir())
    return tuple(
        sorted(
            name.removeprefix(_PREFIX).removesuffix(_SUFFIX)
            for name in found
            if name.startswith(_PREFIX) and name.endswith(_SUFFIX)
        )
    )


def text_of(name: str) -> str:
    """A shipped recipe as it is written, to begin one's own from.

    Raises:
        RecipeError: there is none of this name.
    """
    if name not in names():
        raise RecipeError("recipe", [Problem((), f"unknown recipe {shown(name)}{meant(name, names())}")])
    return (files("operators") / "data" / f"{_PREFIX}{name}{_SUFFIX}").read_text(encoding="utf-8")


@cache
def shipped(name: str) -> Recipe:
    """A shipped recipe.

    Raises:
        RecipeError: there is none of this name.
    """
    return parse(text_of(name), name)
