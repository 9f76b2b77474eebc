"""The kinds of restorers there are; importing it loads no network library."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from types import MappingProxyType
from typing import Any

from operators.restorers.anonymize.options import AnonymizeOptions
from operators.restorers.anonymize.restorer import AnonymizeRestorer
from operators.restorers.classic.options import ClassicOptions
from operators.restorers.classic.restorer import ClassicRestorer
from operators.restorers.completion.options import CompletionOptions
from operators.restorers.completion.restorer import CompletionRestorer
from operators.restorers.contract import Equipment, Restorer
from operators.restorers.generator.options import GfpganOptions, GpenOptions
from operators.restorers.generator.restorer import GfpganRestorer, GpenRestorer
from operators.restorers.inversion.options import InversionOptions
from operators.restorers.inversion.restorer import InversionRestorer
from operators.restorers.none import NoneOptions, NoneRestorer


@dataclass(frozen=True)
class Entry:
    """One restorer of the table.

    Attributes:
        summary: one line for help texts.
        options: frozen dataclass of its settings; bad values raise ValueError.
        build: makes the restorer from an instance of `options`, and from equipment where it `needs_equipment`; loads
            nothing yet.
        needs_equipment: whether it has weights.
        may_use_equipment: whether it has weights with some options only; it is built with equipment or None.
    """

    summary: str
    options: type[Any]
    build: Callable[..., Restorer]
    needs_equipment: bool = False
    may_use_equipment: bool = False

    @property
    def takes_equipment(self) -> bool:
        """Whether equipment is of any use to it."""
        return self.needs_equipment or self.may_use_equipment


RESTORERS: Mapping[str, Entry] = MappingProxyType(
    {
        "anonymize": Entry(
            "makes faces unrecognisable: cells, blur, a mean face, a drawn face or a colour",
            AnonymizeOptions,
            AnonymizeRestorer,
            may_use_equipment=True,
        ),
        "classic": Entry(
            "removes noise, JPEG artefacts, scratches and dust without a network", ClassicOptions, ClassicRestorer
        ),
        "completion": Entry(
            "makes missing or hidden parts of faces anew, with attributes to choose",
            CompletionOptions,
            CompletionRestorer,
            True,
        ),
        "gfpgan": Entry("GFPGAN: a generator guided by the face as it came", GfpganOptions, GfpganRestorer, True),
        "gpen": Entry(
            "GPEN: a generator fed by an encoder; restores, colours, fills and draws faces",
            GpenOptions,
            GpenRestorer,
            True,
        ),
        "inversion": Entry(
            "searches for a face among those that a generator can make", InversionOptions, InversionRestorer, True
        ),
        "none": Entry("changes nothing: faces are only found and scored", NoneOptions, NoneRestorer),
    }
)


def names() -> tuple[str, ...]:
    """Names that `create` knows, in alphabetical order."""
    return tuple(sorted(RESTORERS))


def create(name: str, options: Mapping[str, Any] | None = None, equipment: Equipment | None = None) -> Restorer:
    """Make a restorer; its `setup` is still to be called, in the process that will use it.

    Args:
        name: a key of `RESTORERS`.
        options: its settings by name; what is left out has its default.
        equipment: where model files and compiled engines lie, for a restorer with weights; others do not look at it.

    Returns:
        The restorer.

    Raises:
        ValueError: the name or an option is unknown (the nearest known ones are named), an option or the equipment that
            it needs is missing, or a value is not allowed.
    """
    if name not in RESTORERS:
        raise ValueError(f"restorer {name!r} is unknown{_nearest(name, names())}")
    entry, given = RESTORERS[name], dict(options or {})
    known = tuple(item.name for item in fields(entry.options))
    for key in given:
        if key not in known:
            raise ValueError(f"restorer {name!r} has no option {key!r}{_nearest(key, known)}")
    needed = [item.name for item in fields(entry.options) if item.default is MISSING and item.name not in given]
    if needed:
        raise ValueError(f"restorer {name!r} needs {' and '.join(needed)}: say which model file it uses")
    if not entry.takes_equipment:
        return entry.build(entry.options(**given))
    if equipment is None and entry.needs_equipment:
        raise ValueError(f"restorer {name!r} has weights: expected equipment that says where model files lie")
    return entry.build(entry.options(**given), equipment)


def _nearest(word: str, known: tuple[str, ...]) -> str:
    """Hint for a message: what may have been meant, and all that there is."""
    close = difflib.get_close_matches(word, known, n=2)
    meant = f"; did you mean {' or '.join(close)}?" if close else ""
    return f"{meant} (known: {', '.join(known) or 'none'})"
