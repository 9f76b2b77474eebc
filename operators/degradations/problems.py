"""What is wrong with a recipe or a record, by key."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        path: keys and indices that lead to it from the top of the recipe; empty for the whole.
        message: what was found, what was expected, what to do.
    """

    path: KeyPath
    message: str

    def __str__(self) -> str:
        where = dotted(self.path)
        return f"{where}: {self.message}" if where else self.message


class RecipeError(ValueError):
    """A recipe, or a record of a pair, that cannot be used; says everything that is wrong with it."""

    def __init__(self, name: str, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(f"{name}: {problem}" for problem in problems))
        self.name = name
        self.problems = tuple(problems)

    def __reduce__(self) -> tuple[type[RecipeError], tuple[str, tuple[Problem, ...]]]:
        return (type(self), (self.name, self.problems))


def dotted(path: KeyPath) -> str:
    """`steps[2].parameters.sigma`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def shown(value: object, most: int = 60) -> str:
    """A value as messages show it: on one line, and short."""
    text = repr(value)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def listed(names: Iterable[str]) -> str:
    """Names for a message."""
    return ", ".join(sorted(names))


def meant(name: str, names: Iterable[str]) -> str:
    """A question after an unknown name: `; did you mean 'blur'?`, or which names there are."""
    known = sorted(names)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else f"; expected one of {listed(known)}"
