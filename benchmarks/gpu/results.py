"""Results travel from the children as lines of JSON in a file, so that what was measured before a crash is kept."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def write(path: Path, row: Row) -> None:
    """Append one result, flushed to the disk."""
    with path.open("a") as file:
        file.write(json.dumps(row) + "\n")


def read(path: Path) -> list[Row]:
    """All results so far; a line that a killed child left unfinished is passed over."""
    if not path.exists():
        return []
    rows = []
    for line in path.read_text().splitlines():
        with contextlib.suppress(ValueError):
            rows.append(json.loads(line))
    return rows
