"""Whatever happens on the way, a format's objects are the same, all are named, and verify finds nothing."""

from __future__ import annotations

import pickle
import uuid
from pathlib import Path
from typing import get_args

import pytest

from jobs.pairs.formats.table import FORMATS, make_format
from jobs.spec.pairs_output import PairFormatName
from pipeline.errors import StorageError
from pipeline.ledger import Commit, Ledger
from pipeline.storage import Folder
from pipeline.verify import verify

from .bed import SCALE, Bed, built
from .conftest import Whole


def bed_of(root: Path, name: str, **asked: object) -> Bed:
    return Bed(root, name, scale=SCALE.get(name, 2), **asked)  # type: ignore[arg-type]


def test_every_format_of_a_job_file_is_there() -> None:
    assert set(FORMATS) == set(get_args(PairFormatName))
    for name in FORMATS:
        made = make_format(name, masks=True)
        assert made.name == name
        assert pickle.loads(pickle.dumps(made)) == made
        assert made.paired == (name != "unpaired")
        assert made.same_size == (name == "aligned")


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_two_builds(tmp_path: Path, name: str, whole: Whole) -> None:
    first = built(tmp_path, name, scale=SCALE.get(name, 2))
    assert first.objects() == whole(name)
    assert len(first.objects()) > 1
    findings = verify(first.run)
    assert findings.clean, findings
    assert findings.checked == len(first.objects())


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_an_attempt_that_was_lost_before_its_commit(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch, whole: Whole
) -> None:
    """Its shard, or its objects, are written; the next attempt writes them again."""
    bed = bed_of(tmp_path / "lost", name)
    original = Ledger.commit
    lost: list[str] = []

    def commit(ledger: Ledger, made: Commit) -> bool:
        if made.index == 1 and not lost:
            lost.append(made.unit_id)
            raise StorageError("cut off")
        return original(ledger, made)

    monkeypatch.setattr(Ledger, "commit", commit)
    assert bed.drive().state == "storage"
    assert bed.objects()
    assert bed.drive().state == "complete"
    assert {commit.attempt for commit in bed.run.ledger.commits(lost)} == {2}
    monkeypatch.undo()
    assert bed.objects() == whole(name)
    assert verify(bed.run).clean


@pytest.mark.parametrize("name", ["folders", "aligned", "unpaired"])
def test_an_attempt_that_was_lost_in_its_middle(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch, whole: Whole
) -> None:
    bed = bed_of(tmp_path / "lost", name)
    original = Folder.write
    count = [0]

    def write(folder: Folder, path: str, data: bytes) -> None:
        if path.endswith(".png"):
            count[0] += 1
            if count[0] == 6:
                raise StorageError("cut off")
        original(folder, path, data)

    monkeypatch.setattr(Folder, "write", write)
    assert bed.drive().state == "storage"
    assert bed.drive().state == "complete"
    assert bed.objects() == whole(name)


@pytest.mark.parametrize("name", ["folders", "lmdb", "parquet"])
def test_closing_that_was_cut_off_is_done_again(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch, whole: Whole
) -> None:
    bed = bed_of(tmp_path / "lost", name)
    original = Folder.upload
    finals = [name for name in whole(name) if not name.startswith(("data/", "records/")) and "/lq/" not in name]
    last = max(name for name in finals if not name.endswith(".png"))

    def upload(folder: Folder, path: str, source: Path) -> None:
        if path == last:
            raise StorageError("cut off")
        original(folder, path, source)

    monkeypatch.setattr(Folder, "upload", upload)
    with pytest.raises(StorageError, match="cut off"):
        bed.drive()
    assert not bed.run.complete
    monkeypatch.undo()
    assert bed.drive().state == "complete"
    assert bed.objects() == whole(name)
    assert verify(bed.run).clean


@pytest.mark.parametrize("name", ["folders", "lmdb", "parquet"])
@pytest.mark.parametrize("store", ["memory", pytest.param("s3", marks=pytest.mark.s3)])
def test_other_stores(tmp_path: Path, name: str, store: str, whole: Whole, request: pytest.FixtureRequest) -> None:
    folder = Folder(f"memory://{uuid.uuid4().hex}/out")
    if store == "s3":
        server = request.getfixturevalue("s3")
        folder = Folder(server.bucket(f"pairs-{name}") + "/out", server.options)
    bed = built(tmp_path, name, output=folder)
    assert bed.objects() == whole(name)
    assert verify(bed.run).clean


def test_records_are_put_before_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By them `facejobs gc` knows what an attempt has left for its own."""
    order: list[str] = []
    original = Folder.write
    monkeypatch.setattr(
        Folder, "write", lambda folder, name, data: (order.append(name), original(folder, name, data))[1]
    )
    bed = built(tmp_path, "folders", splits={"train": 1})
    names = [name for name in order if bed.keys()["train"][0] in name]
    assert names[0].startswith("records/")
    assert len(names) == 4
