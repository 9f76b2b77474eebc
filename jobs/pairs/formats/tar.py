"""A unit's pairs as one tar: a WebDataset shard, or a part of what is put together when all units are done."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jobs.pairs.formats.members import by_hash, pair_of, shard_of
from pipeline.records import Unit
from pipeline.sinks.spool import Spool
from pipeline.sinks.webdataset import add_member


@dataclass(frozen=True)
class TarContainer:
    """Tars without owners and times: the same bytes for the same pairs.

    Attributes:
        folder: of the tars, relative to the outputs; empty for the outputs themselves.
        role: `shard` or `part`.
        order: of the pairs: `hash` spreads the variants of a sample over the shard, `name` keeps them together.
    """

    folder: str
    role: str
    order: Literal["hash", "name"]

    def name(self, unit: Unit) -> str:
        """`train-000003.tar`, in the folder."""
        name = f"{shard_of(unit)}.tar"
        return f"{self.folder}/{name}" if self.folder else name

    def write(self, spool: Spool, path: Path) -> None:
        """Write the pairs. Names are short and plain, so no member needs an extended header."""
        with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
            for artifacts in spool.ordered(by_hash if self.order == "hash" else pair_of):
                for artifact in artifacts:
                    add_member(tar, artifact.name, artifact.data)
