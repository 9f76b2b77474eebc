"""What is wrong with a recipe beyond its form: unknown names, values that a parameter cannot take, doubled ids."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from operators.degradations.contract import Degradation
from operators.degradations.distributions import extremes
from operators.degradations.problems import KeyPath, Problem, dotted, meant, shown
from operators.degradations.recipe import MOST_STEPS, OneOf, Recipe, Repeat, Shuffle, Step, Uneven, identity
from operators.degradations.table import DEGRADATIONS

MOST_REPEATS = 8


def check(recipe: Recipe) -> list[Problem]:
    """Everything that is wrong between keys."""
    problems: list[Problem] = []
    seen: dict[str, KeyPath] = {}
    for path, node in _walk(("steps",), recipe.steps):
        problems.extend(_check_node(path, node))
        name = identity(node)
        if name in seen:
            message = f"has the id '{name}', which {dotted(seen[name])} has too; give one of them an id of its own"
            problems.append(Problem(path, message))
        seen.setdefault(name, path)
    if not problems and (most := sum(map(_most, recipe.steps))) > MOST_STEPS:
        problems.append(Problem(("steps",), f"found up to {most} steps with repeats, expected at most {MOST_STEPS}"))
    return problems


def _walk(path: KeyPath, nodes: Any) -> Iterator[tuple[KeyPath, Any]]:
    for index, node in enumerate(nodes):
        here = (*path, index)
        yield here, node
        if isinstance(node, OneOf):
            for number, way in enumerate(node.one_of):
                yield from _walk((*here, "one_of", number, "steps"), way.steps)
        elif isinstance(node, Shuffle):
            yield from _walk((*here, "shuffle"), node.shuffle)
        elif not isinstance(node, Step):
            yield from _walk((*here, "steps"), node.steps)


def _check_node(path: KeyPath, node: Any) -> Iterator[Problem]:
    if isinstance(node, Step):
        yield from _check_step(path, node)
    elif isinstance(node, OneOf):
        if not any(way.weight > 0 for way in node.one_of):
            yield Problem((*path, "one_of"), "found weights that are all 0, expected one above it")
    elif isinstance(node, Repeat):
        for count in extremes(node.repeat):
            if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= MOST_REPEATS:
                message = f"found {shown(count)}, expected a whole number from 0 to {MOST_REPEATS}"
                yield Problem((*path, "repeat"), message)
                break
    elif isinstance(node, Uneven):
        for side in extremes(node.uneven):
            if isinstance(side, (bool, str)) or not 0 < side <= 1:
                yield Problem((*path, "uneven"), f"found {shown(side)}, expected a number above 0, at most 1")
                break


def _check_step(path: KeyPath, step: Step) -> Iterator[Problem]:
    degradation = DEGRADATIONS.get(step.use)
    if degradation is None:
        yield Problem((*path, "use"), f"unknown degradation {shown(step.use)}{meant(step.use, DEGRADATIONS)}")
        return
    fields = degradation.model_fields
    for name, value in step.parameters.items():
        here = (*path, "parameters", name)
        if name not in fields:
            yield Problem(here, f"{step.use} has no such parameter{meant(name, fields)}")
            continue
        for extreme in extremes(value):
            if message := refusal(degradation, name, extreme):
                yield Problem(here, message)
                break
    for name, field in fields.items():
        if field.is_required() and name not in step.parameters:
            yield Problem((*path, "parameters", name), f"missing; {step.use} needs it: {field.description}")


def refusal(degradation: type[Degradation], name: str, value: Any) -> str | None:
    """Why a parameter cannot take a value; None if it can."""
    try:
        _adapter(degradation, name).validate_python(value)
    except ValidationError as error:
        message = error.errors()[0]["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
        return f"found {shown(value)}, expected {message.removeprefix('expected ')}"
    return None


@cache
def _adapter(degradation: type[Degradation], name: str) -> TypeAdapter[Any]:
    field = degradation.model_fields[name]
    return TypeAdapter(field.rebuild_annotation(), config=ConfigDict(strict=True, allow_inf_nan=False))


def _most(node: Any) -> int:
    """Steps that a node can become at most."""
    if isinstance(node, Step):
        return 1
    if isinstance(node, OneOf):
        return max(sum(map(_most, way.steps)) for way in node.one_of)
    if isinstance(node, Shuffle):
        return sum(map(_most, node.shuffle))
    inner = sum(map(_most, node.steps))
    if isinstance(node, Repeat):
        return inner * max(int(count) for count in extremes(node.repeat))
    return 2 * inner + 3 if isinstance(node, Uneven) else inner
