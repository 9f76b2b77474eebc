"""Reads pairs back out of the LMDB that an earlier end of the run has written, when their parts are swept away."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lmdb

from jobs.pairs.formats.index import Part
from jobs.pairs.formats.parts import advice, download
from pipeline.errors import LedgerError
from pipeline.finals import finals_of
from pipeline.run import Run

SIDES = {"lq": "degraded", "gt": "target", "mask": "mask"}
"""What a record calls the pictures of a database."""


class Standing:
    """The databases of one split, each fetched when it is first asked for."""

    def __init__(self, run: Run, split: str, scratch: Path) -> None:
        self._run = run
        self._split = split
        self._scratch = scratch
        self._written = {output.path for output in finals_of(run) or ()}
        self._open: dict[str, lmdb.Environment | None] = {}

    def read(self, key: str, part: Part) -> dict[str, bytes]:
        """A pair's files by database, each picture compared with the hash that the record has.

        Args:
            key: of the pair.
            part: the one that held it and is gone.

        Raises:
            LedgerError: the pair is not there either, or a picture is not as it was.
        """
        again = advice(self._run, part.unit_id)
        data = self._value("record", key)
        if data is None:
            raise LedgerError(f"{self._run.outputs.uri}/{part.output.path}: it is gone; {again}")
        record = json.loads(data)
        found = {"record": data}
        for name, side in SIDES.items():
            if record[side] is None:
                continue
            picture = self._value(name, key)
            if picture is None and name == "mask":
                continue
            if picture is None or hashlib.sha256(picture).hexdigest() != record[side]["sha256"]:
                place = f"{self._run.outputs.uri}/{self._split}/{name}.lmdb"
                raise LedgerError(f"{place}: pair {key} has other bytes than its record says; {again}")
            found[name] = picture
        return found

    def close(self) -> None:
        """Let the files go."""
        for environment in self._open.values():
            if environment is not None:
                environment.close()

    def _value(self, name: str, key: str) -> bytes | None:
        if name not in self._open:
            self._open[name] = self._fetch(name)
        environment = self._open[name]
        if environment is None:
            return None
        with environment.begin() as transaction:
            value = transaction.get(key.encode())
        return None if value is None else bytes(value)

    def _fetch(self, name: str) -> lmdb.Environment | None:
        path = f"{self._split}/{name}.lmdb/data.mdb"
        if path not in self._written:
            return None
        folder = self._scratch / f"standing-{name}"
        folder.mkdir()
        try:
            download(self._run.outputs, path, folder / "data.mdb")
        except FileNotFoundError:
            return None
        return lmdb.open(str(folder), readonly=True, lock=False, create=False, readahead=False)


@contextmanager
def standing(run: Run, split: str, scratch: Path) -> Iterator[Standing]:
    """What stands of a split, in a temporary folder."""
    reader = Standing(run, split, scratch)
    try:
        yield reader
    finally:
        reader.close()
