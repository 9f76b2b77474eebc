"""The block `output` of a pairs job: where the pairs go, and in which format."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from jobs.spec.common import Block, StorageOptions, Text

PairFormatName = Literal["webdataset", "folders", "lmdb", "parquet", "aligned", "unpaired"]


class PairsOutput(Block):
    """Pairs, their records, and the run's ledger in `_facejobs/` below them."""

    uri: Text
    """Folder for the results: a path relative to the job file, or any writable URL that fsspec knows."""
    storage_options: StorageOptions = Field(default={})
    """Options for that storage (credentials, endpoint); values may hold ${NAME} or ${NAME:-default}."""
    format: PairFormatName = "webdataset"
    """WebDataset tars, BasicSR's folders or LMDB, Hugging Face Parquet, pix2pix's or CycleGAN's folders."""
    shard_pairs: int = Field(default=1000, ge=1, le=1_000_000)
    """Most pairs of a shard, and of a unit of work where the format has no shards."""
    masks: bool = True
    """Whether the masks of a recipe that has them are written."""
    licence: Text | None = None
    """What the pairs may be used for, as an SPDX expression or in words; for the records and the dataset card."""
    existing: Literal["refuse", "replace", "version"] = "refuse"
    """What to do where the output holds another run's results."""
