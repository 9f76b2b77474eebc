"""Values of catalogues as JSON, so that they can travel as metadata."""

from __future__ import annotations

import math
from datetime import date, datetime, time
from typing import Any

from pipeline.names import printable

MAX_DEPTH = 64
"""Nesting that no catalogue needs; what reads and writes JSON recurses, so a limit must stand before Python's own."""


def jsonable(value: Any, depth: int = MAX_DEPTH) -> Any:
    """A JSON value of what a column or a JSON text holds.

    Dates and times become ISO 8601 text, NaN and infinities None (RFC 8259 has no such numbers), bytes hexadecimal
    text, any other type (decimals, UUIDs) its text. Text that is not valid Unicode is escaped.

    Args:
        value: what a column or a text holds.
        depth: how deep lists and mappings in it may be nested.

    Raises:
        ValueError: they are nested deeper.
    """
    if depth < 0:
        raise ValueError(f"values are nested deeper than {MAX_DEPTH}")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str):
        return printable(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, dict):
        return {printable(str(key)): jsonable(inner, depth - 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(inner, depth - 1) for inner in value]
    return value.hex() if isinstance(value, bytes) else str(value)


def key_text(value: Any) -> str:
    """The key in a column's value: text as it is, whole numbers in digits; empty for null and for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return ""
