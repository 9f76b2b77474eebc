"""A compiled artefact from the store, or made anew: every way it can go."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operators.engines.artifacts import FolderArtifacts, digest
from operators.engines.envelope import seal
from operators.engines.errors import EngineError, EngineMemoryError
from operators.engines.obtain import held, keep, obtain
from operators.engines.options import ArtifactKey

MADE_BY = {"library": "torch", "version": "2.13"}
KEY = ArtifactKey(
    engine="aot",
    version="torch 2.13",
    architecture="gpen",
    arguments={"in_size": 32},
    formulation="f/1",
    weights_sha256="0" * 64,
    variant={},
    device="sm_90",
    precision="bf16",
    profile=(1, 8, 16),
    flags={},
)


class Library:
    """Compiles to a text and loads it; counts how often, and refuses texts that say so."""

    def __init__(self) -> None:
        self.compiled = 0

    def compile(self) -> bytes:
        self.compiled += 1
        return f"plan {self.compiled}".encode()

    def load(self, plan: memoryview) -> str:
        text = bytes(plan).decode()
        if "bad" in text:
            raise EngineError("it does not load")
        if "large" in text:
            raise EngineMemoryError("no room")
        return text


@pytest.fixture
def store(tmp_path):
    return FolderArtifacts(tmp_path / "engines")


def test_a_miss_compiles_and_a_hit_does_not(store):
    library = Library()
    first = obtain(store, KEY, MADE_BY, library.compile, library.load)
    second = obtain(store, KEY, MADE_BY, library.compile, library.load)
    assert (first.loaded, first.origin) == ("plan 1", "absent")
    assert (second.loaded, second.origin, second.digest) == ("plan 1", "stored", digest(KEY))
    assert library.compiled == 1


@pytest.mark.parametrize(
    "change",
    [
        {"version": "torch 2.14"},
        {"weights_sha256": "1" * 64},
        {"device": "sm_80"},
        {"precision": "fp16"},
        {"profile": (1, 4, 8)},
        {"flags": {"autotune": True}},
        {"formulation": "f/2"},
        {"arguments": {"in_size": 64}},
        {"variant": {"sft_strength": 0.5}},
        {"architecture": "gfpgan_clean"},
        {"engine": "tensorrt"},
    ],
)
def test_whatever_differs_in_the_key_is_another_artefact(store, change):
    library = Library()
    obtain(store, KEY, MADE_BY, library.compile, library.load)
    other = obtain(store, replace(KEY, **change), MADE_BY, library.compile, library.load)
    assert (other.loaded, other.origin) == ("plan 2", "absent")
    assert obtain(store, KEY, MADE_BY, library.compile, library.load).loaded == "plan 1"


def test_a_stale_artefact_is_compiled_once_more(store):
    library = Library()
    keep(store, KEY, {**MADE_BY, "version": "2.12"}, b"old")
    assert held(store, KEY, {**MADE_BY, "version": "2.12"}) == "stored"
    found = obtain(store, KEY, MADE_BY, library.compile, library.load)
    assert (found.loaded, found.origin) == ("plan 1", "stale")
    assert obtain(store, KEY, MADE_BY, library.compile, library.load).origin == "stored"
    assert library.compiled == 1


@pytest.mark.parametrize("junk", [b"", b"\x7fELF", seal(b"plan", MADE_BY)[:-1]])
def test_a_damaged_artefact_is_compiled_once_more(store, junk):
    library = Library()
    store.save(digest(KEY), junk, {})
    found = obtain(store, KEY, MADE_BY, library.compile, library.load)
    assert (found.loaded, found.origin) == ("plan 1", "damaged")
    assert obtain(store, KEY, MADE_BY, library.compile, library.load).origin == "stored"


def test_a_file_with_a_flipped_bit_is_compiled_once_more(store):
    library = Library()
    obtain(store, KEY, MADE_BY, library.compile, library.load)
    file = next(path for path in store.path.iterdir() if path.suffix != ".json")
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    assert obtain(store, KEY, MADE_BY, library.compile, library.load).loaded == "plan 2"
    assert obtain(store, KEY, MADE_BY, library.compile, library.load).loaded == "plan 2"


def test_an_artefact_that_does_not_load_is_compiled_once_and_no_more(store):
    library = Library()
    keep(store, KEY, MADE_BY, b"bad plan")
    found = obtain(store, KEY, MADE_BY, library.compile, library.load)
    assert (found.loaded, found.origin, library.compiled) == ("plan 1", "unloadable", 1)
    with pytest.raises(EngineError, match="does not load"):
        obtain(None, KEY, MADE_BY, lambda: b"bad again", library.load)


def test_lack_of_memory_keeps_the_artefact(store):
    library = Library()
    keep(store, KEY, MADE_BY, b"large plan")
    with pytest.raises(EngineMemoryError):
        obtain(store, KEY, MADE_BY, library.compile, library.load)
    assert library.compiled == 0
    assert held(store, KEY, MADE_BY) == "stored"


def test_without_a_store_each_time_compiles():
    library = Library()
    for number in (1, 2):
        found = obtain(None, KEY, MADE_BY, library.compile, library.load)
        assert (found.loaded, found.origin) == (f"plan {number}", "absent")


def test_held_looks_and_does_not_load(store):
    assert held(store, KEY, MADE_BY) == "absent"
    keep(store, KEY, MADE_BY, b"bad plan")
    assert held(store, KEY, MADE_BY) == "stored"
    assert held(store, KEY, {**MADE_BY, "version": "3"}) == "stale"
    assert held(store, KEY, MADE_BY) == "absent"
