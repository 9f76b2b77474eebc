"""An LMDB file written key by key in their order, in bounded memory, with the same bytes for the same values."""

from __future__ import annotations

from pathlib import Path

import lmdb

from jobs.pairs.formats.finals import SCRATCH
from pipeline.errors import StorageError

BATCH_BYTES = 16 * 2**20
"""Values that are held before they are written in one transaction."""
MAP_BYTES = 2**24
"""The map at first; it is doubled whenever the next batch might not fit."""
SPARE_PAGES = 256
"""For the pages of the tree that a transaction writes anew, and the list of free ones."""


class SortedDatabase:
    """A new database in a folder.

    What LMDB writes follows from the sequence of values alone: batches are cut by their bytes, the map grows by
    doubling, pages are zeroed before use (no MDB_NOMEMINIT), and no reader ever holds a page back.

    Args:
        folder: does not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        self._map = MAP_BYTES
        self._environment = lmdb.open(
            str(folder), map_size=self._map, lock=False, sync=False, metasync=False, readahead=False, meminit=True
        )
        self._page = int(self._environment.stat()["psize"])
        self._held: list[tuple[bytes, bytes]] = []
        self._bytes = 0

    def put(self, key: str, value: bytes) -> None:
        """Append a value.

        Args:
            key: greater than all before, by its bytes.
            value: of any length.

        Raises:
            ValueError: the key is not greater.
            StorageError: the disk is full, or fails.
        """
        self._held.append((key.encode(), value))
        self._bytes += len(value)
        if self._bytes >= BATCH_BYTES:
            self._write()

    def close(self) -> Path:
        """Write what is held; gives the file."""
        self._write()
        self._environment.close()
        return self._folder / "data.mdb"

    def abandon(self) -> None:
        """Close without writing what is held; harmless after `close`."""
        self._environment.close()

    def _write(self) -> None:
        self._make_room()
        try:
            with self._environment.begin(write=True) as transaction:
                for key, value in self._held:
                    if not transaction.put(key, value, append=True, overwrite=False):
                        raise ValueError(f"LMDB: {key.decode()!r} comes twice or out of order")
        except lmdb.KeyExistsError as error:
            raise ValueError(f"LMDB: a key comes out of order ({error})") from error
        except lmdb.Error as error:
            raise StorageError(f"{SCRATCH}: LMDB cannot write there ({type(error).__name__}: {error})") from error
        self._held, self._bytes = [], 0

    def _make_room(self) -> None:
        """Double the map until the batch fits, whether values lie in the tree's pages or in pages of their own."""
        used = int(self._environment.info()["last_pgno"]) + 1
        wanted = sum(2 + (len(value) + 16) // self._page for _, value in self._held)
        while (used + wanted + SPARE_PAGES) * self._page > self._map:
            self._map *= 2
            self._environment.set_mapsize(self._map)
