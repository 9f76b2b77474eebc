"""Every kind of model through the whole job: begun, stopped, gone on with, exported as a network that is known."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.exits import Exit
from operators.networks import from_state_dict
from tests.jobs.train.small_training import SmallTraining

FACES = {"kind": "faces", "uri": "pictures", "align": False, "held_out": 0.3}
DEGRADED = {**FACES, "recipes": {"gfpgan": 1}}
PICTURES = {"kind": "pictures", "uri": "pictures", "held_out": 0.3}
STYLE = "pictures/0.png"

KINDS: dict[str, dict[str, Any]] = {
    "gfpgan": {
        "data": DEGRADED,
        "model": {"size": 32, "num_style_feat": 8, "num_mlp": 1, "narrow": 0.016, "judge_narrow": 0.016},
        "objective": {"perceptual": 0.0, "identity": 0.0},
        "schedule": {"prior": "tuned"},
    },
    "completion": {
        "data": FACES,
        "model": {"size": 8, "channels": [12, 8]},
        "objective": {"feature": 0.0},
        "schedule": {"fading": 2, "steady": 2},
    },
    "srgan": {
        "data": PICTURES,
        "model": {"size": 32, "channels": 4, "blocks": 1, "judge_width": 4, "judge_hidden": 4},
        "objective": {"content": 0.0, "pixel": 1.0},
        "schedule": {"alone": 2},
    },
    "pix2pix": {"data": DEGRADED, "model": {"size": 32, "levels": 5, "width": 4, "judge_width": 4, "judge_layers": 2}},
    "cyclegan": {
        "data": {"kind": "unpaired", "first": "pictures", "second": "pictures", "size": 16, "held_out": 0.3},
        "model": {"features": 4, "blocks": 1, "judge_features": 4, "judge_layers": 1},
    },
    "transform": {
        "data": {**PICTURES, "style": STYLE},
        "model": {"size": 32, "style_size": 32, "channels": 4, "blocks": 1, "large": 3},
    },
}


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_kind_of_model_is_trained_and_exported(training: SmallTraining, kind: str) -> None:
    blocks = KINDS[kind]
    training.write_new(
        data=blocks["data"],
        model={"kind": kind, **blocks["model"]},
        objective=blocks.get("objective", {}),
        schedule={"steps": 4, "batch": 2, **blocks.get("schedule", {})},
    )
    training.interrupted(2)
    result = training.call("run")
    assert result.exit_code == Exit.DONE, result.output
    assert [row["step"] for row in training.rows()] == [2, 4]
    assert (training.output / "samples/000000004.png").exists()
    assert (training.output / "report.html").exists()
    for weights in training.models().values():
        from_state_dict(weights)
