"""Counts over the table of a pairs run, in memory that grows by 8 bytes a sample."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from jobs.pairs.report.data import Split
from pipeline.keyset import hash64

LEAST_SORTED = 65_536
"""Hashes that are gathered before they are sorted into the others."""


class Distinct:
    """Counts different strings by 64-bit hashes of them."""

    def __init__(self) -> None:
        self._hashes: NDArray[np.uint64] = np.empty(0, np.uint64)
        self._fresh: list[NDArray[np.uint64]] = []
        self._waiting = 0

    def add(self, column: pa.ChunkedArray) -> None:
        """Take a column of strings."""
        texts = pc.unique(column).drop_null().to_pylist()
        self._fresh.append(np.fromiter(map(hash64, texts), np.uint64, len(texts)))
        self._waiting += len(texts)
        # Sorting each part into all that came before would take time by the square of them.
        if self._waiting > max(self._hashes.size, LEAST_SORTED):
            self._sort()

    def __len__(self) -> int:
        """How many different ones."""
        self._sort()
        return int(self._hashes.size)

    def _sort(self) -> None:
        self._hashes = np.unique(np.concatenate((self._hashes, *self._fresh)))
        self._fresh, self._waiting = [], 0


class Counted:
    """Pairs, samples, groups and shards by split; sources."""

    def __init__(self) -> None:
        self.sources = Distinct()
        self.samples = Distinct()
        self._shards: dict[str, Counter[str]] = {}
        self._samples: dict[str, Distinct] = {}
        self._groups: dict[str, Distinct] = {}

    def add(self, table: pa.Table) -> None:
        """Take a part of the table."""
        table = table.select(
            ["source_key", "sample_key", "group", "split", "shard"]
        )  # the records' texts are not copied
        self.sources.add(table["source_key"])
        self.samples.add(table["sample_key"])
        for split in pc.unique(table["split"]).to_pylist():
            rows = table.filter(pc.equal(table["split"], split))
            shards = self._shards.setdefault(split, Counter())
            for entry in pc.value_counts(rows["shard"]).to_pylist():
                shards[entry["values"]] += entry["counts"]
            self._samples.setdefault(split, Distinct()).add(rows["sample_key"])
            self._groups.setdefault(split, Distinct()).add(rows["group"])

    def splits(self) -> tuple[Split, ...]:
        """What has been counted so far, the largest split first."""
        made = [
            Split(
                name=name,
                pairs=shards.total(),
                samples=len(self._samples[name]),
                groups=len(self._groups[name]),
                shards=len(shards),
                smallest=min(shards.values()),
                largest=max(shards.values()),
            )
            for name, shards in self._shards.items()
        ]
        return tuple(sorted(made, key=lambda split: (-split.pairs, split.name)))
