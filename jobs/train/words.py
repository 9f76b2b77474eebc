"""A row of the curve in a few words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs.train.artefacts.facts import COUNTERS

SHOWN = 4
"""Terms in a line."""


def of_row(row: Mapping[str, Any]) -> str:
    """The first terms of a row; empty for a row without any."""
    terms = [(name, value) for name, value in row.items() if name not in COUNTERS and isinstance(value, float)]
    return ", ".join(f"{name} {value:.4g}" for name, value in terms[:SHOWN])
