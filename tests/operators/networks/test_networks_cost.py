"""Sizes and costs that others have counted."""

from __future__ import annotations

import pytest
import torch

from operators import networks
from operators.networks.cost import cost

pytestmark = pytest.mark.usefixtures("one_torch_thread")

_GPEN_256 = {"in_size": 256, "out_size": 256, "channel_multiplier": 1, "narrow": 0.5}


def hollow(architecture, **arguments):
    with torch.device("meta"):
        return networks.build(architecture, arguments)


@pytest.mark.parametrize(
    ("architecture", "arguments", "millions"),
    [
        ("gfpgan_clean", {"out_size": 512}, 87.1),
        ("gpen", {"in_size": 512, "out_size": 512}, 71.0),
        ("gpen", _GPEN_256, 18.9),
        ("gpen", {"in_size": 1024, "out_size": 1024}, 71.2),
    ],
)
def test_count_of_numbers(architecture, arguments, millions):
    module = hollow(architecture, **arguments)
    count = sum(tensor.numel() for tensor in module.state_dict().values())
    assert round(count / 1e6, 1) == millions


@pytest.mark.parametrize(
    ("architecture", "arguments", "billions"),
    [("gfpgan_clean", {"out_size": 512}, 395.5), ("gpen", {"in_size": 512, "out_size": 512}, 276.2)],
)
def test_arithmetic_of_the_published_networks(architecture, arguments, billions):
    module = networks.published_form(hollow(architecture, **arguments))
    assert round(cost(module, (3, 512, 512)).flops / 1e9, 1) == billions


def test_frozen_gfpgan_saves_a_third_of_the_arithmetic():
    """Doubling after the convolution takes a quarter, and that is what its widest layers do."""
    module = hollow("gfpgan_clean", out_size=512)
    trained, frozen = cost(module, (3, 512, 512)), cost(networks.inference_form(module), (3, 512, 512))
    assert 0.68 * trained.flops < frozen.flops < 0.70 * trained.flops
    assert frozen.activation_bytes < 0.9 * trained.activation_bytes


def test_batch_multiplies_activations_and_not_weights():
    module = networks.inference_form(hollow("gpen", **_GPEN_256))
    one, eight = cost(module, (3, 256, 256)), cost(module, (3, 256, 256), 8)
    assert eight.flops == 8 * one.flops
    assert eight.weight_bytes == one.weight_bytes
    # The learned start is a constant, which is read once.
    assert eight.activation_bytes == pytest.approx(8 * one.activation_bytes, rel=1e-3)
    assert one.bytes == one.weight_bytes + one.activation_bytes


def test_shorter_numbers_move_half():
    module = networks.inference_form(hollow("gpen", **_GPEN_256))
    wide, short = cost(module, (3, 256, 256)), cost(module, (3, 256, 256), dtype=torch.bfloat16)
    assert short.flops == wide.flops
    assert 0.5 < short.activation_bytes / wide.activation_bytes < 0.55
    assert wide.weight_bytes > short.weight_bytes > 0.5 * wide.weight_bytes


def test_counting_leaves_the_network_alone(tiny_network, network_input):
    module = tiny_network("gpen")
    x = network_input(module)
    before = module(x)
    cost(module, (3, 64, 64), 2)
    assert torch.equal(module(x), before)
