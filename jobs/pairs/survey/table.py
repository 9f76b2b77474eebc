"""A finished survey's table, read into what the selection needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline import layout
from pipeline.errors import LedgerError
from pipeline.run import Run

FEATURE_LENGTH = 128


@dataclass(frozen=True)
class Survey:
    """All candidates of a survey, in the order of its plan.

    Attributes:
        table: as `jobs.pairs.survey.rows.CANDIDATES`, without the features.
        features: (n, 128) float32 of length 1; NaN where no face is, or none that says whose it is; None where people
            are not told apart.
        images: images that could be read.
        failed: images in quarantine.
    """

    table: pa.Table
    features: NDArray[np.float32] | None
    images: int
    failed: int


def read_survey(run: Run, *, people: bool) -> Survey:
    """Read the table of a survey that has come to its end.

    Args:
        run: the survey.
        people: whether features are wanted.

    Raises:
        LedgerError: the table is not there or damaged.
    """
    manifest = run.manifest()
    name = layout.table("candidates")
    try:
        with run.folder.fs.open(run.folder.path(name), "rb") as file:
            reader = pq.ParquetFile(file)
            table = reader.read([field for field in reader.schema_arrow.names if field != "feature"], use_threads=False)
            features = _features(reader) if people else None
    except (FileNotFoundError, pa.ArrowInvalid) as error:
        raise LedgerError(
            f"{run.folder.uri}/{name}: the survey's table is missing or damaged ({error}); remove "
            f"{run.folder.uri}/{layout.MANIFEST} and run the job again, which writes it anew"
        ) from error
    assert manifest is not None
    return Survey(table, features, int(manifest["ok"]), int(manifest["quarantined"]))


def _features(reader: pq.ParquetFile) -> NDArray[np.float32]:
    """Row group by row group, so that the bytes are held twice for one of them only."""
    parts = [np.empty((0, FEATURE_LENGTH), np.float32)]
    for group in range(reader.num_row_groups):
        column = reader.read_row_group(group, ["feature"], use_threads=False).column(0)
        part = np.full((len(column), FEATURE_LENGTH), np.nan, np.float32)
        for index, value in enumerate(column):
            if value.is_valid:
                part[index] = np.frombuffer(value.as_py(), dtype="<f4")
        parts.append(part)
    return np.concatenate(parts)
