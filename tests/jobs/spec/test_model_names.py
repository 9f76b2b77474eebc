"""Names of models: those of the table, those of the user's own cache, and those that a source may hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from jobs.spec import JobFileError, loads
from jobs.spec.model_names import ModelNames, names_for
from jobs.spec.names import BUILT_IN
from jobs.spec.restore import GeneratorRestore
from operators.models import CHECKPOINTS

OWN = replace(CHECKPOINTS["gfpgan-1.4"], name="family-album", sha256=None)
SMALLEST = {"job": "restore", "name": "a", "source": {"kind": "files", "uri": "in"}, "output": {"uri": "out"}}


def test_every_model_that_restores_can_be_named() -> None:
    names = ModelNames()
    usable = [name for name, checkpoint in CHECKPOINTS.items() if checkpoint.restorer and checkpoint.runs]
    assert len(usable) >= 11
    for name in usable:
        job = loads(
            yaml.safe_dump({**SMALLEST, "restore": {"model": name}, "models": {"accept_noncommercial": [name]}})
        )
        assert isinstance(job.restore, GeneratorRestore)
        assert job.restore.model == name
    assert set(names.usable()) == {*usable, *BUILT_IN}


def test_a_model_of_ones_own_is_known_and_near_misses_are_told() -> None:
    names = ModelNames({OWN.name: OWN})
    assert names.problem("family-album") == ""
    assert names.checkpoint("family-album") == OWN
    assert "did you mean 'family-album'?" in names.problem("familiy-album")


def test_a_source_may_hold_what_this_machine_does_not_know() -> None:
    job = loads(yaml.safe_dump({**SMALLEST, "restore": {"model": "family-album"}, "models": {"source": "s3://m/x"}}))
    assert job.restore.model == "family-album"
    assert "does not run" in ModelNames(elsewhere=True).problem("codeformer")
    assert ModelNames(elsewhere=True).problem(" ") != ""


@pytest.mark.parametrize("models", [None, [], {"cache": 5}, {"cache": "s3://b/x"}, {"cache": "~nobody-there/x"}, {}])
def test_a_block_that_cannot_be_read_holds_no_names(models: object, tmp_path: Path) -> None:
    assert names_for({"models": models}, tmp_path).added == {}


def test_places_of_models_are_made_absolute(tmp_path: Path) -> None:
    models = {"cache": "here/cache", "source": "../shared", "artifacts": "s3://museum/engines/"}
    job = loads(yaml.safe_dump({**SMALLEST, "models": models}), folder=tmp_path)
    assert job.models.cache == str(tmp_path / "here" / "cache")
    assert job.models.source == str(tmp_path.parent / "shared")
    assert job.models.artifacts == "s3://museum/engines/"


def test_masks_are_made_absolute(tmp_path: Path) -> None:
    restore = {"model": "gpen-inpainting-1024", "options": {"masks": "holes"}}
    accepted = {"accept_noncommercial": ["gpen-inpainting-1024"]}
    job = loads(yaml.safe_dump({**SMALLEST, "restore": restore, "models": accepted}), folder=tmp_path)
    assert isinstance(job.restore, GeneratorRestore)
    assert job.restore.options.masks == str(tmp_path / "holes")


def test_a_source_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.pth").write_text("x")
    with pytest.raises(JobFileError, match=r"models\.source: found a file there"):
        loads(yaml.safe_dump({**SMALLEST, "models": {"source": "model.pth"}}), folder=tmp_path)
