"""LMDB as BasicSR reads it; put together from the units' parts, in any order, with bounded room."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from pathlib import Path

import cv2
import lmdb
import numpy as np
import pytest

from jobs.commands.gc import claim_of
from jobs.pairs.formats import parts
from jobs.pairs.formats.index import indexed
from pipeline.errors import LedgerError, StorageError
from pipeline.gc import collect_garbage
from pipeline.records import Output
from pipeline.run import Run
from pipeline.storage import Folder
from pipeline.verify import verify

from .bed import Bed, built, keys_of, pixels_of
from .conftest import Whole


class FileClient:
    """As `basicsr.utils.file_client.LmdbBackend`."""

    def __init__(self, path: Path) -> None:
        assert path.suffix == ".lmdb"
        self._client = lmdb.open(str(path), readonly=True, lock=False, readahead=False)

    def get(self, key: str) -> bytes:
        with self._client.begin(write=False) as transaction:
            value = transaction.get(key.encode("ascii"))
        assert value is not None, key
        return bytes(value)

    def keys(self) -> list[str]:
        with self._client.begin(write=False) as transaction:
            return [bytes(key).decode() for key in transaction.cursor().iternext(values=False)]

    def close(self) -> None:
        self._client.close()


def keys_in(folder: Path) -> list[str]:
    """As `basicsr.data.data_util.paired_paths_from_lmdb`."""
    return [line.split(".")[0] for line in (folder / "meta_info.txt").read_text().splitlines()]


def imfrombytes(data: bytes) -> np.ndarray:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    return np.asarray(pixels[..., ::-1] if pixels.ndim == 3 else pixels)


@pytest.mark.parametrize("mixed", [False, True])
def test_basicsr_reads_pairs(tmp_path: Path, mixed: bool) -> None:
    bed = built(tmp_path, "lmdb", mixed=mixed)
    for split, keys in bed.keys().items():
        assert keys_in(bed.out / f"{split}/lq.lmdb") == keys_in(bed.out / f"{split}/gt.lmdb") == keys
        for place, name in enumerate(("lq", "gt", "mask")):
            client = FileClient(bed.out / f"{split}/{name}.lmdb")
            assert client.keys() == keys
            for key in keys:
                np.testing.assert_array_equal(imfrombytes(client.get(key)), pixels_of(key)[place])
            client.close()
        records = FileClient(bed.out / f"{split}/record.lmdb")
        assert [json.loads(records.get(key))["key"] for key in keys] == keys
        records.close()


def test_lists_and_objects(tmp_path: Path) -> None:
    bed = built(tmp_path, "lmdb", splits={"train": 2})
    one, two = keys_of("train", 2)
    lists = {
        "lq": f"{one}.png (20,24,3) 1\n{two}.png (20,24,3) 1\n",
        "gt": f"{one}.png (40,48,3) 1\n{two}.png (40,48,3) 1\n",
        "mask": f"{one}.png (20,24,1) 1\n{two}.png (20,24,1) 1\n",
    }
    for name, text in lists.items():
        assert (bed.out / f"train/{name}.lmdb/meta_info.txt").read_text() == text
    files = [f"train/{name}.lmdb/{file}" for name in lists for file in ("data.mdb", "lock.mdb", "meta_info.txt")]
    assert sorted(bed.objects()) == sorted([*files, "train/record.lmdb/data.mdb", "train/record.lmdb/lock.mdb"])
    assert not list((bed.out / "_facejobs/parts").glob("*"))
    without = built(tmp_path / "without", "lmdb", masks=False, splits={"train": 2})
    assert not [name for name in without.objects() if "mask" in name]


def test_a_database_can_be_opened_with_its_lock(tmp_path: Path) -> None:
    """The empty lock file is as good as none."""
    bed = built(tmp_path, "lmdb", splits={"train": 2})
    environment = lmdb.open(str(bed.out / "train/lq.lmdb"), map_size=10 * 2**20, readonly=True)
    with environment.begin() as transaction:
        assert transaction.stat()["entries"] == 2
    environment.close()


def test_parts_come_one_at_a_time_where_shards_are_runs_of_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    most: dict[bool, int] = {}
    fetch = parts.Parts._fetch
    for mixed in (False, True):
        bed = Bed(tmp_path / str(mixed), "lmdb", mixed=mixed)
        held: list[int] = []

        def watched(self: parts.Parts, path: str, held: list[int] = held) -> None:
            fetch(self, path)
            held.append(len(list(self._scratch.glob("*.tar"))))

        monkeypatch.setattr(parts.Parts, "_fetch", watched)
        assert bed.drive().state == "complete"
        monkeypatch.undo()
        most[mixed] = max(held)
    assert most == {False: 1, True: 3}


def test_few_files_are_open_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: Whole) -> None:
    monkeypatch.setattr(parts, "OPEN_FILES", 2)
    bed = built(tmp_path, "lmdb", mixed=True, shard_pairs=2)
    assert bed.objects() == whole("lmdb")


def test_the_temporary_folder_is_left_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.setattr("tempfile.tempdir", None)
    built(tmp_path / "done", "lmdb")
    assert os.listdir(scratch) == []  # noqa: PTH208
    bed = Bed(tmp_path / "failed", "lmdb")

    def upload(folder: Folder, name: str, source: Path) -> None:
        if name.endswith("data.mdb"):
            raise StorageError("bucket is gone")
        original(folder, name, source)

    original = Folder.upload
    monkeypatch.setattr(Folder, "upload", upload)
    with pytest.raises(StorageError, match="bucket is gone"):
        bed.drive()
    assert os.listdir(scratch) == []  # noqa: PTH208
    assert not bed.run.complete


def test_a_retry_takes_from_the_databases_what_was_swept_away(tmp_path: Path, whole: Whole) -> None:
    keys = keys_of("train", 11)
    stuck = frozenset({keys[0], keys[5]})
    bed = built(tmp_path, "lmdb", stuck=stuck)
    assert keys_in(bed.out / "train/gt.lmdb") == [key for key in keys if key not in stuck]
    bed.retry()
    assert bed.drive().state == "complete"
    assert bed.objects() == whole("lmdb")


def test_a_retry_that_was_cut_off_while_closing_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: Whole
) -> None:
    bed = built(tmp_path, "lmdb", stuck=frozenset({keys_of("train", 11)[3]}))
    bed.retry()
    original = Folder.upload
    written: list[str] = []

    def upload(folder: Folder, name: str, source: Path) -> None:
        if name == "train/record.lmdb/data.mdb":
            raise StorageError("bucket is gone")
        written.append(name)
        original(folder, name, source)

    monkeypatch.setattr(Folder, "upload", upload)
    with pytest.raises(StorageError):
        bed.drive()
    monkeypatch.undo()
    assert "train/lq.lmdb/data.mdb" in written
    assert bed.drive().state == "complete"
    assert bed.objects() == whole("lmdb")


def test_a_lost_part_is_named_with_its_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: Whole) -> None:
    bed = Bed(tmp_path, "lmdb")
    commit_all(bed, monkeypatch)
    part = bed.out / "_facejobs/parts/train-000001.tar"
    unit = list(bed.run.refs())[1].unit_id
    data = part.read_bytes()
    part.unlink()
    with pytest.raises(LedgerError, match=rf"parts/train-000001\.tar: it is gone; remove .*commits/{unit}\.json"):
        bed.close(bed.run)
    part.write_bytes(data[:-1])
    with pytest.raises(LedgerError, match=rf"train-000001\.tar: it has other bytes .*commits/{unit}\.json"):
        bed.close(bed.run)
    (bed.out / f"_facejobs/runs/{bed.run.header.run_id}/commits/{unit}.json").unlink()
    assert bed.drive().state == "complete"
    assert bed.objects() == whole("lmdb")


def test_parts_that_a_sweep_has_missed_go_with_the_garbage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bed = Bed(tmp_path, "lmdb")
    commit_all(bed, monkeypatch)
    parts_of = sorted(path for path in bed.folder.names() if "/parts/" in path)
    assert len(parts_of) == 4
    assert verify(bed.run).clean
    collect_garbage(bed.run, lambda run: claim_of(run.header), 0.0)
    assert sorted(path for path in bed.folder.names() if "/parts/" in path) == parts_of  # they are needed still
    monkeypatch.setattr(type(bed.made), "sweep", lambda self, run: None)
    assert bed.drive().state == "complete"
    assert sorted(path for path in bed.folder.names() if "/parts/" in path) == parts_of
    assert verify(bed.run).clean
    garbage = collect_garbage(bed.run, lambda run: claim_of(run.header), 0.0)
    assert garbage.piles["parts"].objects == 4
    assert not [path for path in bed.folder.names() if "/parts/" in path]
    assert verify(bed.run).clean


def test_a_damaged_picture_of_the_standing_database_is_found(tmp_path: Path) -> None:
    keys = keys_of("train", 11)
    bed = built(tmp_path, "lmdb", stuck=frozenset({keys[3]}))
    bed.retry()
    environment = lmdb.open(str(bed.out / "train/gt.lmdb"), lock=False, map_size=2**26)
    with environment.begin(write=True) as transaction:
        transaction.put(keys[7].encode(), b"another")
    environment.close()
    with pytest.raises(LedgerError, match=rf"train/gt\.lmdb: pair {keys[7]} has other bytes than its record says"):
        bed.drive()


def test_the_index_sorts_beyond_its_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bed = built(tmp_path, "lmdb", mixed=True, splits={"train": 60}, shard_pairs=7)
    monkeypatch.setattr("jobs.pairs.formats.index.CACHE_KIB", 1)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with indexed(bed.run, scratch) as index:
        assert index.counts() == {"train": 60}
        assert [pair.key for pair in index.pairs("train")] == list(keys_of("train", 60))
        assert sorted(index.spans("train")) == [f"_facejobs/parts/train-{number:06d}.tar" for number in range(9)]
    shutil.rmtree(scratch)


def test_an_index_on_a_full_disk_is_storages_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bed = built(tmp_path, "lmdb", splits={"train": 60}, shard_pairs=30)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    connect = sqlite3.connect

    def small(path: Path, *, isolation_level: None) -> sqlite3.Connection:
        database = connect(path, isolation_level=isolation_level)
        database.execute("PRAGMA max_page_count = 1")
        return database

    monkeypatch.setattr(sqlite3, "connect", small)
    with pytest.raises(StorageError, match=r"the temporary folder .* is full"), indexed(bed.run, scratch):
        raise AssertionError("the index found room")


def commit_all(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every unit is committed, and closing the run is refused."""

    def refuse(run: Run) -> list[Output]:
        raise StorageError("not yet")

    with monkeypatch.context() as patch:
        patch.setattr(bed, "close", refuse)
        with pytest.raises(StorageError, match="not yet"):
            bed.drive()
