"""Attributes of a face, as the catalogue says them of its picture."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from operators.errors import OperatorError

WORDS: Mapping[str, float] = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}


def attributes_of(metadata: Mapping[str, Any], catalogue: Mapping[str, str]) -> dict[str, float]:
    """What a record's metadata says of attributes.

    A number from 0 to 1, true or false, and texts of these (CSV knows nothing else) are values; -1 is 0, as lists of
    attributes have it where 1 is the opposite. A column that is missing, null or empty says nothing.

    Args:
        metadata: of the record, JSON values.
        catalogue: column by attribute.

    Returns:
        Values from 0 to 1 by attribute, of those that are said.

    Raises:
        OperatorError: `bad_attribute`, a column holds something else.
    """
    said = {name: _value(metadata.get(column), name, column) for name, column in catalogue.items()}
    return {name: value for name, value in said.items() if value is not None}


def _value(found: Any, name: str, column: str) -> float | None:
    text = str(found).strip().lower() if found is not None else ""
    if not text:
        return None
    try:
        number = WORDS[text] if text in WORDS else float(text)
    except ValueError:
        number = math.nan
    if number == -1.0:
        return 0.0
    if not 0.0 <= number <= 1.0:
        raise OperatorError(
            "bad_attribute",
            f"the catalogue has {found!r} in the column {column!r}, which says whether a face is {name}: expected a "
            "number from 0 to 1, true or false, or nothing",
        )
    return number
