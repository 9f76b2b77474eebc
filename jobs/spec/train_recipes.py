"""The recipes of a train job: read, checked, and written out where they stand in files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jobs.spec.degrade import Degrade
from jobs.spec.problems import Finding, KeyPath, describe
from jobs.spec.recipe_reading import settled
from jobs.spec.recipes import PATH, written_out
from operators.degradations.reading import from_data
from operators.degradations.shipped import shipped

AT: KeyPath = ("data", "recipes")
MOST_WEIGHT = 1_000_000.0
EXPECTED = "expected a weight above 0, or a mapping of weight and recipe"


def settled_recipes(recipes: dict[str, Any] | None, folder: Path) -> tuple[dict[str, Any] | None, list[Finding]]:
    """Check recipes, and take into the job what files hold.

    Args:
        recipes: as in the job file: a weight for a name or a file, or a mapping of `weight` and `recipe`.
        folder: absolute, what relative paths are relative to.

    Returns:
        The recipes, a weight for each shipped one, and a mapping for all others. And what is wrong with them.
    """
    if recipes is None:
        return None, []
    kept: dict[str, Any] = {}
    findings: list[Finding] = []
    for name, value in recipes.items():
        kept[name], problems = _written(name, value, folder) if isinstance(value, dict) else _named(name, value, folder)
        findings += problems
    return kept, findings


def recipes_data(recipes: dict[str, Any]) -> dict[str, Any]:
    """All of the recipes of a loaded job that samples depend on."""
    return {
        name: {"weight": float(value["weight"]), "recipe": written_out(from_data(value["recipe"], name))}
        if isinstance(value, dict)
        else {"weight": float(value), "recipe": written_out(shipped(name))}
        for name, value in recipes.items()
    }


def _named(name: str, weight: Any, folder: Path) -> tuple[Any, list[Finding]]:
    findings = _weight(weight, (*AT, name))
    degrade, problems = settled(Degrade.model_construct(recipe=name), folder)
    findings += [Finding((*AT, name), each.message, at_key=True, within=each.within) for each in problems]
    recipe = degrade.recipe
    return (weight if isinstance(recipe, str) else {"weight": weight, "recipe": recipe}), findings


def _written(name: str, value: dict[str, Any], folder: Path) -> tuple[Any, list[Finding]]:
    findings = [
        Finding((*AT, name, key), f"unknown key; {EXPECTED}", at_key=True)
        for key in value.keys() - {"weight", "recipe"}
    ]
    findings += [
        Finding((*AT, name), f"missing '{key}: ...'; {EXPECTED}", at_key=True)
        for key in ("weight", "recipe")
        if key not in value
    ]
    if "weight" in value:
        findings += _weight(value["weight"], (*AT, name, "weight"))
    at, recipe = (*AT, name, "recipe"), value.get("recipe")
    if isinstance(recipe, dict):
        _, problems = settled(Degrade.model_construct(recipe=recipe), folder)
        findings += [Finding((*at, *each.path[len(PATH) :]), each.message, each.at_key) for each in problems]
    elif "recipe" in value:
        message = f"found {describe(recipe)}, expected a recipe written out; a name or a file stands as the key itself"
        findings.append(Finding(at, message))
    return value, findings


def _weight(value: Any, at: KeyPath) -> list[Finding]:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= MOST_WEIGHT:
        return []
    return [Finding(at, f"found {describe(value)}; {EXPECTED}")]
