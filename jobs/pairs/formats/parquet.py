"""Pairs as Parquet files with pictures inside, as Hugging Face `datasets` reads them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.pairs.formats.card import CARD, card
from jobs.pairs.formats.contract import About, PairFiles
from jobs.pairs.formats.finals import SCRATCH, put_final
from jobs.pairs.formats.index import indexed
from jobs.pairs.formats.members import GT, LQ, MASK, RECORD, field_of, members, pair_of, shard_of
from pipeline.records import Artifact, Output, Unit
from pipeline.run import Run
from pipeline.sinks.parquet import ROW_GROUP_BYTES, ROW_GROUP_ROWS
from pipeline.sinks.spool import Spool
from pipeline.sinks.writing import writing_errors

IMAGE = pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])
PICTURES = {LQ: "lq", GT: "gt", MASK: "mask"}
"""Columns of pictures, by member."""


@dataclass(frozen=True)
class ParquetContainer:
    """Parquet files with the columns `key`, `lq`, `gt`, `mask` if asked for, and `record`, sorted by key.

    Attributes:
        masks: whether there is a column of masks.
    """

    masks: bool
    role: str = "shard"

    def name(self, unit: Unit) -> str:
        """`data/train-00003.parquet`."""
        split, _, number = shard_of(unit).rpartition("-")
        return f"data/{split}-{int(number):05d}.parquet"

    def write(self, spool: Spool, path: Path) -> None:
        """Write the pairs; pictures are stored as they are, for they are compressed already."""
        pictures = columns(masks=self.masks)[1:-1]
        compression = {"key": "zstd", "record": "zstd"}
        for name in pictures:
            compression |= {f"{name}.bytes": "none", f"{name}.path": "zstd"}
        with pq.ParquetWriter(
            path,
            schema(masks=self.masks),
            compression=compression,
            use_dictionary=False,
            write_statistics=["key"],
        ) as writer:
            for rows in _row_groups(spool, pictures):
                table = pa.Table.from_pylist(rows, schema(masks=self.masks))
                writer.write_table(table, row_group_size=ROW_GROUP_ROWS)


@dataclass(frozen=True)
class ParquetFormat:
    """`data/{split}-{index}.parquet`, and closing writes the dataset card `README.md`.

    Attributes:
        masks: whether there is a column of masks; empty for a pair without damage that has one.
    """

    masks: bool
    name: str = "parquet"
    paired: bool = True
    same_size: bool = False

    def artifacts(self, pair: PairFiles) -> Sequence[Artifact]:
        """The pair's values, named as WebDataset names them."""
        return members(pair, masks=self.masks)

    def container(self) -> ParquetContainer:
        """A file a unit."""
        return ParquetContainer(self.masks)

    def close(self, run: Run, about: About) -> Sequence[Output]:
        """Write the dataset card, with the numbers of pairs that were made."""
        with tempfile.TemporaryDirectory(prefix="facejobs-pairs-") as folder:
            scratch = Path(folder)
            with indexed(run, scratch) as index:
                counts = index.counts()
            path = scratch / CARD
            with writing_errors(CARD, SCRATCH):
                path.write_text(card(about, counts, columns(masks=self.masks)), encoding="utf-8", newline="\n")
            return [put_final(run, CARD, path)]

    def sweep(self, run: Run) -> None:
        """Nothing was written that is not wanted."""


def columns(*, masks: bool) -> list[str]:
    """Names of the columns, in their order."""
    return ["key", "lq", "gt", *(["mask"] if masks else []), "record"]


def schema(*, masks: bool) -> pa.Schema:
    """The schema, with the features that `datasets` looks for in its metadata."""
    kinds = {name: IMAGE if name in PICTURES.values() else pa.string() for name in columns(masks=masks)}
    features = {
        name: {"_type": "Image"} if kind == IMAGE else {"dtype": "string", "_type": "Value"}
        for name, kind in kinds.items()
    }
    return pa.schema(
        [pa.field(name, kind, nullable=name != "key") for name, kind in kinds.items()],
        metadata={"huggingface": json.dumps({"info": {"features": features}})},
    )


def _row_groups(spool: Spool, pictures: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
    """Rows, bounded in number and in bytes: a reader of one row fetches its row group."""
    rows: list[dict[str, Any]] = []
    size = 0
    for artifacts in spool.ordered(pair_of):
        row: dict[str, Any] = {"key": pair_of(artifacts[0].name), **dict.fromkeys(pictures)}
        for artifact in artifacts:
            field = field_of(artifact.name)
            if field == RECORD:
                row["record"] = artifact.data.decode()
            else:
                row[PICTURES[field]] = {"bytes": artifact.data, "path": artifact.name}
        rows.append(row)
        size += sum(len(artifact.data) for artifact in artifacts)
        if len(rows) >= ROW_GROUP_ROWS or size >= ROW_GROUP_BYTES:
            yield rows
            rows, size = [], 0
    if rows:
        yield rows
