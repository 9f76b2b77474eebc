"""A unit as a Parquet file: key, image and record, as Hugging Face `datasets` reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.sinks.spool import Spool

# A reader of one row fetches its row group: bounded in rows as `datasets` does it, and in bytes for large scans.
ROW_GROUP_ROWS = 100
ROW_GROUP_BYTES = 64 * 2**20

SCHEMA = pa.schema(
    [
        pa.field("key", pa.string(), nullable=False),
        pa.field("image", pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])),
        pa.field("record", pa.string()),
    ],
    metadata={
        "huggingface": json.dumps(
            {
                "info": {
                    "features": {
                        "key": {"dtype": "string", "_type": "Value"},
                        "image": {"_type": "Image"},
                        "record": {"dtype": "string", "_type": "Value"},
                    }
                }
            }
        )
    },
)


def write_parquet(spool: Spool, path: Path) -> None:
    """Write a unit's records as Parquet, in their order; the same inputs and pyarrow version give the same bytes.

    Columns: `key` string, `image` struct<bytes: binary, path: string> (null for a record without an image), `record`
    string, the JSON text (null where there is none). Images are stored as they are: they are compressed already.
    """
    with pq.ParquetWriter(
        path,
        SCHEMA,
        compression={"key": "zstd", "record": "zstd", "image.bytes": "none", "image.path": "zstd"},
        use_dictionary=False,
        write_statistics=["key"],
    ) as writer:
        for rows in _row_groups(spool):
            writer.write_table(pa.Table.from_pylist(rows, SCHEMA), row_group_size=ROW_GROUP_ROWS)


def _row_groups(spool: Spool) -> Iterator[list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    size = 0
    for record, artifacts in spool:
        row: dict[str, Any] = {"key": record.key, "image": None, "record": None}
        for artifact in artifacts:
            if artifact.role == "image":
                row["image"] = {"bytes": artifact.data, "path": artifact.name}
            else:
                row["record"] = artifact.data.decode()
        rows.append(row)
        size += sum(len(artifact.data) for artifact in artifacts)
        if len(rows) >= ROW_GROUP_ROWS or size >= ROW_GROUP_BYTES:
            yield rows
            rows, size = [], 0
    if rows:
        yield rows
