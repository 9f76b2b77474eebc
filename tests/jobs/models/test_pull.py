"""Pulling: published places, mirrors, single files; what is refused, what is said, what is left behind."""

from __future__ import annotations

import dataclasses
import os
import pickle
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType
from typing import Any

import fsspec
import pytest
import tiny_models as tiny
import torch

from jobs.models import pull as pulling
from jobs.models import remote as remoting
from jobs.models.errors import NotFetchedError
from jobs.models.files import CachedFiles
from jobs.models.pull import Watch, Wish, pull
from jobs.models.resolve import ModelSettings, resolve
from operators.checkpoints import CheckpointError
from operators.models import CHECKPOINTS, ModelFileError, ModelRefusedError, NoModelError
from operators.models.cache import Cache

NAME = "gpen-bfr-256"
FILE = "GPEN-BFR-256.pth"
ACCEPTED = ModelSettings(accepted=[NAME])


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    """A small network that passes for GPEN-BFR-256."""
    return tiny.save(tmp_path / "right.pth", "gpen", 256).read_bytes()


def leftovers(cache: Cache) -> list[str]:
    return sorted(path.name for path in (cache.models / ".partial").iterdir())


def publish(monkeypatch: pytest.MonkeyPatch, *sources: str, sha256: str | None = None) -> None:
    """Have the table say that the model is published there."""
    entry = dataclasses.replace(CHECKPOINTS[NAME], sources=sources, sha256=sha256)
    monkeypatch.setattr(pulling, "CHECKPOINTS", MappingProxyType({**CHECKPOINTS, NAME: entry}))


