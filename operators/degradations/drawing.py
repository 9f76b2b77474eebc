"""Recipe to drawn steps: every parameter settled, nothing applied yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from operators.degradations.contract import Generator, layout
from operators.degradations.distributions import Constant, drawn, pick
from operators.degradations.recipe import Group, OneOf, Recipe, Repeat, Shuffle, Step, Uneven, identity
from operators.degradations.record import AGAIN, FORK, JOIN, DrawnStep
from operators.degradations.streams import Streams
from operators.degradations.table import DEGRADATIONS


def draw(recipe: Recipe, seed: int, key: str, variant: int) -> tuple[DrawnStep, ...]:
    """Draw a recipe for one pair.

    Args:
        recipe: as read.
        seed: of the job.
        key: of the source record.
        variant: which of the pairs made from it.

    Returns:
        The steps that are to be done, in order. Each depends on seed, key, variant and its own id alone, so that a step
        added to a recipe changes no other's draw.
    """
    return tuple(_draw_all(recipe.steps, Streams(seed, key, variant), ""))


def _draw_all(nodes: Sequence[Any], streams: Streams, suffix: str) -> Iterator[DrawnStep]:
    for node in nodes:
        yield from _draw_node(node, streams, suffix)


def _draw_node(node: Any, streams: Streams, suffix: str) -> Iterator[DrawnStep]:
    name = identity(node) + suffix
    generator = streams.generator_of(name, "draw")
    # Drawn even where it is certain, so that a probability changed to 1 leaves the parameters as they were.
    done = generator.random() < node.probability
    if isinstance(node, Uneven):
        yield from _draw_uneven(node, streams, suffix, done)
    elif not done:
        return
    elif isinstance(node, Step):
        yield _draw_step(node, name, streams, generator)
    elif isinstance(node, Group):
        yield from _draw_all(node.steps, streams, suffix)
    elif isinstance(node, OneOf):
        way = node.one_of[pick(tuple(way.weight for way in node.one_of), generator)]
        yield from _draw_all(way.steps, streams, suffix)
    elif isinstance(node, Shuffle):
        yield from _draw_all(_shuffled(node, streams, suffix), streams, suffix)
    elif isinstance(node, Repeat):
        for count in range(int(drawn(node.repeat, generator))):
            yield from _draw_all(node.steps, streams, suffix if count == 0 else f"{suffix}~{count + 1}")


def _draw_step(step: Step, name: str, streams: Streams, generator: Generator) -> DrawnStep:
    degradation = DEGRADATIONS[step.use]
    parameters: dict[str, Constant] = {}
    # In the order of the degradation's fields, so that the order of keys in a file means nothing. What can be drawn was
    # checked when the recipe was read.
    for field, default, is_float in layout(degradation):
        value = drawn(step.parameters[field], generator) if field in step.parameters else default
        parameters[field] = float(value) if is_float else value
    return DrawnStep(name, step.use, degradation.version, streams.seed_of(name, "pixels"), step.both, parameters)


def _shuffled(node: Shuffle, streams: Streams, suffix: str) -> list[Any]:
    """In the order of numbers that each member draws by itself: another member would not change it."""
    return sorted(node.shuffle, key=lambda inner: streams.generator_of(identity(inner) + suffix, "order").random())


def _draw_uneven(node: Uneven, streams: Streams, suffix: str, twice: bool) -> Iterator[DrawnStep]:
    name = identity(node) + suffix
    if not twice:
        yield from _draw_all(node.steps, streams, suffix)
        return
    generator = streams.generator_of(name, "square")
    square: dict[str, Constant] = {
        "side": float(drawn(node.uneven, generator)),
        "left": generator.random(),
        "top": generator.random(),
    }
    yield _marker(FORK, name, streams, {})
    yield from _draw_all(node.steps, streams, suffix)
    yield _marker(AGAIN, name, streams, {})
    yield from _draw_all(node.steps, streams, f"{suffix}~2")
    yield _marker(JOIN, name, streams, square)


def _marker(use: str, name: str, streams: Streams, parameters: Mapping[str, Constant]) -> DrawnStep:
    return DrawnStep(f"{name}/{use.removeprefix('uneven-')}", use, "1", streams.seed_of(name, use), False, parameters)
