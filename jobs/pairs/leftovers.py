"""Which objects of an output are certainly what an attempt of a pairs run left of a pair, and not somebody's file."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from jobs.identity import digest
from jobs.pairs.formats.aligned import halves
from jobs.pairs.record import SCHEMA
from pipeline.run import RunHeader
from pipeline.storage import Folder
from pipeline.verify import sha256_at

PICTURES: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "folders": {"{split}/lq": ("degraded",), "{split}/gt": ("target",), "{split}/mask": ("mask",)},
        "aligned": {"{split}": ("degraded", "target")},
        "unpaired": {"{split}A": ("degraded",), "{split}B": ("target",)},
    }
)
"""Folders of the formats that mirror pairs, with what the record calls the pictures in them. Formats with shards are
not here: attempts at a unit write the same shard, so none leaves one of its own."""

RECORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"folders": ("{split}",), "aligned": ("{split}",), "unpaired": ("{split}A", "{split}B")}
)
"""Folders of their records, below `records/`."""

_RECORD = re.compile(r"records/(?P<folder>[^/]+)/(?P<key>[^/]+)\.json")
_PICTURE = re.compile(r"(?P<folder>.+)/(?P<key>[^/]+)\.png")


@dataclass(frozen=True)
class PairLeftovers:
    """Recognises files of a run's pairs by the records that were put before them.

    Attributes:
        format: in which the run writes pairs.
        splits: names of its parts.
        seed: as the run's records have it.
        recipe_sha256: as the run's records have it.
    """

    format: str
    splits: tuple[str, ...]
    seed: int
    recipe_sha256: str

    @staticmethod
    def of(header: RunHeader) -> PairLeftovers:
        """For a run, from what it was planned with."""
        job = header.identity["job"]
        return PairLeftovers(
            job["output"]["format"], tuple(job["split"]["parts"]), job["run"]["seed"], digest(job["degrade"]["recipe"])
        )

    def names(self, key: str) -> tuple[str, ...]:
        """Where files of a pair can lie: its key does not say which part it belongs to, so in every one."""
        return tuple(
            name.format(split=split)
            for split in self.splits
            for name in (
                *(f"records/{folder}/{key}.json" for folder in RECORDS.get(self.format, ())),
                *(f"{folder}/{key}.png" for folder in PICTURES.get(self.format, {})),
            )
        )

    def own(self, folder: Folder, name: str) -> bool:
        """Whether this run's record lies there, or the very picture that this run's record of the pair names."""
        try:
            if found := _RECORD.fullmatch(name):
                return self._record(folder, found["folder"], found["key"]) is not None
            found = _PICTURE.fullmatch(name)
            return found is not None and self._picture(folder, name, found["folder"], found["key"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return False

    def _picture(self, folder: Folder, name: str, place: str, key: str) -> bool:
        for split in self.splits:
            for pattern, sides in PICTURES[self.format].items():
                if pattern.format(split=split) != place:
                    continue
                record = self._record(folder, place.partition("/")[0], key)
                if record is None:
                    return False
                expected = [record[side]["sha256"] for side in sides]
                if len(sides) == 1:
                    return expected == [sha256_at(folder, name)]
                return expected == [_sha256(half) for half in halves(folder.read(name))]
        return False

    def _record(self, folder: Folder, place: str, key: str) -> dict[str, Any] | None:
        """The record of a pair, if a run with this seed and recipe wrote it for this place."""
        record: Any = json.loads(folder.read(f"records/{place}/{key}.json"))
        side = "" if record["side"] == "both" else record["side"]
        ours = (
            record["schema"] == SCHEMA
            and record["key"] == key
            and f"{record['split']}{side}" == place
            and record["seed"]["job"] == self.seed
            and record["recipe"]["sha256"] == self.recipe_sha256
        )
        return record if ours else None


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
