"""The folder of compiled engines: whole or absent, whatever happens to its files."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import os
import pickle
import time
from pathlib import Path
from types import MappingProxyType

import pytest

from operators.engines.artifacts import FolderArtifacts, digest
from operators.engines.options import ArtifactKey

KEY = ArtifactKey(
    engine="openvino",
    version="2026.1",
    architecture="gpen",
    arguments=MappingProxyType({"size": 512, "narrow": 0.5, "shape": (3, 512, 512)}),
    formulation="activation-scaled/1",
    weights_sha256="ab" * 32,
    variant=MappingProxyType({"sft_strength": 1.0}),
    device="cpu:avx512_bf16",
    precision="bf16",
    profile=(1, 8, 16),
    flags=MappingProxyType({"nested": MappingProxyType({"streams": 1})}),
)
OTHERS = {
    "engine": "tensorrt",
    "version": "2026.2",
    "architecture": "gfpgan_clean",
    "arguments": {"size": 256, "narrow": 0.5, "shape": (3, 512, 512)},
    "formulation": "activation-scaled/2",
    "weights_sha256": "cd" * 32,
    "variant": {"sft_strength": 0.5},
    "device": "cpu:avx2",
    "precision": "fp32",
    "profile": (1, 4, 16),
    "flags": {"nested": {"streams": 2}},
}


@pytest.fixture
def store(tmp_path: Path) -> FolderArtifacts:
    return FolderArtifacts(tmp_path / "engines")


def test_digest_is_stable_and_knows_no_order() -> None:
    assert digest(KEY) == digest(dataclasses.replace(KEY, arguments=dict(reversed(KEY.arguments.items()))))
    assert digest(KEY) == "81ff9943bc764f6e01eabeb9678a8e4dcaca3a02fd713142cb82a271f0796112"


@pytest.mark.parametrize("name", OTHERS)
def test_everything_in_the_key_changes_the_digest(name: str) -> None:
    assert set(OTHERS) == {field.name for field in dataclasses.fields(ArtifactKey)}
    assert digest(dataclasses.replace(KEY, **{name: OTHERS[name]})) != digest(KEY)


@pytest.mark.parametrize(("value", "error"), [(object(), TypeError), (float("nan"), ValueError)])
def test_a_key_that_is_not_json_is_refused(value: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        digest(dataclasses.replace(KEY, flags={"what": value}))


def test_what_is_saved_is_loaded(store: FolderArtifacts) -> None:
    name = digest(KEY)
    assert store.load(name) is None
    for data in (b"", b"\n", bytes(range(256)) * 5000):
        store.save(name, data, {"key": KEY.arguments})
        assert store.load(name) == data
    beside = json.loads((store.path / f"{name}.json").read_text())
    assert beside["key"]["size"] == 512
    assert not list(store.path.glob(".*"))


def test_a_store_travels(store: FolderArtifacts) -> None:
    store.save(digest(KEY), b"engine", {})
    assert pickle.loads(pickle.dumps(store)).load(digest(KEY)) == b"engine"


def damaged(content: bytes) -> dict[str, bytes]:
    middle = len(content) - 5
    return {
        "empty": b"",
        "truncated": content[:-1],
        "header alone": content[: content.index(b"\n") + 1],
        "longer": content + b"x",
        "a bit flipped": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
        "foreign": b"\x7fELF" + bytes(10000),
        "no line end": b"{" * 10000,
        "zeros": bytes(len(content)),
    }


@pytest.mark.parametrize("kind", damaged(b"{}\n123456789"))
def test_a_damaged_file_is_not_there_and_goes(store: FolderArtifacts, kind: str) -> None:
    name = digest(KEY)
    store.save(name, b"engine" * 100, {})
    file = store.path / f"{name}.engine"
    file.write_bytes(damaged(file.read_bytes())[kind])
    assert store.load(name) is None
    assert not file.exists()
    store.save(name, b"again", {})
    assert store.load(name) == b"again"


def test_an_artefact_under_another_key_s_name_is_foreign(store: FolderArtifacts) -> None:
    name, other = digest(KEY), digest(dataclasses.replace(KEY, precision="fp32"))
    store.save(name, b"bf16 engine", {})
    (store.path / f"{name}.engine").rename(store.path / f"{other}.engine")
    assert store.load(other) is None


def test_discard_forgets(store: FolderArtifacts) -> None:
    store.discard(digest(KEY))
    store.save(digest(KEY), b"engine", {})
    store.discard(digest(KEY))
    assert store.load(digest(KEY)) is None
    assert not list(store.path.iterdir())


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "a" * 63, "A" * 64, "a" * 64 + "\n"])
def test_a_name_that_is_no_digest_is_refused(store: FolderArtifacts, name: str) -> None:
    for call in (store.load, store.discard, lambda bad: store.save(bad, b"", {})):
        with pytest.raises(ValueError, match="digest"):
            call(name)


def test_a_folder_that_cannot_be_written_is_tolerated(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = FolderArtifacts(tmp_path / "file" / "engines")  # below a file nothing can be made, not even by root
    store.save(digest(KEY), b"engine", {})
    assert "cannot be kept" in caplog.text
    assert store.load(digest(KEY)) is None
    store.discard(digest(KEY))


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes to read-only folders")
def test_a_read_only_folder_serves_and_keeps_nothing(store: FolderArtifacts) -> None:
    store.save(digest(KEY), b"engine", {})
    store.path.chmod(0o555)
    try:
        store.save(digest(KEY), b"other", {})
        assert store.load(digest(KEY)) == b"engine"
        store.discard(digest(KEY))
        assert store.load(digest(KEY)) == b"engine"
    finally:
        store.path.chmod(0o755)


def test_a_file_that_is_a_folder_is_tolerated(store: FolderArtifacts) -> None:
    (store.path / f"{digest(KEY)}.engine").mkdir(parents=True)
    assert store.load(digest(KEY)) is None
    store.save(digest(KEY), b"engine", {})
    store.discard(digest(KEY))


def test_leftovers_of_killed_writers_go_after_a_day(store: FolderArtifacts) -> None:
    store.save(digest(KEY), b"engine", {})
    old, young = store.path / ".a.engine.x.part", store.path / ".b.engine.y.part"
    for part in (old, young):
        part.write_bytes(b"half")
    os.utime(old, (time.time() - 2 * 86400,) * 2)
    store.save(digest(KEY), b"engine", {})
    assert young.exists()
    assert not old.exists()


def _write_and_read(folder: Path, byte: int, rounds: int) -> None:
    store, name = FolderArtifacts(folder), digest(KEY)
    for _ in range(rounds):
        store.save(name, bytes([byte]) * 300_000, {"writer": byte})
        found = store.load(name)
        assert found is not None
        assert len(found) == 300_000
        assert len(set(found)) == 1


def test_two_processes_never_see_half_an_artefact(store: FolderArtifacts) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_and_read, args=(store.path, byte, 40)) for byte in (1, 2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert not list(store.path.glob(".*"))
