"""The commented example: right, complete, and at the defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from jobs.spec import load, loads
from jobs.spec.example import example
from jobs.spec.kinds import KINDS
from jobs.spec.restore import NoneSettings
from jobs.spec.samples import SAMPLES
from jobs.spec.source import SOURCES
from jobs.spec.training.data import DATA, Attributes
from jobs.spec.training.kinds import MODELS, OBJECTIVES, SCHEDULES

SMALLEST = {
    "restore": "job: restore\nname: my-archive\nsource: {kind: files, uri: archive/}\noutput: {uri: restored/}\n",
    "pairs": "job: pairs\nname: my-pairs\nsource: {kind: files, uri: photographs/}\n"
    "degrade: {recipe: gfpgan}\noutput: {uri: pairs/}\n",
    "train": "job: train\nname: my-network\ndata: {kind: faces, uri: portraits/, recipes: {gfpgan: 1}}\n"
    "model: {kind: gpen}\noutput: {uri: training/}\n",
}
each_kind = pytest.mark.parametrize("kind", KINDS)


def names(model: type[BaseModel]) -> set[str]:
    found = set(model.model_fields)
    for field in model.model_fields.values():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found |= names(field.annotation)
    return found


@each_kind
def test_it_loads_and_says_the_defaults(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "archive.yaml"
    file.write_text(example(kind), encoding="utf-8")
    assert load(file) == loads(SMALLEST[kind], folder=tmp_path)


@each_kind
def test_it_mentions_every_key_and_no_other(kind: str) -> None:
    every = set(KINDS[kind].model.model_fields) | {
        key for models in KINDS[kind].blocks.values() for model in models for key in names(model)
    }
    assert names(NoneSettings) == set()
    if kind == "train":
        every |= set(Attributes.model_fields)
    written = set(re.findall(r"^[#\s]*([a-z_]+):", example(kind), flags=re.MULTILINE))
    assert written == every
    assert len(every) > 60


@pytest.mark.parametrize("kind", ["restore", "pairs"])
def test_what_stands_in_comments_for_other_kinds_is_the_default_too(kind: str) -> None:
    found = re.findall(r"^  # With kind: ([a-z]+).*\n((?:  #   .*\n)+)", example(kind), flags=re.MULTILINE)
    assert {name for name, _ in found} == (SOURCES | (SAMPLES if kind == "pairs" else {})).keys() - {"files", "faces"}
    for name, lines in found:
        model = {**SOURCES, **SAMPLES}[name]
        needed = {"kind": name} | ({"uri": "x"} if name in SOURCES else {})
        written = yaml.safe_load(re.sub(r"^  #   ", "", lines, flags=re.MULTILINE))
        assert set(written) <= set(model.model_fields)
        for key, value in written.items():
            given = getattr(model.model_validate(needed | {key: value}), key)
            assert given == getattr(model.model_validate(needed), key), key


def test_what_stands_in_comments_of_a_train_job_is_the_default_of_each_kind_of_model() -> None:
    blocks: dict[str, Mapping[str, type[BaseModel]]] = {
        "data": DATA,
        "model": MODELS,
        "objective": OBJECTIVES,
        "schedule": SCHEDULES,
    }
    for block, models in blocks.items():
        body = re.search(rf"^{block}:.*\n((?:  .*\n)+)", example("train"), flags=re.MULTILINE)
        assert body
        found = re.findall(r"^  # With (?:model\.)?kind: ([a-z0-9]+)\n((?:  #   .*\n)+)", body[1], flags=re.MULTILINE)
        assert {name for name, _ in found} == set(models) - {"gpen", "faces"}
        for name, lines in found:
            written = yaml.safe_load(re.sub(r"^  #   ", "", lines, flags=re.MULTILINE))
            fields = models[name].model_fields
            for key, value in written.items():
                if not fields[key].is_required():
                    default = fields[key].get_default(call_default_factory=True)
                    assert value == default, (block, name, key)
            # What is not written is as it stands in the block itself.
            above = yaml.safe_load(example("train"))[block]
            for key, field in fields.items():
                if key not in written and key != "kind":
                    default = field.get_default(call_default_factory=True)
                    assert field.is_required() or key in above, (block, name, key)
                    if block != "data":
                        assert above[key] == default, (block, name, key)


@each_kind
def test_it_fits_the_width_of_a_page(kind: str) -> None:
    assert all(len(line) <= 120 for line in example(kind).splitlines())


def test_restore_is_the_usual_kind() -> None:
    assert example() == example("restore")


def test_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="no job kind 'trains', expected 'restore', 'pairs' or 'train'"):
        example("trains")
