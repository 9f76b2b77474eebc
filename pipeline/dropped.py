"""Outputs of earlier runs of a collection that a later run takes away: named first, and only then deleted."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import layout
from pipeline.fetching import fetched
from pipeline.intact import intact
from pipeline.run import Run

_SCHEMA = pa.schema([("path", pa.string())])


def drop(run: Run, paths: Iterable[str]) -> int:
    """Delete outputs, after noting in the run's folder that they are to go; done twice it does no harm.

    Args:
        run: the run that takes them away.
        paths: relative to its output folder; none of them may be an output of this run.

    Returns:
        how many.
    """
    names = sorted(set(paths))
    if not names:
        return 0
    buffer = pa.BufferOutputStream()
    pq.write_table(pa.table({"path": names}, _SCHEMA), buffer, compression="zstd")
    run.folder.write(layout.DROPPED, buffer.getvalue().to_pybytes())
    return sum(1 for _ in fetched(run.outputs.delete, names))


def dropped_by(run: Run) -> list[str]:
    """What a run has taken away, or is about to."""
    try:
        with intact(run.folder, layout.DROPPED, "put it back from a backup"):
            table = pq.read_table(pa.BufferReader(run.folder.read(layout.DROPPED)))
    except FileNotFoundError:
        return []
    names: list[str] = table["path"].to_pylist()
    return names
