"""The network: recognised, loaded strictly, folded, run by engines, and no wider in its view than it says."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files

import numpy as np
import pytest
import torch

from operators.checkpoints.errors import CheckpointError
from operators.damage import weights
from operators.damage.kinds import KINDS
from operators.engines.choose import Runner
from operators.engines.options import EngineOptions, Profile
from operators.networks import UnknownArchitectureError, from_state_dict, inference_form, recognise
from operators.networks.damage.network import DamageUnet, reach


@pytest.fixture
def small():
    torch.manual_seed(3)
    network = DamageUnet(3, (4, 6, 8))
    network.train()
    for _ in range(3):
        network(torch.randn(2, 4, 32, 32))
    return network.eval().requires_grad_(False)


def test_a_state_dict_tells_it(small):
    found = recognise(small.state_dict())
    assert (found.architecture, found.arguments) == ("damage_unet", {"kinds": 3, "widths": [4, 6, 8]})
    assert found.sizeless
    loaded = from_state_dict(small.state_dict())
    x = torch.randn(1, 4, 24, 40)
    assert torch.equal(loaded(x), small(x))


@pytest.mark.parametrize("spoil", ["missing", "extra", "planes", "width"])
def test_other_tensors_are_refused(small, spoil):
    state = dict(small.state_dict())
    if spoil == "missing":
        del state["up.1.norm.running_var"]
    elif spoil == "extra":
        state["up.2.conv.weight"] = torch.zeros(4, 4, 3, 3)
    elif spoil == "planes":
        state["down.0.0.conv.weight"] = torch.zeros(4, 3, 3, 3)
    else:
        state["up.0.conv.weight"] = torch.zeros(6, 13, 3, 3)
    with pytest.raises(UnknownArchitectureError):
        from_state_dict(state)


def test_folding_changes_nothing_but_rounding(small):
    x = torch.randn(2, 4, 32, 48)
    folded = inference_form(small)
    assert torch.allclose(folded(x), small(x), atol=1e-5)
    assert not any("norm" in name for name, _ in folded.named_modules())


@pytest.mark.parametrize("widths", [(2, 2), (2, 2, 2), (2, 2, 2, 2, 2)])
def test_an_output_pixel_depends_on_no_pixel_further_than_its_reach(widths):
    network = DamageUnet(1, widths).eval()
    for name, parameter in network.named_parameters():
        # Positive weights let each dependency through the ReLUs.
        torch.nn.init.uniform_(parameter, 0.05, 0.1) if name.endswith("conv.weight") else None
    grid, far = 2 ** (len(widths) - 1), reach(widths)
    side = 2 * far + 4 * grid
    widest = 0
    # The first and the last pixel of a cell of the coarsest grid see furthest.
    for place in (side // 2, side // 2 + grid - 1):
        x = torch.rand(1, 4, side, side, requires_grad=True)
        (gradient,) = torch.autograd.grad(network(x)[0, 0, place, place], x)
        rows = gradient[0].abs().sum(0).nonzero()
        widest = max(widest, place - int(rows.min()), int(rows.max()) - place)
    assert far - grid < widest <= far


@pytest.mark.parametrize("engine", ["eager", "onnxruntime", "openvino"])
def test_engines_give_what_torch_gives(engine):
    pytest.importorskip(engine if engine != "eager" else "torch")
    network = weights.load(128)
    options = EngineOptions(engine=engine, precision="fp32", device="cpu", strict=True, profile=Profile(1, 1, 1))
    runner = Runner(network, options, None)
    x = torch.rand(1, 4, 128, 128, generator=torch.Generator().manual_seed(1)) * 2.0 - 1.0
    x[:, 3] = 1.0
    with torch.no_grad():
        assert float((runner.run(x) - network.module(x)).abs().max()) < 1e-3
    assert runner.description["used"]["engine"] == engine
    runner.close()


def test_the_card_names_the_weights():
    data = (files("operators") / "data" / weights.WEIGHTS).read_bytes()
    card = weights.card()
    assert hashlib.sha256(data).hexdigest() == card.sha256
    assert len(data) <= 1_000_000
    assert set(card.thresholds) == set(KINDS)
    assert all(0.02 < value < 0.98 for value in card.thresholds.values())
    notice = (files("operators") / "data" / "NOTICE.md").read_text(encoding="utf-8")
    assert card.sha256 in notice


def test_weights_that_changed_are_refused(monkeypatch):
    card = weights.card()
    other = weights.Card(card.version, "0" * 64, card.thresholds)
    monkeypatch.setattr(weights, "card", lambda: other)
    with pytest.raises(CheckpointError, match=r"damage.safetensors of the package has the SHA-256 .*names 0000"):
        weights.load(128)


def test_the_card_is_plain_json():
    data = json.loads((files("operators") / "data" / weights.CARD).read_text(encoding="utf-8"))
    assert set(data) == {"version", "sha256", "thresholds"}
    assert np.isfinite(list(data["thresholds"].values())).all()
