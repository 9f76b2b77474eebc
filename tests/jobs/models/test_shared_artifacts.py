"""Compiled engines over a shared place: found there, kept here, never believed unchecked."""

from __future__ import annotations

import logging
import pickle
from pathlib import Path
from typing import Any

import fsspec
import pytest

from jobs.models.artifacts import SharedArtifacts
from operators.engines.artifacts import FolderArtifacts

DIGEST = "ab" * 32
ABOUT = {"key": {"engine": "eager"}}
DATA = bytes(range(256)) * 40


@pytest.fixture(params=["local", "memory"])
def uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "shared") if request.param == "local" else f"memory://engines-{tmp_path.name}"


def test_what_one_machine_compiles_another_finds(uri: str, tmp_path: Path) -> None:
    one, two = SharedArtifacts(tmp_path / "one", uri), SharedArtifacts(tmp_path / "two", uri)
    assert two.load(DIGEST) is None
    one.save(DIGEST, DATA, ABOUT)
    assert pickle.loads(pickle.dumps(two)).load(DIGEST) == DATA
    assert FolderArtifacts(tmp_path / "two").load(DIGEST) == DATA  # kept here from now on
    assert (tmp_path / "two" / f"{DIGEST}.json").read_bytes() == (tmp_path / "one" / f"{DIGEST}.json").read_bytes()
    two.discard(DIGEST)
    assert two.load(DIGEST) is None
    assert one.load(DIGEST) == DATA  # still here, and shared again when asked
    assert one.share(DIGEST)
    assert two.load(DIGEST) == DATA


def test_a_shared_artefact_that_changed_is_not_used(uri: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    SharedArtifacts(tmp_path / "one", uri).save(DIGEST, DATA, ABOUT)
    fs, root = fsspec.core.url_to_fs(uri)
    path = f"{root}/{DIGEST}.engine"
    sealed = bytearray(fs.cat_file(path))
    sealed[-1] ^= 1
    fs.pipe_file(path, bytes(sealed))
    with caplog.at_level(logging.WARNING):
        assert SharedArtifacts(tmp_path / "two", uri).load(DIGEST) is None
    assert "damaged" in caplog.text


def test_an_artefact_under_another_name_is_not_used(uri: str, tmp_path: Path) -> None:
    SharedArtifacts(tmp_path / "one", uri).save(DIGEST, DATA, ABOUT)
    fs, root = fsspec.core.url_to_fs(uri)
    fs.pipe_file(f"{root}/{'cd' * 32}.engine", fs.cat_file(f"{root}/{DIGEST}.engine"))
    assert SharedArtifacts(tmp_path / "two", uri).load("cd" * 32) is None


def test_a_shared_place_out_of_reach_is_logged_without_its_secrets(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    for place in (str(tmp_path / "file"), "http://someone:hunter2@127.0.0.1:9/engines?sig=hunter2"):
        store = SharedArtifacts(tmp_path / "here", place)
        with caplog.at_level(logging.WARNING):
            store.save(DIGEST, DATA, ABOUT)
            assert store.load(DIGEST) == DATA
            assert not store.share(DIGEST)
        assert "could not be written" in caplog.text
        assert "hunter2" not in caplog.text


def test_without_a_shared_place_it_is_a_folder(tmp_path: Path) -> None:
    store = SharedArtifacts(tmp_path)
    store.save(DIGEST, DATA, ABOUT)
    assert store.load(DIGEST) == DATA
    assert not store.share(DIGEST)


@pytest.mark.s3
def test_a_bucket_is_a_shared_place(s3: Any, tmp_path: Path) -> None:
    uri = f"{s3.bucket('engines')}/facejobs"
    SharedArtifacts(tmp_path / "one", uri, s3.options).save(DIGEST, DATA, ABOUT)
    assert SharedArtifacts(tmp_path / "two", uri, s3.options).load(DIGEST) == DATA
    wrong = {**s3.options, "secret": "wrong"}
    assert SharedArtifacts(tmp_path / "three", uri, wrong).load(DIGEST) is None
