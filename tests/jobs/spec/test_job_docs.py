"""The pages on the job file name every key with its default, and no other key."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from jobs.spec import JobFileError, loads
from jobs.spec.anonymize import AnonymizeSettings
from jobs.spec.background import Background
from jobs.spec.canonical import canonical
from jobs.spec.classic import ClassicSettings
from jobs.spec.cluster import Cluster, Nodes
from jobs.spec.completion import CompletionSettings
from jobs.spec.degrade import Degrade
from jobs.spec.detect import Detect
from jobs.spec.engine import Engine
from jobs.spec.filter import Filter
from jobs.spec.generator import GeneratorSettings
from jobs.spec.inversion import InversionSettings
from jobs.spec.kinds import KINDS
from jobs.spec.models import Models
from jobs.spec.notify import Notify
from jobs.spec.observe import Observe
from jobs.spec.output import Output
from jobs.spec.pairs_output import PairsOutput
from jobs.spec.restore import (
    AnonymizeRestore,
    ClassicRestore,
    CompletionRestore,
    GeneratorRestore,
    InversionRestore,
    NoneRestore,
)
from jobs.spec.run import Run
from jobs.spec.samples import FaceSamples, FaceSearch, ImageSamples, TileSamples
from jobs.spec.score import Gate, Score
from jobs.spec.selection import Budget, Deleted, Failed, Selection
from jobs.spec.source import FilesSource, Limits, ManifestSource, ParquetSource, SourceBlock, WebdatasetSource
from jobs.spec.split import Split
from jobs.spec.training.data import DATA, Attributes, DataBlock, FaceCut, FacesData, Jitter, Masks
from jobs.spec.training.gpen import GpenModel
from jobs.spec.training.kinds import MODELS, OBJECTIVES, SCHEDULES
from jobs.spec.training.output import TrainOutput
from jobs.spec.training.run import TrainRun
from operators.training.schedules.table import SCHEDULES as ENTRIES

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "job-file.md").read_text(encoding="utf-8")
PAIRS_PAGE = (DOCS / "pairs-job-file.md").read_text(encoding="utf-8")
TRAIN_PAGE = (DOCS / "train-job-file.md").read_text(encoding="utf-8")
BELOW = {"limits", "options", "gate", "failed", "deleted", "budget"}
COMMON = set(SourceBlock.model_fields) | {"kind"}
FILLED = {"network": "x", "uri": "x", "recipe": "gfpgan", "cpus": 4, "first": "x", "second": "x"}

# Heading, model, and the keys of the model that stand under another heading.
SECTIONS: list[tuple[str, type[BaseModel], set[str]]] = [
    ("`source`", FilesSource, {"include", "exclude"}),
    ("`source` with `kind: files`", FilesSource, COMMON),
    ("`source` with `kind: webdataset`", WebdatasetSource, COMMON),
    ("`source` with `kind: parquet`", ParquetSource, COMMON),
    ("`source` with `kind: manifest`", ManifestSource, COMMON),
    ("`source.limits`", Limits, set()),
    ("`detect`", Detect, set()),
    ("`restore`", GeneratorRestore, {"engine"}),
    ("`restore.options` with `model: classic`", ClassicSettings, set()),
    ("`restore.options` with `model: anonymize`", AnonymizeSettings, set()),
    ("`restore.options` with `model: completion`", CompletionSettings, set()),
    ("`restore.options` with `model: inversion`", InversionSettings, set()),
    ("`restore.options` with the name of a model", GeneratorSettings, set()),
    ("`restore.engine`", Engine, set()),
    ("`background`", Background, set()),
    ("`models`", Models, set()),
    ("`score`", Score, set()),
    ("`score.gate`", Gate, set()),
    ("`output`", Output, set()),
    ("`selection`", Selection, set()),
    ("`selection.failed`", Failed, set()),
    ("`selection.deleted`", Deleted, set()),
    ("`selection.budget`", Budget, set()),
    ("`run`", Run, set()),
    ("`observe`", Observe, set()),
    ("`notify`", Notify, set()),
    ("`cluster`", Cluster, set()),
    ("`cluster.nodes`", Nodes, set()),
]
OF_SAMPLES = {"kind", "detect"}
PAIRS_SECTIONS: list[tuple[str, type[BaseModel], set[str]]] = [
    ("`samples`", FaceSamples, set(FaceSamples.model_fields) - {"kind"}),
    ("`samples` with `kind: faces`", FaceSamples, OF_SAMPLES),
    ("`samples` with `kind: images`", ImageSamples, OF_SAMPLES),
    ("`samples` with `kind: tiles`", TileSamples, OF_SAMPLES),
    ("`samples.detect`", FaceSearch, set()),
    ("`filter`", Filter, set()),
    ("`degrade`", Degrade, set()),
    ("`split`", Split, set()),
    ("`output`", PairsOutput, set()),
]
OF_DATA = set(DataBlock.model_fields)
TRAIN_SECTIONS: list[tuple[str, type[BaseModel], set[str]]] = [
    ("`data`", FacesData, set(FacesData.model_fields) - OF_DATA - {"kind"}),
    *((f"`data` with `kind: {kind}`", model, OF_DATA | {"kind"}) for kind, model in DATA.items()),
    ("`data.cut`", FaceCut, set()),
    ("`data.jitter`", Jitter, set()),
    ("`data.masks`", Masks, set()),
    ("`data.attributes`", Attributes, set()),
    ("`model`", GpenModel, set(GpenModel.model_fields) - {"kind", "start"}),
    *((f"`model` with `kind: {kind}`", model, {"kind", "start"}) for kind, model in MODELS.items()),
    *((f"`objective` with `model.kind: {kind}`", model, set()) for kind, model in OBJECTIVES.items()),
    *((f"`schedule` with `model.kind: {kind}`", model, set()) for kind, model in SCHEDULES.items()),
    ("`output`", TrainOutput, set()),
    ("`run`", TrainRun, set()),
]
EVERY = [
    *((PAGE, *row) for row in SECTIONS),
    *((PAIRS_PAGE, *row) for row in PAIRS_SECTIONS),
    *((TRAIN_PAGE, *row) for row in TRAIN_SECTIONS),
]


def rows(heading: str, page: str = PAGE) -> dict[str, str]:
    """Keys of the table under a heading, with their defaults."""
    body = re.search(rf"^##+ {re.escape(heading)}\n(.*?)(?=^##+ |\Z)", page, flags=re.MULTILINE | re.DOTALL)
    assert body, heading
    return dict(re.findall(r"^\| `([a-z_]+)` \| .*? \| (`[^|]*`|required) \| .+ \|$", body[1], flags=re.MULTILINE))


@pytest.mark.parametrize(
    ("page", "heading", "model", "elsewhere"), EVERY, ids=[f"{row[2].__name__}: {row[1]}" for row in EVERY]
)
def test_every_key_and_its_default(page: str, heading: str, model: type[BaseModel], elsewhere: set[str]) -> None:
    table = rows(heading, page)
    assert list(table) and set(table) == set(model.model_fields) - elsewhere - BELOW
    fields = model.model_fields
    needed: dict[str, Any] = {
        key: value for key, value in FILLED.items() if key in fields and fields[key].is_required()
    }
    if model is Background:
        needed["model"] = "x"
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


def test_every_model_has_its_section() -> None:
    shown = {model for _, _, model, _ in EVERY}
    every = {model for kind in KINDS.values() for models in kind.blocks.values() for model in models}
    # The keys of `restore` stand once, with those of models.
    named = {InversionRestore, CompletionRestore, AnonymizeRestore}
    assert every - shown == {NoneRestore, ClassicRestore, *named}


@pytest.mark.parametrize("page", [PAGE, PAIRS_PAGE, TRAIN_PAGE], ids=["restore", "pairs", "train"])
def test_the_top_level(page: str) -> None:
    assert rows("Top level", page) == {"job": "required", "name": "required"}


@pytest.mark.parametrize(
    ("page", "name"), [(PAGE, "glass-negatives"), (PAIRS_PAGE, "portraits-1900"), (TRAIN_PAGE, "small-gpen")]
)
def test_its_first_example_loads(page: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "heldout.txt").touch()
    example = re.search(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    assert example
    assert loads(example[1], folder=tmp_path).name == name


def test_what_each_kind_of_model_learns_from() -> None:
    table = dict(
        re.findall(r"^\| `([a-z0-9]+)` \| .*? \| (`[a-z]+`(?:, `[a-z]+`)*) \|$", TRAIN_PAGE, flags=re.MULTILINE)
    )
    assert {kind: tuple(re.findall(r"[a-z]+", named)) for kind, named in table.items()} == {
        kind: entry.data for kind, entry in ENTRIES.items()
    }


def test_the_networks_that_can_begin_as_something() -> None:
    table = re.search(r"networks that can begin as something \|\n\|---\|---\|\n(.*?)\n\n", TRAIN_PAGE, flags=re.DOTALL)
    assert table
    rows_of = re.findall(r"^\| `(\w+)` (.*)$", table[1], re.MULTILINE)
    found = {kind: tuple(re.findall(r"`([a-z_]+)`", row)) for kind, row in rows_of}
    assert found == {kind: model.STARTS for kind, model in MODELS.items()}


def test_the_keys_that_make_no_other_training() -> None:
    data = "data: {kind: faces, uri: /i, recipes: {gpen: 1}}"
    counted = canonical(loads(f"job: train\nname: a\n{data}\nmodel: {{kind: gpen}}\noutput: {{uri: /o}}\n"))
    assert set(counted) == {"job", "data", "model", "objective", "schedule", "run"}
    assert counted["run"] == {"seed": 0}
    assert not {"uri", "storage_options", "memory"} & set(counted["data"])
    assert "start" not in counted["model"]


def test_the_keys_that_change_no_pair() -> None:
    text = re.search(r"can be changed freely.*?Everything else", PAIRS_PAGE, flags=re.DOTALL)
    assert text
    assert set(re.findall(r"`([a-z_.]+)`", text[0])) == {
        "name",
        "storage_options",
        "output.uri",
        "output.existing",
        "run",
        "seed",
    }
    job = loads("job: pairs\nname: a\nsource: {kind: files, uri: /i}\noutput: {uri: /o}\ndegrade: {recipe: gpen}\n")
    counted = canonical(job)
    assert counted["run"] == {"seed": 0}
    assert "uri" not in counted["output"]


def test_the_errors_of_a_recipe_are_the_real_ones() -> None:
    shown = re.search(r"```\n(pairs\.yaml:.*?)```", PAIRS_PAGE, flags=re.DOTALL)
    assert shown
    text = (
        "job: pairs\nname: x\nsource: {kind: files, uri: in/}\ndegrade:\n  recipe:\n    recipe: mine\n"
        "    source: x\n    steps: [{use: blur, parameters: {sigma: 80}},\n      {use: fodl}]\noutput: {uri: out/}\n"
    )
    with pytest.raises(JobFileError) as caught:
        loads(text, "pairs.yaml")
    assert str(caught.value) == shown[1].rstrip("\n")


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
