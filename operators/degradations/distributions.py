"""The distributions a recipe may give a parameter."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import Annotated, Any, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import Self

Constant: TypeAlias = bool | int | float | str

MOST_VALUES = 10_000
"""Values of an integer distribution that are checked one by one; more are refused."""

_Pair = Annotated[tuple[float, float], Field(strict=False)]
_Whole = Annotated[int, Field(ge=-(10**9), le=10**9)]


class Block(BaseModel):
    """A mapping of a recipe: frozen, strict about types, no unknown keys."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class Uniform(Block):
    """Every number between two is as likely as any other."""

    uniform: _Pair
    """Lowest and highest value."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _check_order(self.uniform)
        return self

    def draw(self, generator: np.random.Generator) -> float:
        """A number of it."""
        low, high = self.uniform
        return min(high, low + (high - low) * generator.random())

    def extremes(self) -> Iterator[Constant]:
        """What a parameter must be able to take."""
        yield from self.uniform


class LogUniform(Block):
    """The logarithm is uniform: each doubling is as likely as any other."""

    log_uniform: _Pair
    """Lowest and highest value, above 0."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _check_order(self.log_uniform)
        if self.log_uniform[0] <= 0:
            raise PydanticCustomError("range", "expected numbers above 0")
        return self

    def draw(self, generator: np.random.Generator) -> float:
        """A number of it."""
        low, high = self.log_uniform
        value = math.exp(math.log(low) + (math.log(high) - math.log(low)) * generator.random())
        return min(high, max(low, value))

    def extremes(self) -> Iterator[Constant]:
        """What a parameter must be able to take."""
        yield from self.log_uniform


class Integer(Block):
    """Every whole number of a range, both ends included, is as likely as any other."""

    integer: Annotated[tuple[_Whole, _Whole], Field(strict=False)]
    """Lowest and highest value."""
    step: Annotated[int, Field(ge=1, le=10**6)] = 1
    """Distance of the values: 2 from an odd number gives odd numbers."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        low, high = self.integer
        _check_order(self.integer)
        if (high - low) // self.step >= MOST_VALUES:
            raise PydanticCustomError("range", "expected at most {most} values", {"most": MOST_VALUES})
        return self

    def draw(self, generator: np.random.Generator) -> int:
        """A number of it."""
        low, high = self.integer
        return low + self.step * int(generator.integers(0, (high - low) // self.step + 1))

    def extremes(self) -> Iterator[Constant]:
        """Every value, as a parameter may take odd numbers only."""
        low, high = self.integer
        yield from range(low, high + 1, self.step)


class Choice(Block):
    """One of several, each a constant or a distribution of its own."""

    choice: Annotated[tuple[Value, ...], Field(strict=False, min_length=1, max_length=100)]
    """What may be chosen."""
    weights: Annotated[tuple[Annotated[float, Field(ge=0, le=1e6)], ...], Field(strict=False)] | None = None
    """How likely each is, in any unit; equally without."""

    @model_validator(mode="after")
    def _weighted(self) -> Self:
        if self.weights is None:
            return self
        if len(self.weights) != len(self.choice):
            counts = {"found": len(self.weights), "expected": len(self.choice)}
            raise PydanticCustomError("weights", "found {found} weights, expected {expected}: one for each", counts)
        if sum(self.weights) <= 0:
            raise PydanticCustomError("weights", "found weights that are all 0, expected one above it")
        return self

    def draw(self, generator: np.random.Generator) -> Constant:
        """One of them, drawn further if it is a distribution."""
        chosen = self.choice[pick(self.weights or (1.0,) * len(self.choice), generator)]
        return drawn(chosen, generator)

    def extremes(self) -> Iterator[Constant]:
        """What a parameter must be able to take."""
        for item in self.choice:
            yield from extremes(item)


def _kind(value: Any) -> str | None:
    if isinstance(value, (bool, int, float, str)):
        return "<constant>"
    if isinstance(value, dict):
        return next((tag for name, tag in _TAGS.items() if name in value), None)
    return next((tag for name, tag in _TAGS.items() if hasattr(value, name)), None)


_TAGS = {name: f"<{name}>" for name in ("uniform", "log_uniform", "integer", "choice")}

Value = Annotated[
    Annotated[Any, Tag("<constant>")]
    | Annotated[Uniform, Tag("<uniform>")]
    | Annotated[LogUniform, Tag("<log_uniform>")]
    | Annotated[Integer, Tag("<integer>")]
    | Annotated[Choice, Tag("<choice>")],
    Discriminator(
        _kind,
        custom_error_type="distribution",
        custom_error_message="expected a number, a word, or a mapping with uniform, log_uniform, integer or choice",
    ),
]
"""A constant, or a distribution. Tags stand in angle brackets so that messages can leave them out."""

Choice.model_rebuild()


def drawn(value: Any, generator: np.random.Generator) -> Constant:
    """A value of a constant or a distribution; constants take no random number."""
    if isinstance(value, (Uniform, LogUniform, Integer, Choice)):
        return value.draw(generator)
    constant: Constant = value
    return constant


def extremes(value: Any) -> Iterator[Constant]:
    """The values a parameter must be able to take for every draw to be possible, as its limits are intervals."""
    if isinstance(value, (Uniform, LogUniform, Integer, Choice)):
        yield from value.extremes()
    else:
        yield value


def pick(weights: tuple[float, ...], generator: np.random.Generator) -> int:
    """Index of one of several, by weight."""
    sums = list(accumulate(weights))
    found = bisect_right(sums, generator.random() * sums[-1])
    # Rounding may give the total itself; weights of 0 are never taken.
    return min(found, max(index for index, weight in enumerate(weights) if weight > 0))


def _check_order(pair: tuple[float, float]) -> None:
    if pair[0] > pair[1]:
        raise PydanticCustomError("range", "expected the lower number first")
