"""A job that names a network of a Python package: its terms, where it is taken from, and what is said without it."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType

import pytest

from jobs.commands.model_texts import card_lines
from jobs.models.files import CachedFiles, how_to_get
from jobs.models.pull import Watch, Wish, pull
from jobs.models.resolve import ModelSettings, resolve
from operators.models import CHECKPOINTS, ModelFileError, ModelRefusedError, packaged
from operators.models.cache import Cache

NAME = "mobilestylegan-ffhq"


@pytest.fixture
def here() -> None:
    try:
        packaged.locate("mobilestylegan-synthesis-numbers")
    except ModelFileError as error:
        pytest.skip(f"the published MobileStyleGAN is not here: {error}")


@pytest.fixture
def gone(monkeypatch):
    """The package is not installed."""
    table = {
        name: dataclasses.replace(file, package="no-such-package-1a2b")
        for name, file in packaged.MOBILESTYLEGAN_FILES.items()
    }
    monkeypatch.setattr(packaged, "MOBILESTYLEGAN_FILES", MappingProxyType(table))
    packaged.locate.cache_clear()
    yield
    packaged.locate.cache_clear()


def test_its_terms_must_be_accepted(tmp_path):
    with pytest.raises(ModelRefusedError, match=r"non-commercial.*accept_noncommercial: \[mobilestylegan-ffhq\]"):
        resolve(NAME, ModelSettings(cache=tmp_path))
    assert not list(tmp_path.iterdir())


def test_a_job_needs_nothing_but_the_package(tmp_path, here):
    """The first look takes it into the cache; a worker of another machine takes it from its own package."""
    settings = ModelSettings(cache=tmp_path, accepted=[NAME])
    model = resolve(NAME, settings)
    assert (model.architecture, model.size, model.template, model.noncommercial) == (
        "mobilestylegan",
        1024,
        "ffhq",
        True,
    )
    assert model.sha256 == CHECKPOINTS[NAME].sha256
    held = Cache(tmp_path).find(NAME)
    assert held is not None and held.card.origin == "pkg:pypi/random-face@2021.7.21.1"
    assert not [path for path in (tmp_path / "models" / ".partial").glob("*") if path.is_file()]
    assert resolve(NAME, settings) == model
    assert CachedFiles(tmp_path).path(NAME, model.sha256) == held.path
    # Another machine, whose shared place does not have it.
    (tmp_path / "shared").mkdir()
    other = CachedFiles(tmp_path / "other", str(tmp_path / "shared")).path(NAME, model.sha256)
    assert other.is_relative_to(tmp_path / "other")


def test_what_is_refused_leaves_nothing(tmp_path, here):
    with pytest.raises(ModelRefusedError, match=rf"but {'0' * 64} was given"):
        pull(Cache(tmp_path), Wish(NAME, sha256="0" * 64))
    assert not [path for path in (tmp_path / "models").rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_without_the_package_the_command_is_said(tmp_path, gone):
    words = r"package no-such-package-1a2b is not installed; run: pip install .*--no-deps no-such-package-1a2b==2021"
    with pytest.raises(ModelFileError, match=words):
        resolve(NAME, ModelSettings(cache=tmp_path, accepted=[NAME]))
    with pytest.raises(ModelFileError, match=words):
        CachedFiles(tmp_path).path(NAME, "0" * 64)
    said: list[str] = []
    with pytest.raises(ModelFileError, match=words):
        pull(Cache(tmp_path), Wish(NAME), Watch(log=said.append))
    assert any("pkg:pypi/random-face@2021.7.21.1" in line for line in said)


def test_without_the_package_a_shared_place_serves(tmp_path, here, monkeypatch):
    first = resolve(NAME, ModelSettings(cache=tmp_path / "one", accepted=[NAME]))
    table = {
        name: dataclasses.replace(file, package="no-such-package-1a2b")
        for name, file in packaged.MOBILESTYLEGAN_FILES.items()
    }
    monkeypatch.setattr(packaged, "MOBILESTYLEGAN_FILES", MappingProxyType(table))
    packaged.locate.cache_clear()
    settings = ModelSettings(cache=tmp_path / "two", source=str(tmp_path / "one"), accepted=[NAME])
    assert resolve(NAME, settings) == first
    packaged.locate.cache_clear()


def test_how_it_is_had_is_told():
    assert how_to_get(NAME) == "run: pip install --no-deps random-face==2021.7.21.1"
    text = "\n".join(card_lines(NAME, None))
    assert "pip install --no-deps random-face==2021.7.21.1" in text
    assert "pkg:pypi/random-face@2021.7.21.1" in text
    assert "NON-COMMERCIAL" in text
    assert "Python package" not in "\n".join(card_lines("gfpgan-1.4", None))
