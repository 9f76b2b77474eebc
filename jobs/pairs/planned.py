"""What a planned pair says of itself: a record's metadata, and its way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jobs.pairs.formats.contract import Side
from jobs.pairs.sample import Sample
from pipeline.records import Record


@dataclass(frozen=True)
class PlannedPair:
    """One pair of the plan.

    Attributes:
        name: of the pair.
        split: which part it belongs to.
        shard: which shard it goes into.
        side: both, or one where sides are not paired.
        variant: from 0, of its sample.
        group: who or what it shows.
        source: key, sha256, bytes, format, width and height of the image as the survey saw it.
        sample: what is cut out of it.
    """

    name: str
    split: str
    shard: str
    side: Side
    variant: int
    group: str
    source: dict[str, Any]
    sample: Sample

    @property
    def sample_key(self) -> str:
        """The key for which the recipe is drawn."""
        return f"{self.source['key']}#{self.sample.index}"

    def to_record(self, uri: str, version: str, offset: int, row: int, shard: str) -> Record:
        """As a record of the plan: it lies where its source does, and goes into a shard."""
        metadata = {
            "split": self.split,
            "shard": shard,
            "side": self.side,
            "variant": self.variant,
            "group": self.group,
            "source": self.source,
            "sample": self.sample.to_dict(),
        }
        return Record(self.name, uri, version, int(self.source["bytes"]), offset, row, metadata)

    @staticmethod
    def of(record: Record) -> PlannedPair:
        """From a record of the plan."""
        said = dict(record.metadata)
        return PlannedPair(
            name=record.key,
            split=said["split"],
            shard=said["shard"],
            side=said["side"],
            variant=said["variant"],
            group=said["group"],
            source=said["source"],
            sample=Sample.from_dict(said["sample"]),
        )
