"""What the other commands say of a training, named by its job file or by its output."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner, Result

from jobs.exits import Exit
from jobs.main import app
from tests.jobs.train.small_training import STEPS, SmallTraining


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def places(training: SmallTraining) -> tuple[str, str]:
    return str(training.path), str(training.output)


def test_status(undisturbed: SmallTraining, halfway: SmallTraining) -> None:
    for place in places(undisturbed):
        result = call("status", place, "--json")
        assert result.exit_code == Exit.DONE
        status = json.loads(result.output)
        assert status["state"] == "complete" and status["steps_done"] == status["steps"] == STEPS
        assert status["samples_seen"] == 2 * STEPS and status["checkpoints"] == [4, 8, 12]
        assert status["last_row"]["step"] == STEPS and status["rollbacks"] == []
        assert status["best_checkpoint"] in (8, 12) and status["seconds"] > 0
    text = call("status", str(halfway.output)).output
    assert "small: training of gpen, incomplete" in text and f"8 of {STEPS}" in text and "step 8: " in text


def test_report(halfway: SmallTraining) -> None:
    assert not (halfway.output / "report.html").exists(), "whoever stopped it waits"
    for place in places(halfway):
        result = call("report", place)
        assert result.exit_code == Exit.DONE and f"report: {halfway.output}/report.html" in result.output
    page = (halfway.output / "report.html").read_text()
    assert "small" in page and "content" in page


def test_verify(halfway: SmallTraining, undisturbed: SmallTraining) -> None:
    for place in places(undisturbed):
        assert "9 outputs read, all as recorded" in call("verify", place).output
    (halfway.output / "checkpoints/000000004/state.json").unlink()
    (halfway.output / "checkpoints/000000008/state.safetensors").write_bytes(b"")
    (halfway.output / "checkpoints/000000000.json").write_bytes(b"{")
    result = call("verify", str(halfway.output), "--json")
    assert result.exit_code == Exit.MISMATCH
    assert json.loads(result.output) == {
        "checked": 4,
        "missing": ["checkpoints/000000004/state.json"],
        "changed": ["checkpoints/000000000.json", "checkpoints/000000008/state.safetensors"],
        "extra": [],
    }


def test_a_changed_model_is_noticed(halfway: SmallTraining, undisturbed: SmallTraining) -> None:
    (halfway.output / "finished.json").write_bytes((undisturbed.output / "finished.json").read_bytes())
    result = call("verify", str(halfway.output))
    assert result.exit_code == Exit.MISMATCH and "missing: model/small.safetensors" in result.output


def test_gc(halfway: SmallTraining) -> None:
    remains = halfway.output / "checkpoints/000000012/state.json"
    remains.parent.mkdir()
    remains.write_bytes(b"12345")
    result = call("gc", str(halfway.output), "--dry-run")
    assert "1 files of checkpoints that were never finished would be removed, 5 bytes" in result.output
    assert remains.exists()
    result = call("gc", str(halfway.path), "--json")
    assert json.loads(result.output) == {"dry_run": False, "objects": 1, "bytes": 5}
    assert not remains.exists() and halfway.checkpoints() == [0, 4, 8]


def test_plan_writes_nothing(training: SmallTraining) -> None:
    result = training.call("plan", "--json", "--sample", "2")
    assert result.exit_code == Exit.DONE, result.output
    found = json.loads(result.output)
    assert found["pictures"] + found["held_out"] == 6 and found["parameters"]["generator"] > 1000
    assert found["checkpoint_bytes"] > 4 * found["parameters"]["generator"] and found["seconds_per_step"] > 0
    assert "parameters" in training.call("plan", "--sample", "0").output
    assert training.call("plan", "--keep").exit_code == Exit.USAGE
    assert not training.output.exists()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("retry",), "a training has no quarantine"),
        (("ui", "--no-open"), "tensorboard --logdir"),
        (("status", "--watch"), "tensorboard --logdir"),
    ],
)
def test_what_does_not_apply_says_why(halfway: SmallTraining, command: tuple[str, ...], said: str) -> None:
    for place in places(halfway):
        result = call(command[0], place, *command[1:])
        assert result.exit_code == Exit.USAGE and said in result.output


@pytest.mark.parametrize("command", ["status", "report", "verify", "gc", "ui", "retry"])
def test_where_there_is_none(training: SmallTraining, command: str) -> None:
    result = training.call(command)
    assert result.exit_code == Exit.NO_RUN and "no training there" in result.output
