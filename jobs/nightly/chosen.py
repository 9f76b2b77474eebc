"""Which records a night found due, gone or back, and why: written into the run's folder before the run exists."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import layout
from pipeline.intact import START_AGAIN, intact
from pipeline.run import Run

CHOSEN = pa.schema(
    [
        ("key", pa.string()),
        ("cause", pa.string()),
        ("version", pa.string()),
        ("size", pa.int64()),
        ("former_version", pa.string()),
        ("former_run", pa.string()),
    ]
)
"""`cause`: `asked`, `new`, `changed`, `failed` or `outdated` for what was planned; `deleted` or `tombstoned` for a
source that is gone; `returned` for one that is back and whose derivative still stands; `touched` for one that has
another version and the same bytes. `version` and `size` are the source's now, `former_run` made what stood."""

WORK = ("asked", "changed", "new", "failed", "outdated")
"""Causes of work, in the order in which a night does it."""


def read_chosen(run: Run) -> Iterator[pa.Table]:
    """The rows of a run; none for a run that was not a night.

    Raises:
        LedgerError: the file is damaged, or is gone though the run was a night.
    """
    if not run.header.night:
        return
    with intact(run.folder, layout.SELECTION, START_AGAIN, needed=True):
        file = pq.ParquetFile(pa.BufferReader(run.folder.read(layout.SELECTION)))
        for batch in file.iter_batches(4096):
            yield pa.Table.from_batches([batch])
