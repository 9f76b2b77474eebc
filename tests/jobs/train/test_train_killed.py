"""Ended by signals at any moment and run again, a training comes to what an undisturbed one comes to."""

from __future__ import annotations

import signal

from jobs.exits import Exit
from tests.jobs.train.ended_by import Moment, run
from tests.jobs.train.small_training import STEPS, SmallTraining, same


def test_killed_three_times_and_stopped_once_it_comes_to_the_same_bits(
    training: SmallTraining, undisturbed: SmallTraining
) -> None:
    kill, curves = signal.SIGKILL, training.output / "curves"
    assert run(training.path, Moment(kill, step=3))[0] == -kill
    assert training.checkpoints() == [0] and not curves.exists()
    code, said = run(training.path, Moment(signal.SIGTERM, step=5))
    assert code == Exit.INTERRUPTED
    assert f"stopped by a signal after 5 of {STEPS} steps, which are kept" in said
    assert training.checkpoints() == [0, 4, 5]
    assert run(training.path, Moment(kill, put="000000008/state.json"))[0] == -kill
    assert training.checkpoints() == [0, 4, 5], "half of a checkpoint is none"
    assert (curves / "000000005-000000008.jsonl").exists(), "it is written before the checkpoint"
    assert run(training.path, Moment(kill, step=11))[0] == -kill
    assert training.checkpoints() == [4, 5, 8]
    code, said = run(training.path, Moment())
    assert code == Exit.DONE, said
    assert f"going on after step 8 of {STEPS}" in said
    same(training, undisturbed)
    assert training.call("verify").exit_code == Exit.DONE
