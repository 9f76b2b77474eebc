"""The key of a block that says which model it has: `source.kind`, `restore.model`, `samples.kind`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from jobs.spec.problems import describe, listed, nearest

AnyBlock = TypeVar("AnyBlock", bound=BaseModel)


def not_one_of(value: Any, names: list[str]) -> str:
    """What to say of a value that is none of these names."""
    close = nearest(value, names) if isinstance(value, str) else None
    meant = f"; did you mean '{close}'?" if close else ""
    return f"found {describe(value)}, expected {listed(names)}{meant}"


def none_of(key: str, names: list[str]) -> str:
    """What to say where the key itself is missing."""
    return f"missing; expected '{key}: ...' with {listed(names)}"


@dataclass(frozen=True)
class Tag(Generic[AnyBlock]):
    """The key that says which model a block has.

    Attributes:
        key: its name.
        models: its values and their models.
        default: its value where it is left out; None when it has to be there.
        other: model for every other value that `problem` has nothing against; None when there is no other value.
        problem: why a value cannot stand there, or an empty string.
    """

    key: str
    models: Mapping[str, type[AnyBlock]]
    default: str | None = None
    other: type[AnyBlock] | None = None
    problem: Callable[[Any], str] = field(default=lambda value: "")

    def model(self, choice: Any) -> type[AnyBlock] | None:
        """The model of a value; None where the value is wrong."""
        if isinstance(choice, str) and choice in self.models:
            return self.models[choice]
        return None if self.other is None or self.problem(choice) else self.other

    def wrong(self, choice: Any) -> str:
        """What to say of a wrong value."""
        return self.problem(choice) or not_one_of(choice, list(self.models))

    def likely(self, choice: Any, keys: Collection[str]) -> type[AnyBlock]:
        """The model that a block with a wrong or missing value was most likely meant for."""
        close = nearest(choice, list(self.models)) if isinstance(choice, str) else None
        if close:
            return self.models[close]
        every = [*self.models.values(), *([self.other] if self.other else [])]
        return max(every, key=lambda each: len(keys & each.model_fields.keys()))
