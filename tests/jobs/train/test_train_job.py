"""A train job from its file to its end: what it writes, what it refuses, what it says."""

from __future__ import annotations

import json
import resource
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import fsspec
import pytest
import torch
from torch import Tensor

from jobs.exits import Exit
from jobs.train.lock import TrainingLock
from operators.training.contract import At, Tensors
from operators.training.schedules.gpen.schedule import GpenTraining
from pipeline.storage import Folder
from tests.jobs.small_job import SmallJob
from tests.jobs.train.small_training import STEPS, SmallTraining, same


def test_what_a_training_leaves(undisturbed: SmallTraining) -> None:
    out = undisturbed.output
    assert {path.name for path in out.iterdir()} == {
        "_facejobs",
        "checkpoints",
        "curves",
        "finished.json",
        "model",
        "report.html",
        "samples",
        "tensorboard",
        "train.json",
    }
    assert undisturbed.checkpoints() == [4, 8, 12], "three newest, as output.keep says"
    assert [row["step"] for row in undisturbed.rows()] == [2, 4, 6, 8, 10, 12]
    assert sorted(path.name for path in (out / "samples").iterdir()) == [
        f"{step:09d}.{ending}" for step in (8, 12) for ending in ("json", "png")
    ]
    assert len(list((out / "tensorboard").iterdir())) == 3
    assert sorted(path.name for path in (out / "model").iterdir()) == ["README.md", "models.yaml", "small.safetensors"]
    assert not list((out / "_facejobs").iterdir()), "the lock was let go of"
    header = json.loads((out / "train.json").read_text())
    assert header["identity"]["job"]["schedule"]["steps"] == STEPS and header["identity"]["data"]
    assert header["data"]["pictures"] + header["data"]["held_out"] == 6


def test_it_has_learnt_something(undisturbed: SmallTraining) -> None:
    start, end = undisturbed.state(4)["networks"], undisturbed.state()["networks"]
    moved = [
        not torch.equal(start[name][key], end[name][key])
        for name in start
        for key in start[name]
        if start[name][key].is_floating_point()
    ]
    assert sum(moved) > len(moved) / 2


def test_a_complete_training_has_nothing_to_do(undisturbed: SmallTraining) -> None:
    before = {path: path.stat().st_mtime_ns for path in undisturbed.output.rglob("*") if path.is_file()}
    result = undisturbed.call("run")
    assert result.exit_code == Exit.DONE
    assert f"nothing to do: the training small is complete ({STEPS} steps)" in result.output
    assert before == {path: path.stat().st_mtime_ns for path in undisturbed.output.rglob("*") if path.is_file()}


def test_other_places_workers_and_names_make_no_other_training(training: SmallTraining) -> None:
    training.write(schedule={"steps": 4, "prior_steps": 0})
    assert training.call("run").exit_code == Exit.DONE
    training.write(schedule={"steps": 4, "prior_steps": 0}, name="renamed", run={"data_workers": 2}, output={"keep": 1})
    assert "nothing to do" in training.call("run").output


def test_another_job_is_refused_and_can_replace(halfway: SmallTraining) -> None:
    halfway.write(schedule={"rate": 0.5})
    result = halfway.call("run")
    assert result.exit_code == Exit.CONFLICT
    assert "differs from this job in 1 point: schedule.rate: was 0.002, is now 0.5" in result.output
    assert halfway.checkpoints() == [0, 4, 8]
    halfway.write(schedule={"rate": 1e-3, "steps": 4, "prior_steps": 0}, output={"existing": "replace"})
    assert halfway.call("run").exit_code == Exit.DONE
    assert [row["step"] for row in halfway.rows()] == [2, 4]
    assert halfway.call("run").output.startswith("nothing to do")


def test_a_training_without_a_checkpoint_is_in_nobodys_way(training: SmallTraining) -> None:
    training.output.mkdir()
    header = {"name": "other", "kind": "train", "model": "gpen", "identity": {"job": {"schedule": {}}, "data": ""}}
    facts = {"steps": 1, "batch": 1, "summary": "", "created": "", "facejobs": "", "parents": []}
    data = {"kind": "faces", "uri": "x", "first_skipped": [], "notes": []}
    (training.output / "train.json").write_text(json.dumps({**header, **facts, "data": data}))
    training.write(schedule={"steps": 2, "prior_steps": 0})
    assert training.call("run").exit_code == Exit.DONE