def test_a_published_model_comes_from_the_first_place_that_has_it(
    web: Any, cache: Cache, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.files[f"/two/{FILE}"] = content
    publish(monkeypatch, f"{web.url}/one/{FILE}", f"{web.url}/two/{FILE}")
    model = pull(cache, Wish(NAME))
    assert model.path.read_bytes() == content
    assert model.card.origin == f"{web.url}/two/{FILE}"
    assert model.checkpoint.noncommercial
    assert leftovers(cache) == []
    web.asked.clear()
    assert pull(cache, Wish(NAME)) == model
    assert web.asked == []


def test_a_place_that_gives_something_else_is_passed_over(
    web: Any, cache: Cache, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.files[f"/one/{FILE}"] = b"<!doctype html><title>Please sign in</title>" + bytes(3000)
    web.files[f"/two/{FILE}"] = content
    publish(monkeypatch, f"{web.url}/one/{FILE}", f"{web.url}/two/{FILE}")
    said: list[str] = []
    assert pull(cache, Wish(NAME), Watch(log=said.append)).path.read_bytes() == content
    assert any("Please sign in" in line for line in said)


def test_what_no_place_has_names_every_place_and_what_to_do(
    web: Any, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(monkeypatch, f"{web.url}/one/{FILE}", "http://127.0.0.1:9/two.pth")
    monkeypatch.setattr(remoting.Remote.state.retry, "stop", lambda _: True)
    with pytest.raises(NotFetchedError) as caught:
        pull(cache, Wish(NAME))
    for words in (f"{web.url}/one/{FILE}: there is no such file", "127.0.0.1:9", f"models add {FILE}", "--from"):
        assert words in str(caught.value)
    assert cache.names() == ()


@pytest.mark.parametrize("fault", ["hash", "architecture", "size", "nan", "hostile", "truncated", "page"])
def test_what_is_wrong_does_not_get_in_and_leaves_nothing(
    web: Any, cache: Cache, content: bytes, tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Mine:
        def __reduce__(self) -> Any:
            return os.system, (f"touch {tmp_path / 'executed'}",)

    spoiled = {**tiny.weights("gpen", 256), "final_linear.0.bias": torch.tensor([float("nan")] * 16)}
    bad = tmp_path / "bad.pth"
    torch.save({"hostile": Mine(), "nan": spoiled}.get(fault, {}), bad)
    contents = {
        "hash": content,
        "architecture": tiny.save(tmp_path / "other.pth", "gfpgan_clean", 256).read_bytes(),
        "size": tiny.save(tmp_path / "small.pth", "gpen", 16).read_bytes(),
        "truncated": content[:-3000],
        "page": b"<html><body>404",
    }
    web.files["/w.pth"] = contents.get(fault, bad.read_bytes())
    publish(monkeypatch, f"{web.url}/w.pth")
    given = "0" * 64 if fault == "hash" else None
    words = {
        "hash": "was given",
        "architecture": "gfpgan_clean at 256 pixels",
        "size": "gpen at 16 pixels",
        "nan": "final_linear.0.bias",
        "hostile": "posix.system",
        "truncated": "cut short",
        "page": "web page",
    }[fault]
    with pytest.raises((ModelRefusedError, CheckpointError), match=words) as caught:
        pull(cache, Wish(NAME, sha256=given))
    assert str(caught.value).startswith(f"{web.url}/w.pth: ")
    assert cache.names() == ()
    assert leftovers(cache) == []
    assert not (tmp_path / "executed").exists()


def test_a_pull_that_was_stopped_goes_on(
    web: Any, cache: Cache, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    from contextlib import nullcontext

    from jobs.models import download as downloading

    monkeypatch.setattr(downloading, "BLOCK", 50_000)
    web.files["/w.pth"] = content
    publish(monkeypatch, f"{web.url}/w.pth")

    def stop(done: int, _total: int | None) -> None:
        if done >= 100_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(cache, Wish(NAME), Watch(lambda _title: nullcontext(stop)))
    assert len(leftovers(cache)) == 2
    web.asked.clear()
    said: list[str] = []
    assert pull(cache, Wish(NAME), Watch(log=said.append)).path.read_bytes() == content
    assert web.gets()[0].startswith("bytes=100000-")
    assert "0.1 MB are here already" in said[0]
    assert leftovers(cache) == []


@pytest.mark.parametrize("layout", [FILE, f"{NAME}/{FILE}", f"models/{NAME}/{FILE}"])
def test_a_folder_of_files_serves_flat_or_as_a_cache(cache: Cache, content: bytes, tmp_path: Path, layout: str) -> None:
    path = tmp_path / "usb" / layout
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    assert pull(cache, Wish(NAME, str(tmp_path / "usb"))).path.read_bytes() == content
    cache.remove(NAME)
    assert pull(cache, Wish(NAME, str(path))).card.origin == str(path)
    assert path.exists()


def test_another_cache_serves_models_of_ones_own(cache: Cache, tmp_path: Path) -> None:
    there = Cache(tmp_path / "there")
    draft = dataclasses.replace(pulling.unsaid("mine"), licence="CC0-1.0", task="colorize", noncommercial=True)
    first = there.add(tiny.save(tmp_path / "w.pth"), "mine", draft=draft)
    for place in (there.folder, there.models):
        model = pull(cache, Wish("mine", str(place)))
        assert model.checkpoint == first.checkpoint
        cache.remove("mine")
    with pytest.raises(ModelRefusedError, match="wanted is"):
        pull(cache, Wish("mine", str(there.folder), "0" * 64))
    with pytest.raises(NoModelError, match="no card"):
        pull(cache, Wish("yours", str(there.folder)))
    # A card that promises another file than lies beside it.
    tiny.save(first.path, seed=9)
    with pytest.raises((ModelRefusedError, NotFetchedError)):
        pull(cache, Wish("mine", str(there.folder)))


def test_memory_serves_and_an_unknown_name_needs_a_place(cache: Cache, content: bytes) -> None:
    fsspec.filesystem("memory").pipe_file(f"/pulls/{FILE}", content)
    assert pull(cache, Wish(NAME, "memory://pulls")).path.read_bytes() == content
    with pytest.raises(NoModelError, match="models list"):
        pull(cache, Wish("gfpgan-9"))
    with pytest.raises(NoModelError):
        pull(cache, Wish("../gfpgan", "memory://pulls/x.pth"))


@pytest.mark.s3
def test_a_bucket_serves_driver_and_workers(s3: Any, tmp_path: Path, content: bytes) -> None:
    bucket = s3.bucket("weights")
    s3.fs.pipe_file(f"{bucket}/{FILE}", content)
    driver = ModelSettings(tmp_path / "driver", bucket, s3.options, [NAME])
    resolved = resolve(NAME, driver)
    assert resolved.sha256 == tiny.sha256(tmp_path / "right.pth")
    files = pickle.loads(pickle.dumps(CachedFiles(tmp_path / "worker", bucket, s3.options)))
    assert files.path(NAME, resolved.sha256).read_bytes() == content
    s3.fs.rm_file(f"{bucket}/{FILE}")
    assert files.path(NAME, resolved.sha256).read_bytes() == content
    with pytest.raises(NotFetchedError):
        CachedFiles(tmp_path / "late", bucket, s3.options).path(NAME, resolved.sha256)


def test_several_workers_fetch_once(web: Any, tmp_path: Path, content: bytes) -> None:
    web.files[f"/{FILE}"] = content
    digest = tiny.sha256(tmp_path / "right.pth")
    code = (
        "import sys; from pathlib import Path; from jobs.models.files import CachedFiles\n"
        "CachedFiles(Path(sys.argv[1]), sys.argv[2]).path(sys.argv[3], sys.argv[4])\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "cache"), web.url, NAME, digest]
    workers = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for worker in workers:
        _, complaint = worker.communicate(timeout=120)
        assert worker.returncode == 0, complaint
    assert len(web.gets()) == 1


def test_secrets_of_an_address_are_kept_nowhere(web: Any, cache: Cache, content: bytes, tmp_path: Path) -> None:
    web.files["/w.pth"] = content
    said: list[str] = []
    address = f"{web.url}/w.pth?token=hunter2&Expires=9"
    model = pull(cache, Wish(NAME, address), Watch(log=said.append))
    assert "token=hunter2" in web.asked[-1][1]
    assert model.card.origin == f"{web.url}/w.pth"
    kept = "".join(path.read_text(errors="ignore") for path in cache.folder.rglob("*") if path.is_file())
    cache.remove(NAME)
    with pytest.raises(NotFetchedError) as caught:
        pull(cache, Wish(NAME, f"{web.url}/gone.pth?token=hunter2"), Watch(log=said.append))
    web.statuses = [403]
    with pytest.raises(NotFetchedError) as refused:
        pull(cache, Wish(NAME, address), Watch(log=said.append))
    assert "403" in str(refused.value)
    for text in (*said, str(caught.value), str(refused.value), kept):
        assert "hunter2" not in text


def test_a_signed_folder_is_asked_with_its_signature(web: Any, cache: Cache, content: bytes) -> None:
    web.files[f"/models/{NAME}/{FILE}"] = content
    model = pull(cache, Wish(NAME, f"{web.url}/?sig=hunter2"))
    assert model.card.origin == f"{web.url}/models/{NAME}/{FILE}"
    assert {path.partition("?")[2] for _, path, _ in web.asked} == {"sig=hunter2"}


def test_workers_without_a_source_say_what_to_run(tmp_path: Path, content: bytes) -> None:
    files = CachedFiles(tmp_path / "cache")
    with pytest.raises(ModelFileError, match=f"facejobs models pull {NAME}"):
        files.path(NAME, "0" * 64)
    with pytest.raises(ModelFileError, match="models add FILE --name mine"):
        files.path("mine", "0" * 64)
    Cache(tmp_path / "cache").add(tmp_path / "right.pth", NAME)
    with pytest.raises(ModelFileError, match="was planned with"):
        files.path(NAME, "0" * 64)
    assert files.path(NAME, tiny.sha256(tmp_path / "right.pth")).read_bytes() == content


def test_a_file_that_changed_in_the_cache_is_not_given_out(tmp_path: Path, content: bytes) -> None:
    model = Cache(tmp_path / "cache").add(tmp_path / "right.pth", NAME)
    files = CachedFiles(tmp_path / "cache")
    assert files.path(NAME, model.sha256) == model.path
    spoiled = bytearray(content)
    spoiled[-2000] ^= 1
    model.path.write_bytes(spoiled)
    with pytest.raises(ModelFileError, match="models verify"):
        files.path(NAME, model.sha256)


def test_a_job_has_to_accept_non_commercial_terms_by_name(tmp_path: Path, content: bytes) -> None:
    settings = ModelSettings(tmp_path / "cache")
    with pytest.raises(ModelRefusedError) as caught:
        resolve(NAME, settings)
    for words in ("non-commercial", "none published", f"accept_noncommercial: [{NAME}]", "academic"):
        assert words in str(caught.value)
    accepted = dataclasses.replace(settings, accepted=["gpen-bfr-512"])
    with pytest.raises(ModelRefusedError):
        resolve(NAME, accepted)
    accepted = dataclasses.replace(settings, accepted=[NAME])
    with pytest.raises(NoModelError, match=f"facejobs models pull {NAME}"):
        resolve(NAME, accepted)
    Cache(settings.cache).add(tmp_path / "right.pth", NAME)
    found = resolve(NAME, accepted)
    assert (found.restorer, found.task, found.template, found.size) == ("gpen", "restore", "gpen", 256)
    assert (found.noncommercial, found.architecture) == (True, "gpen")
    assert found.sha256 == tiny.sha256(tmp_path / "right.pth")


def test_a_model_of_ones_own_can_be_non_commercial_too(tmp_path: Path) -> None:
    settings = ModelSettings(tmp_path / "cache")
    draft = dataclasses.replace(pulling.unsaid("mine"), licence="CC BY-NC 4.0", noncommercial=True)
    Cache(settings.cache).add(tiny.save(tmp_path / "w.pth"), "mine", draft=draft)
    with pytest.raises(ModelRefusedError, match="CC BY-NC"):
        resolve("mine", settings)
    assert resolve("mine", dataclasses.replace(settings, accepted=["mine"])).noncommercial


def test_what_cannot_be_used_says_why(tmp_path: Path) -> None:
    settings = ModelSettings(tmp_path / "cache")
    with pytest.raises(ModelRefusedError, match="cannot run it"):
        resolve("restoreformer", settings)
    with pytest.raises(NoModelError, match="did you mean gfpgan-1"):
        resolve("gfpgan-1.5", settings)
    with pytest.raises(NoModelError, match=r"facejobs models pull gfpgan-1.4 .*GFPGANv1.4.pth"):
        resolve("gfpgan-1.4", settings)
