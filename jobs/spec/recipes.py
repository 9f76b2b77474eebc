"""The recipe of a loaded pairs job, and all of it that its pairs depend on; no file is needed for either."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jobs.spec.degrade import Degrade
from jobs.spec.pairs import PairsJob
from operators.degradations.reading import from_data
from operators.degradations.recipe import Recipe, Step, inside
from operators.degradations.shipped import shipped
from operators.degradations.table import DEGRADATIONS

PATH = ("degrade", "recipe")


def recipe_of(job: PairsJob) -> Recipe:
    """The recipe of a loaded job. Reads no file of the user's.

    Args:
        job: from `load`, so that its recipe is a mapping or a shipped recipe's name.

    Raises:
        RecipeError: the job was not loaded from a file, and its recipe is none.
    """
    return recipe_in(job.degrade)


def recipe_in(degrade: Degrade) -> Recipe:
    """The recipe in the block `degrade` of a loaded job.

    Raises:
        RecipeError: the recipe is none.
    """
    given = degrade.recipe
    return shipped(given) if isinstance(given, str) else from_data(given, ".".join(PATH))


def plain(recipe: Recipe) -> dict[str, Any]:
    """A recipe as data that makes the same recipe again; what has its default is written out."""
    dumped: dict[str, Any] = recipe.model_dump(mode="json", exclude_none=True)
    return dumped


def recipe_data(job: PairsJob) -> dict[str, Any]:
    """All of a job's recipe that its pairs depend on: itself as `plain` data, and the versions of its `degradations`.

    Raises:
        RecipeError: as `recipe_of`.
    """
    return written_out(recipe_of(job))


def written_out(recipe: Recipe) -> dict[str, Any]:
    """All of a recipe that its pairs depend on: itself as `plain` data, and the versions of its `degradations`."""
    used = sorted({step.use for node in recipe.steps for step in _steps(node)})
    return {**plain(recipe), "degradations": {name: DEGRADATIONS[name].version for name in used}}


def _steps(node: Any) -> Iterator[Step]:
    if isinstance(node, Step):
        yield node
    for inner in inside(node):
        yield from _steps(inner)
