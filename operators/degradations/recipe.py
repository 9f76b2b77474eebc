"""A recipe as data: steps, and groups of steps, in order."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import Discriminator, Field, Tag

from operators.degradations.distributions import Block, Value

MOST_STEPS = 500
"""Steps a drawn recipe may have at most, repeats counted."""

Word = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9+_-]*$", max_length=64)]
Share = Annotated[float, Field(ge=0, le=1)]
Steps: TypeAlias = "Annotated[tuple[Node, ...], Field(strict=False, max_length=200)]"


class Part(Block):
    """What steps and groups share."""

    id: Word | None = None
    """Name inside the recipe, from which its random numbers come. A step's is what it uses; a group's, its first step's
    behind its own kind."""
    probability: Share = 1.0
    """How likely it is done at all."""


class Step(Part):
    """One degradation."""

    use: Word
    """The degradation's name."""
    both: bool = False
    """Whether the target gets the same, with the same random numbers."""
    parameters: dict[str, Value] = Field(default_factory=dict, max_length=64)
    """Constants and distributions of its parameters; those not given have their default."""


class Group(Part):
    """Several steps that are done, or left out, together."""

    steps: Steps
    """In order."""


class Alternative(Block):
    """One of the ways of a `one_of`."""

    weight: Annotated[float, Field(ge=0, le=1e6)] = 1.0
    """How likely it is, beside the others' weights."""
    steps: Steps
    """In order; none does nothing."""


class OneOf(Part):
    """One of several ways is taken."""

    one_of: Annotated[tuple[Alternative, ...], Field(strict=False, min_length=1, max_length=100)]
    """The ways."""


class Shuffle(Part):
    """Every step is done, in an order that is drawn."""

    shuffle: Steps
    """In any order."""


class Repeat(Part):
    """Steps done several times, drawn anew each time."""

    repeat: Value
    """How often: a whole number from 0 to 8, or a distribution of such."""
    steps: Steps
    """In order."""


class Uneven(Part):
    """Steps of which a square of the picture gets another draw, as where only a part of a photograph moved or faded.

    With `probability` the steps are done twice from the same picture, and a square of the first result lies on the
    second (RestoreFormer++); else once, for the whole.
    """

    uneven: Value
    """Side of the square, as a share of the shorter side: above 0, at most 1."""
    steps: Steps
    """In order."""


_GROUPS: dict[str, type[Part]] = {"one_of": OneOf, "shuffle": Shuffle, "repeat": Repeat, "uneven": Uneven}


def _kind(value: Any) -> str | None:
    if isinstance(value, Part):
        return f"<{type(value).__name__}>"
    if not isinstance(value, dict):
        return None
    for name, group in _GROUPS.items():
        if name in value:
            return f"<{group.__name__}>"
    return "<Step>" if "use" in value else "<Group>" if "steps" in value else None


Node = Annotated[
    Annotated[Step, Tag("<Step>")]
    | Annotated[Group, Tag("<Group>")]
    | Annotated[OneOf, Tag("<OneOf>")]
    | Annotated[Shuffle, Tag("<Shuffle>")]
    | Annotated[Repeat, Tag("<Repeat>")]
    | Annotated[Uneven, Tag("<Uneven>")],
    Discriminator(
        _kind,
        custom_error_type="step",
        custom_error_message="expected a mapping with use, steps, one_of, shuffle, repeat or uneven",
    ),
]


class Recipe(Block):
    """An ordered list of degradations with their distributions."""

    recipe: Word
    """Its name."""
    source: Annotated[str, Field(min_length=1, max_length=4096)]
    """Where it is from: a paper and its code, or what it imitates."""
    steps: Annotated[tuple[Node, ...], Field(strict=False, min_length=1, max_length=200)]
    """In order."""


for _model in (Group, Alternative, OneOf, Shuffle, Repeat, Uneven, Recipe):
    _model.model_rebuild()


def identity(node: Any) -> str:
    """Id of a step or group, as it is without the counts of repeats.

    A group that has none takes that of the first step in it, so that a step added elsewhere changes no draw.
    """
    if node.id is not None:
        return str(node.id)
    if isinstance(node, Step):
        return node.use
    first = next((identity(inner) for inner in inside(node)), "")
    return f"{type(node).__name__.lower()}:{first}"


def inside(node: Any) -> tuple[Any, ...]:
    """Steps and groups directly in a group."""
    if isinstance(node, OneOf):
        return tuple(step for way in node.one_of for step in way.steps)
    if isinstance(node, Shuffle):
        return tuple(node.shuffle)
    return () if isinstance(node, Step) else tuple(node.steps)
