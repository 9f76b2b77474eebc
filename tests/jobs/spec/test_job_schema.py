"""The JSON Schema says of a job file what the loader says, as far as a schema can."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from jobs.spec import JobFileError, loads
from jobs.spec.example import example
from jobs.spec.schema import schema

SMALLEST: dict[str, Any] = {
    "job": "restore",
    "name": "plates",
    "source": {"kind": "files", "uri": "in/"},
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


def test_the_smallest_and_the_full_example() -> None:
    validator().validate(SMALLEST)
    validator().validate(yaml.safe_load(example()))


RIGHT: list[dict[str, Any]] = [
    {"source": {"kind": "webdataset", "uri": "in/*.tar"}},
    {"source": {"kind": "parquet", "uri": "in/", "uri_column": "url"}},
    {"source": {"kind": "manifest", "uri": "a.csv", "key_column": None}},
    {"restore": {"model": "none"}},
    {"restore": {"options": {"denoise": 5, "deblock": "off"}}},
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
    {"restore": {"options": {"denoise": "strong"}}},
    {"restore": {"options": {"denoise": True}}},
    {"restore": {"mask": "oval"}},
    {"restore": {"engine": {"name": "auto"}}},
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


@pytest.mark.parametrize("change", RIGHT, ids=str)
def test_both_accept(change: dict[str, Any]) -> None:
    validator().validate(SMALLEST | change)
    loads(yaml.safe_dump(SMALLEST | change))


@pytest.mark.parametrize("change", WRONG, ids=str)
def test_both_refuse(change: dict[str, Any]) -> None:
    assert not validator().is_valid(SMALLEST | change)
    with pytest.raises(JobFileError):
        loads(yaml.safe_dump(SMALLEST | change))
