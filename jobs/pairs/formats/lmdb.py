"""Pairs as LMDB databases, as BasicSR reads them.

https://github.com/XPixelGroup/BasicSR/blob/master/docs/DatasetPreparation.md describes their form.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from jobs.pairs.formats.contract import About, PairFiles
from jobs.pairs.formats.finals import SCRATCH, put_final
from jobs.pairs.formats.index import IndexedPair, PairIndex, indexed
from jobs.pairs.formats.lmdb_writing import SortedDatabase
from jobs.pairs.formats.members import GT, LQ, MASK, RECORD, members
from jobs.pairs.formats.parts import GoneError, opened
from jobs.pairs.formats.standing import standing
from jobs.pairs.formats.tar import TarContainer
from pipeline import layout
from pipeline.records import Artifact, Output
from pipeline.run import Run
from pipeline.sinks.writing import writing_errors
from pipeline.sweep import drop_intermediates

DATABASES = {LQ: "lq", GT: "gt", MASK: "mask", RECORD: "record"}
"""Databases of a split, by member of a part."""
LEVEL = 1
"""What the lists say of the PNGs' compression. BasicSR writes its own level there, and no reader looks at it."""


@dataclass(frozen=True)
class LmdbFormat:
    """`{split}/lq.lmdb`, `gt.lmdb`, `mask.lmdb` where there are masks, and `record.lmdb`; keys are the pairs' names.

    Each has `data.mdb` and an empty `lock.mdb`; those of pictures also `meta_info.txt` with the lines
    `NAME.png (height,width,channels) 1`, from which BasicSR takes the keys.

    Units write tars in `_facejobs/parts/`. Closing puts them together, and needs room on the local disk for all pairs
    of the largest split twice, in the temporary folder.

    Attributes:
        masks: whether masks are written.
    """

    masks: bool
    name: str = "lmdb"
    paired: bool = True
    same_size: bool = False

    def artifacts(self, pair: PairFiles) -> Sequence[Artifact]:
        """The pair's members of the part."""
        return members(pair, masks=self.masks)

    def container(self) -> TarContainer:
        """A part a unit, its pairs by name."""
        return TarContainer(layout.PARTS, "part", "name")

    def close(self, run: Run, about: About) -> Sequence[Output]:
        """Write the databases, split by split.

        Raises:
            LedgerError: a part is not as it was written.
            StorageError: the temporary folder is full; storage refused or did not answer.
        """
        finals: list[Output] = []
        with tempfile.TemporaryDirectory(prefix="facejobs-pairs-") as folder, indexed(run, Path(folder)) as index:
            for split in index.counts():
                finals.extend(_write_split(run, index, split, Path(folder)))
        return finals

    def sweep(self, run: Run) -> None:
        """Remove the parts."""
        drop_intermediates(run)


class _Databases:
    """The databases of a split while they are written; one exists once it has a value."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._databases: dict[str, SortedDatabase] = {}
        self._lists: dict[str, TextIO] = {}

    def put(self, name: str, pair: IndexedPair, data: bytes) -> None:
        """Append a pair's file to one of them."""
        if name not in self._databases:
            self._databases[name] = SortedDatabase(self._scratch / name)
            if name != "record":
                self._lists[name] = (self._scratch / f"{name}.txt").open("w", encoding="ascii", newline="\n")
        self._databases[name].put(pair.key, data)
        if name in self._lists:
            width, height = pair.target if name == "gt" else pair.degraded
            bands = 1 if name == "mask" else 3
            self._lists[name].write(f"{pair.key}.png ({height},{width},{bands}) {LEVEL}\n")

    def finish(self) -> Iterator[tuple[str, Path]]:
        """Write what is held, and give each file with its name in the split's folder."""
        for name, database in sorted(self._databases.items()):
            yield f"{name}.lmdb/data.mdb", database.close()
            lock = self._scratch / f"{name}.lock"
            lock.touch()
            yield f"{name}.lmdb/lock.mdb", lock
            if name in self._lists:
                self._lists[name].close()
                yield f"{name}.lmdb/meta_info.txt", Path(self._lists[name].name)

    def abandon(self) -> None:
        """Close all files; harmless after `finish`."""
        for file in self._lists.values():
            file.close()
        for database in self._databases.values():
            database.abandon()


def _write_split(run: Run, index: PairIndex, split: str, folder: Path) -> list[Output]:
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="split-", dir=folder)))
        parts = stack.enter_context(opened(run, index.parts, index.spans(split), scratch / "parts"))
        before = stack.enter_context(standing(run, split, scratch))
        databases = _Databases(scratch)
        stack.callback(databases.abandon)
        with writing_errors(f"{split}/*.lmdb", SCRATCH):
            for pair in index.pairs(split):
                try:
                    files = {DATABASES[field]: data for field, data in parts.read(pair).items()}
                except GoneError:
                    files = before.read(pair.key, index.parts[pair.part])
                for name, data in files.items():
                    databases.put(name, pair, data)
        return [put_final(run, f"{split}/{name}", path) for name, path in databases.finish()]
