"""What a recipe says of each of its steps: how likely it is done, and which values its parameters may take."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from operators.degradations.contract import layout
from operators.degradations.distributions import Choice, Integer, LogUniform, Uniform
from operators.degradations.recipe import Group, OneOf, Recipe, Repeat, Shuffle, Step, Uneven, identity
from operators.degradations.record import JOIN
from operators.degradations.table import DEGRADATIONS

SQUARE = (Uniform(uniform=(0.0, 1.0)), Uniform(uniform=(0.0, 1.0)))


@dataclass(frozen=True)
class Planned:
    """A step as the recipe has it.

    Attributes:
        id: of the step.
        use: the degradation.
        both: whether the target gets it too.
        share: of pairs in which it is done at least once, 0 to 1.
        parameters: constants and distributions, in the order of the degradation's fields.
    """

    id: str
    use: str
    both: bool
    share: float
    parameters: dict[str, Any] = field(default_factory=dict)


def outline(recipe: Recipe) -> list[Planned]:
    """Steps of a recipe in its order; what a `uneven` draws for its square stands behind its steps."""
    return _all(recipe.steps)


def _all(nodes: Iterable[Any]) -> list[Planned]:
    return [planned for node in nodes for planned in _each(node)]


def _each(node: Any) -> list[Planned]:
    likely = float(node.probability)
    if isinstance(node, Step):
        return [Planned(identity(node), node.use, node.both, likely, _parameters(node))]
    if isinstance(node, OneOf):
        weights = sum(way.weight for way in node.one_of)
        inner = [_scaled(planned, way.weight / weights) for way in node.one_of for planned in _all(way.steps)]
        return [_scaled(planned, likely) for planned in inner]
    if isinstance(node, Repeat):
        return [replace(planned, share=likely * _repeated(planned.share, node)) for planned in _all(node.steps)]
    if isinstance(node, Uneven):
        inner = _all(node.steps)
        steps = [replace(each, share=1 - (1 - each.share) * (1 - likely * each.share)) for each in inner]
        square = dict(zip(("side", "left", "top"), (node.uneven, *SQUARE), strict=True))
        return [*steps, Planned(identity(node), JOIN, False, likely, square)]
    inner = _all(node.shuffle if isinstance(node, Shuffle) else node.steps)
    assert isinstance(node, (Group, Shuffle))
    return [_scaled(planned, likely) for planned in inner]


def _scaled(planned: Planned, factor: float) -> Planned:
    return replace(planned, share=planned.share * factor)


def _repeated(share: float, node: Repeat) -> float:
    """How likely a step is done at least once, where each time it is done with `share`."""
    return 1 - sum(chance * (1 - share) ** times for times, chance in chances(node.repeat).items())


def _parameters(step: Step) -> dict[str, Any]:
    return {name: step.parameters.get(name, default) for name, default, _ in layout(DEGRADATIONS[step.use])}


def chances(value: Any) -> dict[int, float]:
    """How likely each whole number of a constant, an `integer` or a `choice` of such is."""
    if isinstance(value, Integer):
        low, high = value.integer
        numbers = range(low, high + 1, value.step)
        return dict.fromkeys(numbers, 1 / len(numbers))
    if isinstance(value, Choice):
        total: dict[int, float] = {}
        for share, item in ways(value):
            for number, chance in chances(item).items():
                total[number] = total.get(number, 0.0) + share * chance
        return total
    return {int(value): 1.0}


def ways(choice: Choice) -> list[tuple[float, Any]]:
    """Share and item of each way of a choice."""
    weights = choice.weights or (1.0,) * len(choice.choice)
    whole = sum(weights)
    return [(weight / whole, item) for weight, item in zip(weights, choice.choice, strict=True)]


def leaves(value: Any) -> list[Any]:
    """Constants and plain distributions that a value is chosen from."""
    if isinstance(value, Choice):
        return [leaf for item in value.choice for leaf in leaves(item)]
    return [value]


def share_below(value: Any) -> Callable[[float], float] | None:
    """The distribution function P(x <= t) of a number; None where a value is no number."""
    if isinstance(value, Choice):
        parts = [(share, share_below(item)) for share, item in ways(value)]
        if any(part is None for _, part in parts):
            return None
        return lambda t: sum(share * part(t) for share, part in parts if part is not None)
    if isinstance(value, Uniform):
        return _line(*value.uniform, lambda t: t)
    if isinstance(value, LogUniform):
        return _line(*value.log_uniform, math.log)
    if isinstance(value, Integer):
        numbers = chances(value)
        return lambda t: sum(chance for number, chance in numbers.items() if number <= t)
    if isinstance(value, (bool, str)) or value is None:
        return None
    return lambda t: float(value <= t)


def _line(low: float, high: float, scale: Callable[[float], float]) -> Callable[[float], float]:
    """Rises from 0 at `low` to 1 at `high`, straight on the given scale."""

    def below(t: float) -> float:
        if t >= high:
            return 1.0
        return 0.0 if t <= low else (scale(t) - scale(low)) / (scale(high) - scale(low))

    return below


def is_constant(value: Any) -> bool:
    """Whether nothing is drawn: a constant, or a choice of one."""
    return len({str(leaf) for leaf in leaves(value)}) == 1 and not isinstance(
        leaves(value)[0], (Uniform, LogUniform, Integer)
    )


def span(values: Sequence[Any]) -> tuple[float, float]:
    """Lowest and highest number of leaves."""
    ends: list[float] = []
    for value in values:
        if isinstance(value, Uniform):
            ends.extend(value.uniform)
        elif isinstance(value, LogUniform):
            ends.extend(value.log_uniform)
        elif isinstance(value, Integer):
            ends.extend(float(end) for end in value.integer)
        else:
            ends.append(float(value))
    return min(ends), max(ends)
