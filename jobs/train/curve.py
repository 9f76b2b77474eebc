"""The curve of a training: rows of its terms and what befell it, in one file for each stretch between checkpoints."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from jobs.train import layout
from jobs.train.artefacts.facts import Happening
from pipeline.intact import intact
from pipeline.storage import Folder

if TYPE_CHECKING:
    from operators.training.loop import Row

HAPPENING = "kind"
"""A row with this key says what befell the training and has no terms."""


def written(rows: Iterable[Row]) -> bytes:
    """Rows as lines of JSON; what is no number is written as NaN or Infinity, which Python's reader takes."""
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def read_rows(output: Folder) -> list[dict[str, Any]]:
    """All rows of a training, in order.

    Raises:
        LedgerError: a file is damaged.
    """
    folder = output.child(layout.CURVES)
    rows: list[dict[str, Any]] = []
    for name in folder.names():
        if layout.stretch_of(name) is None:
            continue
        with intact(folder, name, "the report can be written without it: remove the file"):
            rows += [json.loads(line) for line in folder.read(name).splitlines()]
    return rows


def terms_of(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Those with terms."""
    return tuple(row for row in rows if HAPPENING not in row)


def happenings_of(rows: Sequence[Row]) -> tuple[Happening, ...]:
    """What befell the training."""
    return tuple(Happening(row["step"], row[HAPPENING], row["text"]) for row in rows if HAPPENING in row)
