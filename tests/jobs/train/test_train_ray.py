"""Two workers over a private Ray cluster come to what one worker in this process comes to, and can be stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from jobs.exits import Exit
from jobs.train.cluster import Desk
from jobs.train.worker import Result
from tests.jobs.train.small_training import SmallTraining

BATCH = {"batch": 8, "steps": 6, "prior_steps": 2}
"""Each of two workers has a whole group of four, over which StyleGAN2's discriminator takes its statistic."""


@pytest.mark.ray
def test_two_workers_of_a_cluster_come_to_what_one_comes_to(tmp_path: Path) -> None:
    alone = SmallTraining(tmp_path)
    alone.fill()
    alone.write(schedule=BATCH, output={"keep": 9})
    assert alone.call("run").exit_code == Exit.DONE
    several = SmallTraining(tmp_path, "several")
    several.write(schedule=BATCH, run={"runner": "ray", "workers": 2})
    result = several.call("run")
    assert result.exit_code == Exit.DONE, result.output
    assert "6 of 6 steps" in result.output
    begun, one, other = (_flat(alone.state(0)), _flat(alone.state(6)), _flat(several.state(6)))
    assert (one - other).norm() < 1e-3 * (one - begun).norm()
    assert [row["step"] for row in several.rows()] == [row["step"] for row in alone.rows()]
    for row, other in zip(several.rows(), alone.rows(), strict=True):
        assert row.keys() == other.keys()
        assert list(row.values()) == pytest.approx(list(other.values()), rel=1e-3, abs=1e-4)
    assert '"workers": 2' in (several.output / "checkpoints/000000006.json").read_text()


def _flat(state: Any) -> torch.Tensor:
    weights = [one for held in state["networks"].values() for one in held.values() if one.is_floating_point()]
    return torch.cat([one.flatten() for one in weights])


def test_the_first_reason_stands() -> None:
    desk = Desk()
    desk.tell(3, {"step": 3})
    desk.tell(4, None)
    desk.say("one")
    assert desk.news() == (4, {"step": 3}, ["one"]) and desk.news()[2] == []
    desk.ended(Result("storage", message="full"))
    desk.ended(Result("failed", message="connection closed"))
    assert desk.result() == Result("storage", message="full")
    assert not desk.rung()
    desk.ring()
    assert desk.rung()
