"""Of a finished run, the first rows of the list of what is in quarantine, without reading a large one whole."""

from __future__ import annotations

import csv
import io
from dataclasses import fields

from jobs.watch.standing import NEWEST
from pipeline import layout
from pipeline.ledger import Quarantined
from pipeline.run import Run
from pipeline.storage import persistent

HEAD_BYTES = 256 * 1024


def first_rows(run: Run) -> list[Quarantined]:
    """Up to `NEWEST` rows; none where there is no list.

    Raises:
        StorageError: storage unreachable or refusing.
    """
    try:
        data = _head(run)
    except FileNotFoundError:
        return []
    text = data.decode("utf-8", "replace")
    if len(data) >= HEAD_BYTES:
        text = text[: text.rfind("\n")]
    names = {field.name for field in fields(Quarantined)}
    rows: list[Quarantined] = []
    for row in csv.DictReader(io.StringIO(text, newline="")):
        if len(rows) == NEWEST:
            break
        if set(row) == names and all(value is not None for value in row.values()):
            rows.append(Quarantined(**row))
    return rows


@persistent
def _head(run: Run) -> bytes:
    folder = run.folder
    return bytes(folder.fs.cat_file(folder.path(layout.QUARANTINE), start=0, end=HEAD_BYTES))
