"""What is written into LMDB follows from the values alone, not from the memory that it was written from."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from pathlib import Path

import lmdb
import pytest

from jobs.pairs.formats import lmdb_writing
from jobs.pairs.formats.lmdb_writing import SortedDatabase
from pipeline.errors import StorageError

WRITE = """
import hashlib, random, sys
from pathlib import Path
from jobs.pairs.formats.lmdb_writing import SortedDatabase
rng = random.Random(1)
junk = [bytearray(rng.randbytes(rng.randrange(1, 9000))) for _ in range(int(sys.argv[2]))]
del junk[::2]
database = SortedDatabase(Path(sys.argv[1]))
for number in range(3000):
    database.put(f"{number:07d}", random.Random(number).randbytes(number % 13 * 900))
print(hashlib.sha256(database.close().read_bytes()).hexdigest())
"""


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_same_bytes_from_any_memory(tmp_path: Path) -> None:
    """Freed memory is filled with other bytes each time, by glibc (MALLOC_PERTURB_) and by what was there before."""
    found = set()
    for number, perturb in enumerate(("0", "85", "170")):
        command = [sys.executable, "-c", WRITE, str(tmp_path / str(number)), str(1000 * number)]
        environment = {**os.environ, "MALLOC_PERTURB_": perturb}
        root = Path(__file__).parents[4]
        done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=True)
        found.add(done.stdout.strip())
    assert len(found) == 1


def test_batches_and_the_map_grow_with_the_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lmdb_writing, "MAP_BYTES", 2**20)
    monkeypatch.setattr(lmdb_writing, "SPARE_PAGES", 64)
    monkeypatch.setattr(lmdb_writing, "BATCH_BYTES", 2**18)
    values = {f"{number:07d}": random.Random(number).randbytes(number % 50 * 400) for number in range(800)}
    paths = []
    for name in ("a", "b"):
        database = SortedDatabase(tmp_path / name)
        for key, value in values.items():
            database.put(key, value)
            assert len(database._held) < 200
        paths.append(database.close())
    assert sha256(paths[0]) == sha256(paths[1])
    environment = lmdb.open(str(tmp_path / "a"), readonly=True, lock=False)
    assert environment.info()["last_txnid"] > 10
    assert 8 * 2**20 <= environment.info()["map_size"] <= 16 * 2**20
    with environment.begin() as transaction:
        assert {bytes(key).decode(): bytes(value) for key, value in transaction.cursor()} == values
    environment.close()


@pytest.mark.parametrize("second", ["0000001", "0000000"])
def test_keys_come_in_order_and_once(tmp_path: Path, second: str) -> None:
    database = SortedDatabase(tmp_path / "a")
    database.put("0000001", b"x")
    database.put(second, b"y")
    with pytest.raises(ValueError, match="out of order"):
        database.close()
    database.abandon()


def test_a_full_disk_is_storages_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lmdb_writing, "MAP_BYTES", 2**16)
    monkeypatch.setattr(SortedDatabase, "_make_room", lambda self: None)
    database = SortedDatabase(tmp_path / "a")
    database.put("0", bytes(2**17))
    with pytest.raises(StorageError, match="LMDB cannot write there"):
        database.close()
    database.abandon()
