"""The restorers that a job can name."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

from operators.restorers.classic.options import ClassicOptions
from operators.restorers.classic.restorer import ClassicRestorer
from operators.restorers.contract import Restorer
from operators.restorers.none import NoneOptions, NoneRestorer


@dataclass(frozen=True)
class Entry:
    """One restorer of the table.

    Attributes:
        summary: one line for help texts.
        options: frozen dataclass of its settings; each has a default, and bad values raise ValueError.
        build: makes the restorer from an instance of `options`; loads nothing yet.
    """

    summary: str
    options: type[Any]
    build: Callable[[Any], Restorer]


RESTORERS: Mapping[str, Entry] = MappingProxyType(
    {
        "classic": Entry(
            "removes noise, JPEG artefacts, scratches and dust without a network", ClassicOptions, ClassicRestorer
        ),
        "none": Entry("changes nothing: faces are only found and scored", NoneOptions, NoneRestorer),
    }
)


def names() -> tuple[str, ...]:
    """Names that `create` knows, in alphabetical order."""
    return tuple(sorted(RESTORERS))


def create(name: str, options: Mapping[str, Any] | None = None) -> Restorer:
    """Make a restorer; its `setup` is still to be called, in the process that will use it.

    Args:
        name: a key of `RESTORERS`.
        options: its settings by name; what is left out has its default.

    Returns:
        The restorer.

    Raises:
        ValueError: the name or an option is unknown (the nearest known ones are named), or a value is not allowed.
    """
    if name not in RESTORERS:
        raise ValueError(f"restorer {name!r} is unknown{_nearest(name, names())}")
    entry = RESTORERS[name]
    known = tuple(item.name for item in fields(entry.options))
    for key in options or {}:
        if key not in known:
            raise ValueError(f"restorer {name!r} has no option {key!r}{_nearest(key, known)}")
    return entry.build(entry.options(**(options or {})))


def _nearest(word: str, known: tuple[str, ...]) -> str:
    """Hint for a message: what may have been meant, and all that there is."""
    close = difflib.get_close_matches(word, known, n=2)
    meant = f"; did you mean {' or '.join(close)}?" if close else ""
    return f"{meant} (known: {', '.join(known) or 'none'})"
