"""The cache: what gets in, what is found, what is said of what is wrong."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

import pytest
import tiny_models as tiny
import torch

from operators.checkpoints import CheckpointError
from operators.models import CHECKPOINTS, Checkpoint, ModelFileError, ModelRefusedError, NoModelError, accept
from operators.models import cache as caching
from operators.models.cache import Cache
from operators.models.card import CARD, parse_card
from operators.models.folder import default_folder


def draft(name: str = "mine", **more: object) -> Checkpoint:
    empty = Checkpoint(name, "", (), None, None, "not said", False, "", "", None, None, None, None, "", True)
    return dataclasses.replace(empty, **more)  # type: ignore[arg-type]


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Checkpoint:
    """A small model that stands in the table with its hash, and is non-commercial."""
    path = tiny.save(tmp_path / "Tiny.pth", seed=5)
    entry = dataclasses.replace(
        CHECKPOINTS["gpen-bfr-512"],
        name="tiny",
        file="Tiny.pth",
        size=16,
        bytes=path.stat().st_size,
        sha256=tiny.sha256(path),
    )
    table = MappingProxyType({**CHECKPOINTS, "tiny": entry})
    for module in (accept, caching):
        monkeypatch.setattr(module, "CHECKPOINTS", table)
    return entry


def test_a_model_of_ones_own_is_described_by_what_is_in_it(cache: Cache, tmp_path: Path) -> None:
    path = tiny.save(tmp_path / "my best.pth")
    assert cache.find("mine") is None
    model = cache.add(path, "mine", draft=draft(licence="CC0-1.0"))
    assert model == cache.find("mine")
    assert model.path.read_bytes() == path.read_bytes()
    about = model.checkpoint
    assert (about.architecture, about.restorer, about.task, about.template) == ("gpen", "gpen", "restore", "gpen")
    assert (about.size, about.bytes, about.sha256) == (16, path.stat().st_size, tiny.sha256(path))
    assert (about.licence, about.noncommercial, about.runs) == ("CC0-1.0", False, True)
    assert model.card.held_to == "first use"
    assert model.card.arguments["in_size"] == 16
    assert model.card.origin == str(path)
    assert path.exists()
    assert [one.checkpoint.name for one in cache.list()] == ["compact", "mine"]
    assert cache.verify("mine").state == "as recorded"


@pytest.mark.parametrize(
    ("architecture", "said", "expected"),
    [
        ("gfpgan_clean", {}, ("gfpgan", "restore", "ffhq", 16)),
        ("gpen", {"task": "colorize", "template": "ffhq"}, ("gpen", "colorize", "ffhq", 16)),
        ("parsenet", {}, (None, None, "ffhq", 64)),
    ],
)
def test_what_is_said_and_what_is_read_come_together(
    cache: Cache, tmp_path: Path, architecture: str, said: dict[str, str], expected: tuple[object, ...]
) -> None:
    path = tiny.save(tmp_path / "w.pth", architecture, 64 if architecture == "parsenet" else 16)
    about = cache.add(path, "mine", draft=draft(**said)).checkpoint
    assert (about.restorer, about.task, about.template, about.size) == expected


@pytest.mark.parametrize(
    ("architecture", "said", "words"),
    [
        ("gfpgan_clean", {"task": "colorize"}, "does restore, not colorize"),
        ("parsenet", {"task": "restore"}, "does no task"),
        ("gpen", {"size": 512}, "for 16 pixels, not 512"),
    ],
)
def test_what_does_not_fit_the_file_is_refused(
    cache: Cache, tmp_path: Path, architecture: str, said: dict[str, object], words: str
) -> None:
    path = tiny.save(tmp_path / "w.pth", architecture, 64 if architecture == "parsenet" else 16)
    with pytest.raises(ModelRefusedError, match=words):
        cache.add(path, "mine", draft=draft(**said))
    assert cache.names() == ()


def test_a_published_file_is_held_to_the_table(cache: Cache, published: Checkpoint, tmp_path: Path) -> None:
    model = cache.add(tmp_path / "Tiny.pth", "tiny")
    assert (model.card.held_to, model.checkpoint) == ("table", published)
    other = tiny.save(tmp_path / "Other.pth", seed=6)
    cache.remove("tiny")
    with pytest.raises(ModelRefusedError) as caught:
        cache.add(other, "tiny")
    for words in (tiny.sha256(other), str(published.sha256), "--name", str(other)):
        assert words in str(caught.value)


def test_a_published_file_under_another_name_keeps_its_terms(
    cache: Cache, published: Checkpoint, tmp_path: Path
) -> None:
    about = cache.add(tmp_path / "Tiny.pth", "free", draft=draft("free", licence="CC0-1.0")).checkpoint
    assert (about.noncommercial, about.licence, about.terms) == (True, published.licence, published.terms)


def test_a_name_of_the_table_cannot_be_taken(cache: Cache, tmp_path: Path) -> None:
    with pytest.raises(ModelRefusedError, match="choose another"):
        cache.add(tiny.save(tmp_path / "w.pth"), "gfpgan-1.4", draft=draft("gfpgan-1.4"))


def test_a_wrong_hash_is_refused(cache: Cache, tmp_path: Path) -> None:
    path = tiny.save(tmp_path / "GFPGANv1.4.pth")
    with pytest.raises(ModelRefusedError, match="e2cd4703"):
        cache.add(path, "gfpgan-1.4")
    with pytest.raises(ModelRefusedError, match="was given"):
        cache.add(path, "mine", draft=draft(), sha256="0" * 64)
    with pytest.raises(ModelRefusedError, match="is no SHA-256"):
        cache.add(path, "mine", draft=draft(), sha256="e2cd")
    assert cache.add(path, "mine", draft=draft(), sha256=tiny.sha256(path)).card.held_to == "given"


@pytest.mark.parametrize(("architecture", "size"), [("gfpgan_clean", 256), ("parsenet", 256), ("gpen", 16)])
def test_another_architecture_or_size_is_refused(cache: Cache, tmp_path: Path, architecture: str, size: int) -> None:
    """GPEN has no published hash, so what is in the file decides."""
    path = tiny.save(tmp_path / "GPEN-BFR-256.pth", architecture, size)
    with pytest.raises(ModelRefusedError) as caught:
        cache.add(path, "gpen-bfr-256")
    assert f"{architecture} at {size} pixels" in str(caught.value)
    assert "gpen at 256 pixels" in str(caught.value)
    right = tiny.save(tmp_path / "GPEN-BFR-256.pth", "gpen", 256)
    assert cache.add(right, "gpen-bfr-256").card.held_to == "first use"


def test_an_unknown_architecture_is_refused_for_what_is_run_and_kept_for_what_is_not(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "w.pth"
    torch.save({"conv_first.weight": torch.ones(4, 3, 3, 3), "body.0.weight": torch.ones(4)}, path)
    with pytest.raises(ModelRefusedError, match="expected the architecture gpen"):
        cache.add(path, "gpen-bfr-256")
    with pytest.raises(ModelRefusedError):
        cache.add(path, "mine", draft=draft())
    entry = dataclasses.replace(CHECKPOINTS["codeformer"], sha256=tiny.sha256(path))
    table = MappingProxyType({**CHECKPOINTS, "codeformer": entry})
    monkeypatch.setattr(accept, "CHECKPOINTS", table)
    monkeypatch.setattr(caching, "CHECKPOINTS", table)
    kept = cache.add(path, "codeformer").checkpoint
    assert (kept.runs, kept.noncommercial, kept.architecture) == (False, True, "codeformer")


def test_hostile_and_broken_files_do_not_get_in(cache: Cache, tmp_path: Path) -> None:
    broken = tmp_path / "GPEN-BFR-256.pth"
    weights = {**tiny.weights("gpen", 256)}
    weights["final_linear.0.weight"] = torch.full_like(weights["final_linear.0.weight"], float("nan"))
    torch.save(weights, broken)
    with pytest.raises(CheckpointError) as caught:
        cache.add(broken, "gpen-bfr-256")
    assert caught.value.code == "not_finite"
    assert "final_linear.0.weight" in caught.value.message
    broken.write_bytes(b"<!doctype html><title>Sign in</title>")
    with pytest.raises(CheckpointError, match="Sign in"):
        cache.add(broken, "gpen-bfr-256")
    assert cache.names() == ()
    assert list(cache.models.glob(".part-*")) == []


def test_the_same_again_is_nothing_and_another_is_refused(cache: Cache, tmp_path: Path) -> None:
    first = cache.add(tiny.save(tmp_path / "a.pth"), "mine", draft=draft())
    assert cache.add(tmp_path / "a.pth", "mine", draft=draft()) == first
    with pytest.raises(ModelRefusedError, match="models remove mine"):
        cache.add(tiny.save(tmp_path / "b.pth", seed=1), "mine", draft=draft())
    assert cache.remove("mine") is True
    assert cache.remove("mine") is False
    assert cache.add(tmp_path / "b.pth", "mine", draft=draft()).sha256 == tiny.sha256(tmp_path / "b.pth")


@pytest.mark.parametrize("name", ["", "..", "../x", "/etc", "a/b", "A", "x" * 65, ".hidden", "a\n"])
def test_names_that_are_none_are_refused(cache: Cache, tmp_path: Path, name: str) -> None:
    with pytest.raises(NoModelError):
        cache.add(tiny.save(tmp_path / "w.pth"), name, draft=draft(name))
    with pytest.raises(NoModelError), cache.lock(name):
        pass
    assert cache.find(name) is None
    assert cache.remove(name) is False
    assert not (tmp_path / "x").exists()


def test_a_file_that_lost_bytes_is_found_out_at_once_and_one_that_changed_by_verify(
    cache: Cache, tmp_path: Path
) -> None:
    model = cache.add(tiny.save(tmp_path / "w.pth"), "mine", draft=draft())
    content = bytearray(model.path.read_bytes())
    content[5000] ^= 1
    model.path.write_bytes(content)
    assert cache.find("mine") is not None
    assert cache.verify("mine").state == "changed"
    model.path.write_bytes(content[:-1])
    with pytest.raises(ModelFileError, match="models remove mine"):
        cache.find("mine")
    assert [one.checkpoint.name for one in cache.list()] == ["compact"]
    assert cache.names() == ("mine",)
    assert cache.verify("mine").state == "damaged"
    model.path.unlink()
    assert cache.verify("mine").state == "damaged"
    assert cache.remove("mine") is True
    assert cache.verify("mine").state == "missing"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda card: "",
        lambda card: "[]",
        lambda card: "[" * 100_000,
        lambda card: card.replace('"format": 1', '"format": 2'),
        lambda card: card.replace('"file": "w.pth"', '"file": "../../w.pth"'),
        lambda card: card.replace('"task": "restore"', '"task": "shred"'),
        lambda card: card.replace('"noncommercial": true', '"noncommercial": 1'),
        lambda card: card.replace('"sha256": "', '"sha256": "x'),
        lambda card: card.replace('"name": "mine"', '"name": "yours"'),
    ],
)
def test_a_damaged_card_is_said_by_name(cache: Cache, tmp_path: Path, spoil: Callable[[str], str]) -> None:
    cache.add(tiny.save(tmp_path / "w.pth"), "mine", draft=draft())
    card = cache.models / "mine" / CARD
    spoiled = spoil(card.read_text())
    assert spoiled != card.read_text()
    card.write_text(spoiled)
    with pytest.raises(ModelFileError, match="mine"):
        cache.find("mine")


def test_a_card_is_readable_and_comes_back(cache: Cache, tmp_path: Path) -> None:
    model = cache.add(tiny.save(tmp_path / "w.pth"), "mine", draft=draft(), origin="https://x.org/w.pth")
    text = (cache.models / "mine" / CARD).read_text()
    assert parse_card(text.encode(), "here") == model.card
    found = json.loads(text)
    assert (found["name"], found["architecture"], found["origin"]) == ("mine", "gpen", "https://x.org/w.pth")


def test_a_folder_without_a_card_is_replaced(cache: Cache, tmp_path: Path) -> None:
    (cache.models / "mine").mkdir(parents=True)
    (cache.models / "mine" / "half.pth").write_bytes(b"half")
    assert cache.find("mine") is None
    cache.add(tiny.save(tmp_path / "w.pth"), "mine", draft=draft())
    assert sorted(path.name for path in (cache.models / "mine").iterdir()) == [CARD, "w.pth"]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_cache_that_cannot_be_written_serves_all_the_same(cache: Cache, tmp_path: Path) -> None:
    path = tiny.save(tmp_path / "w.pth")
    cache.add(path, "mine", draft=draft())
    for folder in (cache.models, cache.models / "mine"):
        folder.chmod(0o555)
    try:
        assert cache.find("mine") is not None
        assert cache.verify("mine").state == "as recorded"
        with pytest.raises(ModelFileError, match="FACEJOBS_CACHE"):
            cache.add(path, "other", draft=draft("other"))
    finally:
        for folder in (cache.models, cache.models / "mine"):
            folder.chmod(0o755)


def test_a_cache_whose_place_is_taken_by_a_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("x")
    with pytest.raises(ModelFileError, match="FACEJOBS_CACHE"):
        Cache(tmp_path / "cache").add(tiny.save(tmp_path / "w.pth"), "mine", draft=draft())


def test_what_killed_processes_left_goes_after_a_day(cache: Cache, tmp_path: Path) -> None:
    for name, age in ((".part-old", 2 * 86400), (".gone-old", 2 * 86400), (".part-new", 60)):
        (cache.models / name).mkdir(parents=True)
        (cache.models / name / "w.pth").write_bytes(b"x")
        then = time.time() - age
        os.utime(cache.models / name, (then, then))
    cache.add(tiny.save(tmp_path / "w.pth"), "mine", draft=draft())
    assert {path.name for path in cache.models.glob(".*-*")} == {".part-new"}


def test_a_lock_keeps_others_out(cache: Cache) -> None:
    code = (
        "import sys; from pathlib import Path; from operators.models.cache import Cache\n"
        "with Cache(Path(sys.argv[1])).lock('mine', wait=False) as free: print(free)\n"
    )

    def ask() -> str:
        command = [sys.executable, "-c", code, str(cache.folder)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    with cache.lock("mine"):
        assert ask() == "False"
    assert ask() == "True"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"FACEJOBS_CACHE": "/data/fj", "XDG_CACHE_HOME": "/x"}, "/data/fj"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/facejobs"),
        ({"XDG_CACHE_HOME": "x"}, str(Path("~/.cache/facejobs").expanduser())),
        ({}, str(Path("~/.cache/facejobs").expanduser())),
    ],
)
def test_where_the_cache_is(environment: dict[str, str], expected: str) -> None:
    assert str(default_folder(environment)) == expected


def test_torch_is_not_loaded_to_find_a_model(cache: Cache, tmp_path: Path) -> None:
    cache.add(tiny.save(tmp_path / "w.pth"), "mine", draft=draft())
    code = (
        "import sys; from pathlib import Path; from operators.models.cache import Cache\n"
        "cache = Cache(Path(sys.argv[1])); assert cache.find('mine'); cache.verify('mine'); cache.list()\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(cache.folder)], check=False).returncode == 0
