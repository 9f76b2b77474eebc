"""Pairs as WebDataset shards (https://github.com/webdataset/webdataset)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jobs.pairs.formats.contract import About, PairFiles
from jobs.pairs.formats.members import members
from jobs.pairs.formats.tar import TarContainer
from pipeline.records import Artifact, Output
from pipeline.run import Run


@dataclass(frozen=True)
class WebDatasetFormat:
    """`{split}-{index}.tar` with `NAME.lq.png`, `NAME.gt.png`, `NAME.mask.png` where there is one, and `NAME.json`.

    Attributes:
        masks: whether masks are written.
    """

    masks: bool
    name: str = "webdataset"
    paired: bool = True
    same_size: bool = False

    def artifacts(self, pair: PairFiles) -> Sequence[Artifact]:
        """The pair's members of the shard."""
        return members(pair, masks=self.masks)

    def container(self) -> TarContainer:
        """A shard a unit; within it, pairs come in the order of SHA-256 of their names."""
        return TarContainer("", "shard", "hash")

    def close(self, run: Run, about: About) -> Sequence[Output]:
        """Nothing: shards need nothing beside them."""
        return ()

    def sweep(self, run: Run) -> None:
        """Nothing was written that is not wanted."""
