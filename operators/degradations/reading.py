"""Text and plain data to a recipe: the way in, where everything that is wrong is said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from operators.degradations.checks import check
from operators.degradations.problems import KeyPath, Problem, RecipeError, shown
from operators.degradations.recipe import Recipe

MAX_BYTES = 256 * 1024
MAX_DEPTH = 24
"""Nesting that no recipe needs; PyYAML and pydantic follow it by recursion."""
MAX_NODES = 20_000


class _Loader(yaml.SafeLoader):
    """Refuses what recipes have no use for: aliases, which can stand for billions of values, tags and doubled keys."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise _refused("found an alias; write the values out", event)
        if getattr(event, "tag", None) is not None:
            raise _refused("found a tag; put text in quotes", event)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _refused(f"found more than {MAX_DEPTH} levels of nesting", event)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refused("found a list or mapping as a key", key)
            if key.value in seen:
                raise _refused(f"found the key {shown(key.value)} twice", key)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _refused(problem: str, place: Any) -> yaml.MarkedYAMLError:
    """The error for something at an event or a node."""
    return yaml.MarkedYAMLError(problem=problem, problem_mark=place.start_mark)


def parse(text: str, name: str = "recipe") -> Recipe:
    """Read a recipe from YAML.

    Args:
        text: one mapping.
        name: what messages call it.

    Raises:
        RecipeError: with everything that is wrong.
    """
    if len(text) > MAX_BYTES:
        raise RecipeError(name, [Problem((), f"found more than {MAX_BYTES // 1024} KiB, expected a short YAML file")])
    try:
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 (a SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise RecipeError(name, [Problem((), f"{where}{error.problem or error.context or 'no YAML'}")]) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise RecipeError(name, [Problem((), f"cannot be read as YAML: {shown(str(error), 200)}")]) from None
    return from_data(data, name)


def from_data(data: Any, name: str = "recipe") -> Recipe:
    """Read a recipe from plain data, as a job file holds it.

    Args:
        data: mappings, lists, text, numbers and booleans.
        name: what messages call it.

    Raises:
        RecipeError: with everything that is wrong; each problem has the keys that lead to it.
    """
    if not isinstance(data, Mapping):
        raise RecipeError(name, [Problem((), f"found {shown(data)}, expected a mapping with recipe, source and steps")])
    if _measure(data, 0, [0]):
        message = f"found more than {MAX_DEPTH} levels or {MAX_NODES} values, expected a short recipe"
        raise RecipeError(name, [Problem((), message)])
    try:
        recipe = Recipe.model_validate(data)
    except ValidationError as error:
        raise RecipeError(name, [_problem(each) for each in error.errors()]) from None
    problems = check(recipe)
    if problems:
        raise RecipeError(name, problems)
    return recipe


def _measure(value: Any, depth: int, count: list[int]) -> bool:
    """Whether data is too deep or too much; counts what aliases or references repeat each time."""
    count[0] += 1
    if depth > MAX_DEPTH or count[0] > MAX_NODES:
        return True
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    return any(_measure(item, depth + 1, count) for item in inner)


def _problem(error: ErrorDetails) -> Problem:
    path: KeyPath = tuple(part for part in error["loc"] if not (isinstance(part, str) and part.startswith("<")))
    message = error["msg"][0].lower() + error["msg"][1:]
    if error["type"] == "extra_forbidden":
        return Problem(path, "unknown key; remove it, or see docs/recipes.md for the keys there are")
    if error["type"] == "missing":
        return Problem(path, "missing; this key is needed")
    asked = message.removeprefix("input should be ")
    return Problem(path, f"found {shown(error['input'])}, {asked if asked == message else f'expected {asked}'}")
