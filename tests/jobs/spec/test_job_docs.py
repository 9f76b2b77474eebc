"""docs/job-file.md names every key of the job file with its default, and no other key."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from jobs.spec import JobFileError, loads
from jobs.spec.classic import ClassicSettings
from jobs.spec.detect import Detect
from jobs.spec.engine import Engine
from jobs.spec.generator import GeneratorSettings
from jobs.spec.models import Models
from jobs.spec.output import Output
from jobs.spec.restore import ClassicRestore
from jobs.spec.run import Run
from jobs.spec.score import Gate, Score
from jobs.spec.source import FilesSource, Limits, ManifestSource, ParquetSource, SourceBlock, WebdatasetSource

PAGE = (Path(__file__).parents[3] / "docs" / "job-file.md").read_text(encoding="utf-8")
BELOW = {"limits", "options", "gate"}
COMMON = set(SourceBlock.model_fields) | {"kind"}
FILLED = {"uri": "x"}

# Heading, model, and the keys of the model that stand under another heading.
SECTIONS: list[tuple[str, type[BaseModel], set[str]]] = [
    ("`source`", FilesSource, {"include", "exclude"}),
    ("`source` with `kind: files`", FilesSource, COMMON),
    ("`source` with `kind: webdataset`", WebdatasetSource, COMMON),
    ("`source` with `kind: parquet`", ParquetSource, COMMON),
    ("`source` with `kind: manifest`", ManifestSource, COMMON),
    ("`source.limits`", Limits, set()),
    ("`detect`", Detect, set()),
    ("`restore`", ClassicRestore, set()),
    ("`restore.options` with `model: classic`", ClassicSettings, set()),
    ("`restore.options` with the name of a model", GeneratorSettings, set()),
    ("`restore.engine`", Engine, set()),
    ("`models`", Models, set()),
    ("`score`", Score, set()),
    ("`score.gate`", Gate, set()),
    ("`output`", Output, set()),
    ("`run`", Run, set()),
]


def rows(heading: str) -> dict[str, str]:
    """Keys of the table under a heading, with their defaults."""
    body = re.search(rf"^##+ {re.escape(heading)}\n(.*?)(?=^##+ |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert body, heading
    return dict(re.findall(r"^\| `([a-z_]+)` \| .*? \| (`[^|]*`|required) \| .+ \|$", body[1], flags=re.MULTILINE))


@pytest.mark.parametrize(("heading", "model", "elsewhere"), SECTIONS, ids=[row[0] for row in SECTIONS])
def test_every_key_and_its_default(heading: str, model: type[BaseModel], elsewhere: set[str]) -> None:
    table = rows(heading)
    assert list(table) and set(table) == set(model.model_fields) - elsewhere - BELOW
    needed: dict[str, Any] = {key: value for key, value in FILLED.items() if key in model.model_fields}
    if "kind" in model.model_fields:
        needed["kind"] = model.model_fields["kind"].annotation.__args__[0]
    for key, written in table.items():
        if model.model_fields[key].is_required():
            assert written == "required", key
            continue
        default = yaml.safe_load(written.strip("`"))
        assert getattr(model.model_validate(needed | {key: default}), key) == getattr(
            model.model_validate(needed), key
        ), key


def test_the_top_level() -> None:
    assert rows("Top level") == {"job": "required", "name": "required"}


def test_its_first_example_loads() -> None:
    example = re.search(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    assert example
    assert loads(example[1]).name == "glass-negatives"


def test_the_errors_it_shows_are_the_real_ones(tmp_path: Path) -> None:
    shown = re.search(r"```\n(archive\.yaml:.*?)```", PAGE, flags=re.DOTALL)
    assert shown
    text = (
        "job: restore\nname: x\nsource:\n  kind: files\n  uri: scans\nrestore:\n  modle: classic\n"
        "run:\n  unit_records: '64'\n\noutput:\n  uri: scans/restored\n"
    )
    with pytest.raises(JobFileError) as caught:
        loads(text, "archive.yaml", tmp_path)
    messages = [line.split(": ", 1)[1] for line in shown[1].splitlines()]
    assert [str(problem).split(": ", 1)[1] for problem in caught.value.problems] == messages