def test_files_of_others_are_refused(training: SmallTraining) -> None:
    training.output.mkdir()
    (training.output / "letter.txt").write_text("dear")
    result = training.call("run")
    assert result.exit_code == Exit.CONFLICT and "is not empty (there is letter.txt)" in result.output
    assert sorted(path.name for path in training.output.iterdir()) == ["letter.txt"]


def test_to_replace_takes_nothing_of_others_away(training: SmallTraining) -> None:
    (training.output / "model").mkdir(parents=True)
    (training.output / "model/my.bin").write_bytes(b"mine")
    training.write(schedule={"steps": 2, "prior_steps": 0}, output={"existing": "replace"})
    assert training.call("run").exit_code == Exit.DONE
    assert (training.output / "model/my.bin").read_bytes() == b"mine"


def test_a_finished_training_without_its_checkpoints_is_still_one(training: SmallTraining) -> None:
    training.write(schedule={"steps": 2, "prior_steps": 0})
    assert training.call("run").exit_code == Exit.DONE
    shutil.rmtree(training.output / "checkpoints")
    assert training.call("run").output.startswith("nothing to do")
    weights = {path.name: path.read_bytes() for path in (training.output / "model").iterdir()}
    training.write(schedule={"steps": 2, "prior_steps": 0, "rate": 0.5})
    assert training.call("run").exit_code == Exit.CONFLICT
    assert weights == {path.name: path.read_bytes() for path in (training.output / "model").iterdir()}


def test_an_output_of_another_kind_is_refused(training: SmallTraining) -> None:
    job = SmallJob(training.root)
    job.fill(broken=False, pictures=1)
    job.write()
    assert job.call("run").exit_code == Exit.DONE
    for existing in ("refuse", "replace"):
        training.write(output={"existing": existing})
        result = training.call("run")
        assert result.exit_code == Exit.CONFLICT
        assert "a restore job. A training needs an output of its own" in result.output


def test_other_data_are_refused_while_it_goes_on(halfway: SmallTraining) -> None:
    shutil.copy(halfway.root / "pictures/0.png", halfway.root / "pictures/new.png")
    result = halfway.call("run")
    assert result.exit_code == Exit.CONFLICT and "saw other data than are now at" in result.output
    (halfway.root / "pictures/new.png").unlink()


def test_one_at_a_time(halfway: SmallTraining) -> None:
    lock = TrainingLock(Folder(str(halfway.output)))
    lock.acquire()
    try:
        result = halfway.call("run")
        assert result.exit_code == Exit.BUSY and "this training is under way: process" in result.output
        assert halfway.call("gc").exit_code == Exit.BUSY
    finally:
        lock.release()
    assert halfway.call("gc").exit_code == Exit.DONE


@pytest.mark.parametrize("damage", ["flipped", "commit"])
def test_a_damaged_checkpoint_is_passed_over(halfway: SmallTraining, undisturbed: SmallTraining, damage: str) -> None:
    file = halfway.output / f"checkpoints/{8:09d}{'.json' if damage == 'commit' else '/state.safetensors'}"
    data = file.read_bytes()
    file.write_bytes(data[:-1] + (bytes([data[-1] ^ 1]) if damage == "flipped" else b""))
    assert halfway.call("verify").exit_code == Exit.MISMATCH
    result = halfway.call("run")
    assert result.exit_code == Exit.DONE
    assert "the checkpoint before it is taken" in result.output and "going on after step 4 of 12" in result.output
    same(halfway, undisturbed)


def test_without_one_whole_checkpoint_nothing_is_begun_anew(halfway: SmallTraining) -> None:
    for file in halfway.output.glob("checkpoints/*/state.json"):
        file.write_bytes(b"{}")
    result = halfway.call("run")
    assert result.exit_code == Exit.FAILED and "none of 3 checkpoints is whole" in result.output
    assert halfway.checkpoints() == [0, 4, 8]


def test_on_other_storage(tmp_path: Path, undisturbed: SmallTraining) -> None:
    training = SmallTraining(tmp_path)
    training.fill()
    place = f"memory://{tmp_path}/out"
    training.write(output={"uri": place, "storage_options": {"password": "${SMALL_SECRET:-hunter2}"}})
    training.interrupted(5)
    assert training.call("run").exit_code == Exit.DONE
    fs, root = fsspec.core.url_to_fs(place)
    fs.get(root, str(training.output), recursive=True)
    same(training, undisturbed)
    assert not [path for path in training.output.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]


