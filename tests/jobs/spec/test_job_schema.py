"""The JSON Schema says of a job file what the loader says, as far as a schema can."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from jobs.spec import JobFileError, loads
from jobs.spec.example import example
from jobs.spec.job import JOBS
from jobs.spec.schema import schema

SMALLEST: dict[str, Any] = {
    "job": "restore",
    "name": "plates",
    "source": {"kind": "files", "uri": "in/"},
    "output": {"uri": "out/"},
}


PAIRS: dict[str, Any] = {
    "job": "pairs",
    "name": "plates",
    "source": {"kind": "files", "uri": "in/"},
    "degrade": {"recipe": "gfpgan"},
    "output": {"uri": "out/"},
}

TRAIN: dict[str, Any] = {
    "job": "train",
    "name": "small",
    "data": {"kind": "faces", "uri": "in/", "recipes": {"gfpgan": 1}},
    "model": {"kind": "gpen", "size": 64},
    "output": {"uri": "out/"},
}


def validator() -> Draft202012Validator:
    return Draft202012Validator(schema())


def objects(node: Any) -> list[dict[str, Any]]:
    found = []
    if isinstance(node, dict):
        if "properties" in node:
            found.append(node)
        for item in node.values():
            found += objects(item)
    elif isinstance(node, list):
        for item in node:
            found += objects(item)
    return found


def test_it_is_a_schema_of_draft_2020_12() -> None:
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema())
    json.dumps(schema(), allow_nan=False)


def test_every_key_is_described_and_no_other_is_allowed() -> None:
    every = objects(schema())
    assert len(every) >= 12
    for node in every:
        assert node["additionalProperties"] is False
        for name, field in node["properties"].items():
            assert field.get("description"), name
            assert field.get("title", name) == name


def test_it_is_one_of_the_kinds_by_a_constant() -> None:
    body = schema()
    kinds = [body["$defs"][each["$ref"].removeprefix("#/$defs/")] for each in body["oneOf"]]
    assert [kind["properties"]["job"]["const"] for kind in kinds] == list(JOBS)
    assert all({"job", "name", "output"} < set(kind["required"]) for kind in kinds)


def test_the_smallest_and_the_full_examples() -> None:
    for smallest in (SMALLEST, PAIRS, TRAIN):
        validator().validate(smallest)
        validator().validate(yaml.safe_load(example(smallest["job"])))


@pytest.mark.parametrize("key", ["name", "source", "degrade", "output"])
def test_what_is_needed(key: str) -> None:
    assert not validator().is_valid({name: value for name, value in PAIRS.items() if name != key})


RIGHT: list[dict[str, Any]] = [
    {"source": {"kind": "webdataset", "uri": "in/*.tar"}},
    {"source": {"kind": "parquet", "uri": "in/", "uri_column": "url"}},
    {"source": {"kind": "manifest", "uri": "a.csv", "key_column": None}},
    {"restore": {"model": "none"}},
    {"restore": {"model": "classic", "options": {"denoise": 5, "deblock": "off"}}},
    {"restore": {"engine": {"name": "auto"}, "options": {"fidelity": 0.5}}},
    {"restore": {}},
    {"restore": {"mask": "parsing"}},
    {"restore": {"model": "gfpgan-1.4"}},
    {"restore": {"model": "gfpgan-1.4", "options": {"sft_strength": 0.5, "fidelity": 0, "keep_tone": False}}},
    {"restore": {"model": "gfpgan-1.4", "engine": {"name": "eager", "precision": "fp32", "device": "cuda:0"}}},
    {"restore": {"model": "gpen-bfr-512"}, "models": {"accept_noncommercial": ["gpen-bfr-512"]}},
    {"restore": {"model": "of-our-own", "options": {"task": "inpaint"}}, "models": {"source": "s3://museum/models/"}},
    {"models": {"cache": "~/models", "artifacts": "engines/"}},
    {"detect": {"aligned": True}},
    {"run": {"unit_bytes": "512MiB", "max_quarantined": "0.5%"}},
    {"run": {"unit_bytes": 5, "max_quarantined": 5}},
    {"output": {"uri": "out/", "storage_options": {"any": {"thing": [1, None]}}}},
    {"score": {"measures": [], "gate": {"min_identity": None}}},
]
WRONG: list[dict[str, Any]] = [
    {"sauce": {}},
    {"job": "restor"},
    {"name": "a b"},
    {"name": ".."},
    {"source": {"kind": "files"}},
    {"source": {"kind": "file", "uri": "in/"}},
    {"source": {"kind": "files", "uri": "in/", "image_suffixes": [".tif"]}},
    {"source": {"kind": "files", "uri": "in/", "limits": {"max_bites": 1}}},
    {"source": {"kind": "files", "uri": " "}},
    {"output": {"uri": "out/", "format": "jpg"}},
    {"output": {"uri": "out/", "quality": 0}},
    {"restore": {"model": "none", "options": {"denoise": "auto"}}},
    {"restore": {"model": "classic", "options": {"denoise": "strong"}}},
    {"restore": {"options": {"denoise": "auto"}}},
    {"restore": {"mask": "oval"}},
    {"restore": {"model": "classic", "engine": {"name": "auto"}}},
    {"restore": {"model": "classic", "options": {"fidelity": 0.5}}},
    {"restore": {"model": "gfpgan-1.4", "options": {"denoise": "auto"}}},
    {"restore": {"model": "gfpgan-1.4", "options": {"fidelity": 2}}},
    {"restore": {"model": "gfpgan-1.4", "engine": {"name": "onnx"}}},
    {"restore": {"model": "gfpgan-1.4", "engine": {"device": "gpu"}}},
    {"restore": {"model": "gfpgan-1.4", "engine": {"batch": 0}}},
    {"models": {"accept_noncommercial": "gpen-bfr-512"}},
    {"run": {"gpus_per_worker": 0}},
    {"detect": None},
    {"run": {"threads": "4"}},
    {"run": {"seed": -1}},
    {"run": {"unit_bytes": "5 apples"}},
    {"run": {"max_quarantined": "101%"}},
    {"run": {"max_quarantined": 0.5}},
    {"score": {"measures": ["niqe", "niqe"]}},
    {"score": {"measures": ["niqq"]}},
]


MINE = {"recipe": "mine", "source": "x", "steps": [{"use": "flip"}]}
RIGHT_PAIRS: list[dict[str, Any]] = [
    {"samples": {}},
    {"samples": {"size": 256, "template": "gpen"}},
    {"samples": {"kind": "faces", "detect": {"max_faces": 1}}},
    {"samples": {"kind": "images"}},
    {"samples": {"kind": "images", "size": None}},
    {"samples": {"kind": "tiles", "size": 64, "step": 100}},
    {"filter": {"min_sharpness": 0.1, "duplicates": "keep"}},
    {"degrade": {"recipe": {"recipe": "mine", "source": "x", "steps": [{"use": "flip"}]}}},
    {"degrade": {"recipe": "gpen", "pairs": 1000}},
    {"split": {"parts": {"train": 9, "val_2": 0.5, "hold-out": 1}}},
    {"split": {"by": "identity", "similarity": 0.4}},
    {"output": {"uri": "out/", "format": "lmdb", "licence": "CC-BY-4.0"}},
    {"run": {"seed": 7}},
]
WRONG_PAIRS: list[dict[str, Any]] = [
    {"restore": {}},
    {"detect": {}},
    {"degrade": {}},
    {"degrade": {"recipe": None}},
    {"degrade": {"recipe": 5}},
    {"degrade": {"recipe": " "}},
    {"degrade": {"recipe": "gpen", "variants": 0}},
    {"samples": None},
    {"samples": {"kind": "face"}},
    {"samples": {"size": 16}},
    {"samples": {"size": None}},
    {"samples": {"step": 64}},
    {"samples": {"kind": "images", "template": "ffhq"}},
    {"samples": {"kind": "tiles", "step": 1}},
    {"samples": {"detect": {"aligned": True}}},
    {"filter": {"distance": 17}},
    {"filter": {"duplicates": "some"}},
    {"split": {"parts": {}}},
    {"split": {"parts": {"Train": 1}}},
    {"split": {"parts": {"records": 1}}},
    {"split": {"parts": {"train": 0}}},
    {"split": {"parts": {f"p{number}": 1 for number in range(17)}}},
    {"split": {"by": "person"}},
    {"output": {"uri": "out/", "layout": "mirror"}},
    {"output": {"uri": "out/", "format": "tar"}},
    {"output": {"uri": "out/", "licence": ""}},
]
RIGHT_TRAIN: list[dict[str, Any]] = [
    {"schedule": {"batch": 16, "prior_steps": 5}},
    {"schedule": {"prior_steps": None}, "objective": {"identity": 1}},
    {"data": {"kind": "faces", "uri": "in/", "recipes": {"gpen": {"weight": 2, "recipe": MINE}}, "held_out": 0}},
    {"data": {"kind": "pairs", "uri": "in/", "held_out": "none", "crop": True}},
    {"data": {"kind": "unpaired", "first": "a/", "second": "b/"}, "model": {"kind": "cyclegan"}},
    {"data": {"kind": "pictures", "uri": "in/"}, "model": {"kind": "srgan", "enlargement": 2}},
    {"data": {"kind": "faces", "uri": "in/", "masks": {"half": 1}}, "model": {"kind": "completion"}},
    {"run": {"runner": "ray", "workers": 2, "precision": "bf16"}},
    {"output": {"uri": "out/", "keep_every": 5000}},
]
WRONG_TRAIN: list[dict[str, Any]] = [
    {"restore": {}},
    {"source": {"kind": "files", "uri": "in/"}},
    {"data": {}},
    {"data": {"kind": "face", "uri": "in/"}},
    {"data": {"kind": "faces", "uri": "in/", "recipes": {}}},
    {"data": {"kind": "faces", "uri": "in/", "recipes": {"gpen": 0}}},
    {"data": {"kind": "faces", "uri": "in/", "recipes": {"gpen": {"weight": 1}}}},
    {"data": {"kind": "faces", "uri": "in/", "recipes": {"gpen": 1}, "held_out": 0.6}},
    {"data": {"kind": "faces", "uri": "in/", "recipes": {"gpen": 1}, "crop": True}},
    {"data": {"kind": "unpaired", "uri": "in/"}},
    {"model": {"kind": "stylegan"}},
    {"model": {"size": 64}},
    {"model": {"kind": "gpen", "size": 4}},
    {"model": {"kind": "gpen", "start": 5}},
    {"objective": {"contents": 1}},
    {"objective": {"content": -1}},
    {"schedule": {"steps": 0}},
    {"schedule": {"batch": "8"}},
    {"output": {"uri": "out/", "keep": 0}},
    {"run": {"placement": "fused"}},
]
EVERY_RIGHT = [
    base | change
    for base, changes in ((SMALLEST, RIGHT), (PAIRS, RIGHT_PAIRS), (TRAIN, RIGHT_TRAIN))
    for change in changes
]
EVERY_WRONG = [
    base | change
    for base, changes in ((SMALLEST, WRONG), (PAIRS, WRONG_PAIRS), (TRAIN, WRONG_TRAIN))
    for change in changes
]


@pytest.mark.parametrize("job", EVERY_RIGHT, ids=str)
def test_both_accept(job: dict[str, Any]) -> None:
    validator().validate(job)
    loads(yaml.safe_dump(job))


@pytest.mark.parametrize("job", EVERY_WRONG, ids=str)
def test_both_refuse(job: dict[str, Any]) -> None:
    assert not validator().is_valid(job)
    with pytest.raises(JobFileError):
        loads(yaml.safe_dump(job))
