"""What is wrong with a job file, and how a user is told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, NamedTuple

MAX_LINES = 100

KeyPath = tuple[str | int, ...]
"""Way from the top of the file to a value: names of keys and positions in lists, from 0."""


class Mark(NamedTuple):
    """A place in the file, both from 1, columns in characters."""

    line: int
    column: int


@dataclass(frozen=True)
class Finding:
    """Something wrong at a key, before it has a place in the file.

    Attributes:
        path: where in the data.
        message: what was found, what was expected, what to do.
        at_key: whether the key itself is meant rather than its value.
        mark: the place, where the path does not tell it.
        within: the key in another file that the job file names; empty for what stands in the job file itself.
    """

    path: KeyPath
    message: str
    at_key: bool = False
    mark: Mark | None = None
    within: str = ""


@dataclass(frozen=True)
class Problem:
    """Something wrong at a place in the file.

    Attributes:
        file: as the user named it.
        line: from 1; 0 when the file as a whole is meant.
        column: from 1, in characters; 0 when the file as a whole is meant.
        path: dotted, list positions in brackets (`source.include[0]`); empty for the file as a whole.
        message: what was found, what was expected, what to do.
    """

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class JobFileError(Exception):
    """A job file that cannot be used; `str()` of it is one line for each problem, in file order, the first 100."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        lines = [str(problem) for problem in self.problems[:MAX_LINES]]
        if len(self.problems) > MAX_LINES:
            lines.append(f"... and {len(self.problems) - MAX_LINES} more")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type[JobFileError], tuple[tuple[Problem, ...]]]:
        return (type(self), (self.problems,))


def dotted(path: KeyPath) -> str:
    """The path as users write it: `source.include[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{shown(part)}" if text else shown(part)
    return text


def shown(text: str, limit: int = 60) -> str:
    """The text on one line, without characters that would disturb a terminal, abbreviated past `limit`."""
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[: limit + 1])
    return line if len(line) <= limit else f"{line[: limit - 3]}..."


def describe(value: Any) -> str:
    """What was found, in words, for a message."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"'{str(value).lower()}'"
    if isinstance(value, int | float):
        return f"the number {shown(str(value), 30)}"
    if isinstance(value, str):
        return f"the text '{shown(value)}'" if value else "an empty text"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "a mapping"


def nearest(name: str, names: Sequence[str], likeness: float = 0.6) -> str | None:
    """The valid name that a misspelt one most likely means; none that is less alike, 0 to 1 (`difflib`'s ratio)."""
    folded = {candidate.casefold(): candidate for candidate in names}
    close = get_close_matches(name.casefold(), list(folded), n=1, cutoff=likeness)
    return folded[close[0]] if close else None


def listed(names: Sequence[str]) -> str:
    """`'a', 'b' or 'c'`."""
    quoted = [f"'{name}'" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