Step = Callable[[GpenTraining, At, Tensors], dict[str, Tensor]]


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[int]]:
    """Steps after which a weight is no number, the first time that they are done."""
    steps: set[int] = set()
    step: Step = GpenTraining.step

    def stepped(self: GpenTraining, at: At, batch: Tensors) -> Mapping[str, Tensor]:
        terms = step(self, at, batch)
        if at.step in steps:
            steps.discard(at.step)
            with torch.no_grad():
                next(self.networks["generator"].parameters()).fill_(float("nan"))
        return terms

    monkeypatch.setattr(GpenTraining, "step", stepped)
    yield steps
    assert not steps


def test_what_is_no_number_is_rolled_back_once(training: SmallTraining, poisoned: set[int]) -> None:
    poisoned.add(6)
    result = training.call("run")
    assert result.exit_code == Exit.DONE, result.output
    (noted,) = [row for row in training.rows() if "kind" in row]
    assert noted["kind"] == "rolled_back" and "rolled back to step 4" in noted["text"]
    assert noted["text"] in result.output
    assert len(training.state()["loop"]["rollbacks"]) == 1
    assert "rolled back to step 4" in (training.output / "report.html").read_text()
    assert "rolled back to step 4" in (training.output / "model/README.md").read_text()
    assert "rolled back to step 4" in training.call("status").output


def test_the_second_time_ends_it(training: SmallTraining, poisoned: set[int]) -> None:
    poisoned |= {6, 9}
    result = training.call("run")
    assert result.exit_code == Exit.FAILED
    assert "rolled back once already" in result.output and "begin anew" in result.output
    assert max(training.checkpoints()) == 8 and not (training.output / "model").exists()
    assert "rolled back once already" in (training.output / "report.html").read_text()


def test_a_full_disk_says_so(halfway: SmallTraining) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        result = halfway.call("run")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert result.exit_code == Exit.STORAGE
    assert "storage: OSError" in result.output and "File too large" in result.output
    assert "run the same command again to continue" in result.output
    assert halfway.checkpoints() == [0, 4, 8]


def test_storage_that_refuses_says_so(training: SmallTraining) -> None:
    training.write(output={"uri": "/proc/facejobs"})
    result = training.call("run")
    assert result.exit_code == Exit.STORAGE and "/proc/facejobs: cannot write there" in result.output


@pytest.mark.parametrize("options", [["--replan"], ["--since", "7d"], ["--where", "true", "--again"]])
def test_options_of_other_jobs_are_refused(training: SmallTraining, options: list[str]) -> None:
    result = training.call("run", *options)
    assert result.exit_code == Exit.USAGE and "a training has no listing and no selection" in result.output
    assert not training.output.exists()


def test_several_workers_need_a_cluster(training: SmallTraining) -> None:
    training.write(run={"workers": 2})
    result = training.call("run")
    assert result.exit_code == Exit.BAD_JOB and "run.workers" in result.output and "ray" in result.output


def test_logs_as_json(training: SmallTraining) -> None:
    training.write(schedule={"steps": 2, "prior_steps": 0}, observe={"logs": "json"})
    result = training.call("run")
    assert result.exit_code == Exit.DONE
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    (last,) = [line for line in lines if line.get("step") == 2]
    assert last["job"] == "small" and last["steps"] == 2 and last["message"].startswith("2 of 2 steps: content ")


def test_best_and_milestones_stay(training: SmallTraining, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.train.looking.Looked.goodness", property(lambda looked: -abs(looked.held_out.step - 4)))
    training.write(output={"checkpoint_every": 2, "samples_every": 2, "keep": 1, "keep_every": 6})
    assert training.call("run").exit_code == Exit.DONE
    assert training.checkpoints() == [4, 6, 12]
    assert "the best of them is 4" in training.call("status").output


def test_what_no_checkpoint_has_confirmed_is_taken_away(halfway: SmallTraining, undisturbed: SmallTraining) -> None:
    out = halfway.output
    names = ("curves/000000008-000000011.jsonl", "samples/000000011.png", "tensorboard/events.out.tfevents.000000011.x")
    for name in names:
        (out / name).write_bytes(b'{"step": 11, "samples": 22}\n')
    assert halfway.call("run").exit_code == Exit.DONE
    same(halfway, undisturbed)
    assert not any((out / name).exists() for name in names)
