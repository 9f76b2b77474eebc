"""Takes secrets out of a report's data before anything is escaped, abbreviated or hashed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

Report = TypeVar("Report")


def scrubbed(data: Report, scrub: Callable[[str], str]) -> Report:
    """Clean every text of a report.

    This comes before rendering: in the finished page a secret could hide behind an escape or be cut in half, and a
    replacement could damage a picture or the style sheet, whose hash the page's policy names.

    Args:
        data: a report's dataclass.
        scrub: text to text without secrets.

    Returns:
        The same data with all texts, keys of mappings among them, as `scrub` gives them; numbers and pictures stay.
    """
    return cast(Report, _clean(data, scrub))


def _clean(value: Any, scrub: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return scrub(value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: _clean(getattr(value, each.name), scrub) for each in fields(value)})
    if isinstance(value, Mapping):
        return {_clean(key, scrub): _clean(entry, scrub) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_clean(entry, scrub) for entry in value)
    return value
