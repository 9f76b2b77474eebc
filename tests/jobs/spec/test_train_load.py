"""What a right train job becomes."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from jobs.spec import TrainJob, load, loads, secrets_of
from jobs.spec.canonical import canonical, difference, digest
from jobs.spec.training.completion import CompletionModel, CompletionObjective, CompletionSchedule
from jobs.spec.training.cyclegan import CycleganObjective
from jobs.spec.training.data import FacesData, PairsData, UnpairedData
from jobs.spec.training.gpen import GpenObjective, GpenSchedule
from jobs.spec.training.kinds import sample_size

SMALLEST: dict[str, Any] = {
    "job": "train",
    "name": "x",
    "data": {"kind": "faces", "uri": "in/", "recipes": {"gpen": 1}},
    "model": {"kind": "gpen"},
    "output": {"uri": "out/"},
}
RECIPE = "recipe: mine\nsource: x\nsteps: [{use: flip}]\n"


def job(folder: Path, **blocks: Any) -> TrainJob:
    found = loads(yaml.safe_dump(SMALLEST | blocks), folder=folder, environment={"KEY": "hush-hush"})
    assert isinstance(found, TrainJob)
    return found


def test_the_smallest(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(yaml.safe_dump(SMALLEST))
    found = load(file)
    assert found == job(tmp_path)
    assert isinstance(found, TrainJob)
    assert isinstance(found.data, FacesData)
    assert (found.data.uri, found.output.uri) == (f"{tmp_path}/in/", f"{tmp_path}/out/")
    assert (found.objective, found.schedule) == (GpenObjective(), GpenSchedule())
    assert pickle.loads(pickle.dumps(found)) == found


def test_objective_and_schedule_are_those_of_the_kind_of_model(tmp_path: Path) -> None:
    faces = {"kind": "faces", "uri": "in/"}
    found = job(
        tmp_path,
        data=faces,
        model={"kind": "completion", "size": 64, "channels": [32, 16, 16, 8, 8]},
        objective={"inside": 0.5},
        schedule={"fading": 100, "steady": 200, "steps": 2000},
    )
    assert found.model == CompletionModel(kind="completion", size=64, channels=(32, 16, 16, 8, 8))
    assert found.objective == CompletionObjective(inside=0.5)
    assert isinstance(found.schedule, CompletionSchedule)
    assert (found.schedule.steady, found.schedule.first) == (200, 4)
    two = {"kind": "unpaired", "first": "a/", "second": "s3://museum/b/"}
    other = job(tmp_path, data=two, model={"kind": "cyclegan"})
    assert isinstance(other.objective, CycleganObjective)
    assert isinstance(other.data, UnpairedData)
    assert (other.data.first, other.data.second) == (f"{tmp_path}/a/", "s3://museum/b/")
    assert sample_size(other.model, other.data) == 256


def test_recipes_of_files_become_a_part_of_the_job(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(RECIPE)
    data = {"kind": "faces", "uri": "in/", "recipes": {"mine.yaml": 2, "gpen": 1, "own": {"weight": 3, "recipe": {}}}}
    data["recipes"]["own"]["recipe"] = yaml.safe_load(RECIPE)  # type: ignore[index]  # a mapping, as it stands above
    found = job(tmp_path, data=data)
    assert isinstance(found.data, FacesData)
    recipes = found.data.recipes
    assert recipes is not None
    assert recipes["mine.yaml"]["weight"] == 2
    assert recipes["mine.yaml"]["recipe"]["steps"][0]["use"] == "flip"
    assert recipes["gpen"] == 1
    before = canonical(found)
    assert set(before["data"]["recipes"]) == {"mine.yaml", "gpen", "own"}
    assert before["data"]["recipes"]["gpen"]["recipe"]["degradations"]
    (tmp_path / "mine.yaml").write_text(RECIPE.replace("flip", "grey"))
    after = canonical(job(tmp_path, data=data))
    assert any(line.startswith("data.recipes.mine.yaml.recipe.steps") for line in difference(before, after))


def test_starts(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").touch()
    one = job(tmp_path, model={"kind": "gpen", "start": "a.safetensors"})
    assert one.model.starts() == {"generator": f"{tmp_path}/a.safetensors"}
    several = job(tmp_path, model={"kind": "gpen", "start": {"decoder": "a.safetensors"}})
    assert several.model.starts() == {"decoder": f"{tmp_path}/a.safetensors"}
    assert job(tmp_path).model.starts() == {}


def test_what_makes_no_other_training(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").touch()
    (tmp_path / "list.txt").touch()
    other = job(
        tmp_path,
        name="y",
        data=SMALLEST["data"] | {"uri": "elsewhere/", "memory": "1 GB", "licence": "CC0-1.0"},
        model={"kind": "gpen", "start": "a.safetensors"},
        output={"uri": "there/", "keep": 9, "checkpoint_every": 50, "half": False},
        run={"runner": "ray", "workers": 2, "device": "cpu", "precision": "bf16", "threads": 2, "data_workers": 3},
    )
    assert digest(other) == digest(job(tmp_path))
    listed = [job(tmp_path, data=SMALLEST["data"] | {"held_out": place}) for place in ("list.txt", "./list.txt")]
    assert digest(listed[0]) == digest(listed[1]) != digest(job(tmp_path))


@pytest.mark.parametrize(
    ("blocks", "line"),
    [
        ({"run": {"seed": 1}}, "run.seed: was 0, is now 1"),
        ({"schedule": {"batch": 16}}, "schedule.batch: was 8, is now 16"),
        ({"objective": {"identity": 1}}, "objective.identity: was 0.0, is now 1.0"),
        ({"model": {"kind": "gpen", "narrow": 0.5}}, "model.narrow: was 1.0, is now 0.5"),
        ({"data": SMALLEST["data"] | {"mirror": 0}}, "data.mirror: was 0.5, is now 0.0"),
        ({"data": SMALLEST["data"] | {"jitter": {"turn": 9}}}, "data.jitter.turn: was 4.0, is now 9.0"),
        ({"data": SMALLEST["data"] | {"recipes": {"gpen": 2}}}, "data.recipes.gpen.weight: was 1.0, is now 2.0"),
    ],
)
def test_what_makes_another_training(blocks: dict[str, Any], line: str, tmp_path: Path) -> None:
    assert difference(canonical(job(tmp_path)), canonical(job(tmp_path, **blocks))) == [line]


def test_the_order_of_channels_and_attributes_counts(tmp_path: Path) -> None:
    (tmp_path / "f.csv").touch()

    def completion(channels: list[int], columns: list[str]) -> TrainJob:
        data = {"kind": "faces", "uri": "in/", "attributes": {"uri": "f.csv", "columns": columns}}
        model = {"kind": "completion", "size": 8, "channels": channels}
        return job(tmp_path, data=data, model=model, schedule={"fading": 5, "steady": 5})

    ways = [completion([8, 4], ["a", "b"]), completion([4, 8], ["a", "b"]), completion([8, 4], ["b", "a"])]
    assert len({digest(way) for way in ways}) == 3


def test_secrets_of_data_are_known(tmp_path: Path) -> None:
    data = {"kind": "pairs", "uri": "s3://a/b/", "storage_options": {"secret": "${KEY}"}}
    found = job(tmp_path, data=data)
    assert isinstance(found.data, PairsData)
    assert secrets_of(found, {"KEY": "hush-hush"}) == {"hush-hush"}
    assert "hush" not in str(canonical(found))
    assert "hush" not in repr(found)


def test_reading_a_train_job_needs_no_torch() -> None:
    code = (
        "import sys; from jobs.spec import loads; from jobs.spec.example import example; loads(example('train')); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
