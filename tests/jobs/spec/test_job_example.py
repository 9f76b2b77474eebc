"""The commented example: right, complete, and at the defaults."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from jobs.spec import load, loads
from jobs.spec.example import example
from jobs.spec.job import RestoreJob
from jobs.spec.keys import MODELS
from jobs.spec.restore import NoneSettings


def names(model: type[BaseModel]) -> set[str]:
    found = set(model.model_fields)
    for field in model.model_fields.values():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found |= names(field.annotation)
    return found


def test_it_loads_and_says_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "archive.yaml"
    file.write_text(example(), encoding="utf-8")
    smallest = "job: restore\nname: my-archive\nsource: {kind: files, uri: archive/}\noutput: {uri: restored/}\n"
    assert load(file) == loads(smallest, folder=tmp_path)


def test_it_mentions_every_key() -> None:
    every = set(RestoreJob.model_fields) | {
        key for models in MODELS.values() for model in models for key in names(model)
    }
    assert names(NoneSettings) == set()
    written = set(re.findall(r"^[#\s]*([a-z_]+):", example(), flags=re.MULTILINE))
    assert every <= written
    assert len(every) > 60


def test_it_fits_the_width_of_a_page() -> None:
    assert all(len(line) <= 120 for line in example().splitlines())


def test_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="no job kind 'pairs', expected 'restore'"):
        example("pairs")
