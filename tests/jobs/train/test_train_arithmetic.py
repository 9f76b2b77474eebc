"""What a training computes with, and what is said of it."""

from __future__ import annotations

import pytest

from jobs.spec.training.run import TrainRun
from jobs.train import arithmetic
from jobs.train.arithmetic import hardware_of, warning_of
from operators.engines import precision
from operators.training.contract import Hardware
from operators.training.together import Together
from tests.jobs.train.small_training import SmallTraining


@pytest.mark.parametrize(
    ("flags", "asked", "warned"),
    [
        ({"avx2"}, "bf16", True),
        ({"avx512f"}, "bf16", True),
        ({"avx512_bf16"}, "bf16", False),
        ({"amx_bf16"}, "bf16", False),
        (set(), "bf16", False),
        ({"avx2"}, "fp32", False),
        ({"avx2"}, "auto", False),
    ],
)
def test_bf16_without_instructions_for_it_is_said(monkeypatch, flags, asked, warned):
    monkeypatch.setattr(precision, "cpu_flags", lambda: frozenset(flags))
    monkeypatch.setattr(arithmetic, "cpu_flags", lambda: frozenset(flags))
    hardware = hardware_of(TrainRun(device="cpu", precision=asked), Together())
    warning = warning_of(hardware)
    assert (warning is not None) == warned
    if warning is not None:
        assert min(flags) in warning
        assert "run.precision is bf16" in warning
        assert "say fp32" in warning


def test_a_gpu_is_not_asked_for_its_cpu(monkeypatch):
    monkeypatch.setattr(precision, "cpu_flags", lambda: frozenset({"avx2"}))
    assert warning_of(Hardware(device="cuda:0", precision="bf16")) is None


def test_a_training_says_it_and_goes_on(monkeypatch, tmp_path):
    monkeypatch.setattr(precision, "cpu_flags", lambda: frozenset({"avx2"}))
    training = SmallTraining(tmp_path)
    training.fill()
    training.write(run={"precision": "bf16"}, schedule={"steps": 2, "prior_steps": 0})
    result = training.call("run")
    assert result.exit_code == 0, result.output
    assert result.stderr.count("has no instructions for it") == 1
    assert training.checkpoints() == [0, 2]
