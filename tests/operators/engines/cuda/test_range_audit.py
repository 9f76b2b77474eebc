"""The audit that stands before fp16, and what fp16 does to networks that it lets through or refuses."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn

from operators.engines.range_audit import HEADROOM, LARGEST, MOST_SUBNORMAL, audit
from operators.networks import inference_form, published_form
from operators.networks.layers.modulation import ModulatedConv2d

ARCHITECTURES = ("gfpgan_clean", "gpen")


def pushed(module, factor):
    """The same network with modulations that are larger by a factor."""
    for part in module.modules():
        if isinstance(part, ModulatedConv2d):
            part.modulation.weight.data *= factor
            part.modulation.bias.data *= factor
    return module


def fp16_psnr(module, faces):
    """Peak signal to noise ratio of the module in fp16 against fp32, dB."""
    with torch.no_grad():
        exact = module(faces)
        found = copy.deepcopy(module).half()(faces.half()).float()
    error = (found - exact).square().mean().sqrt()
    return float(20 * torch.log10((exact.max() - exact.min()) / error))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_modulations_300_times_larger_collapse_the_published_form_which_is_refused(
    architecture, tiny_module, wrapped, faces32
):
    module = published_form(pushed(tiny_module(architecture), 300))
    found = audit(wrapped(module, architecture), faces32[:2])
    assert not found.safe
    assert found.largest > LARGEST
    assert "conv" in found.layer
    assert fp16_psnr(module, faces32[:2]) < 25  # finite and wrong: what the audit is for


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_modulations_300_times_larger_leave_our_form_as_good_as_it_is_allowed(
    architecture, tiny_module, wrapped, faces32
):
    module = inference_form(pushed(tiny_module(architecture), 300))
    found = audit(wrapped(module, architecture), faces32[:2])
    assert found.safe, found.reason
    assert fp16_psnr(module, faces32[:2]) > 45


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_ordinary_weights_are_allowed_and_good(architecture, tiny_module, wrapped, faces32):
    module = inference_form(tiny_module(architecture))
    found = audit(wrapped(module, architecture), faces32[:2])
    assert found.safe
    assert found.headroom > HEADROOM
    assert found.subnormal < MOST_SUBNORMAL
    assert fp16_psnr(module, faces32[:2]) > 45


def test_the_audited_module_is_left_as_it_was(tiny_module, wrapped, faces32):
    module = inference_form(tiny_module("gpen"))
    before = {name: value.clone() for name, value in module.state_dict().items()}
    audit(wrapped(module, "gpen"), faces32[:1])
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())


class Scaled(nn.Module):
    """Multiplies by a number inside, and divides by it again."""

    def __init__(self, factor, *, exact=False):
        super().__init__()
        self.inner = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Identity())
        self.factor = factor
        self.exact = exact

    def forward(self, faces):
        values = self.inner(faces)
        wide = values.float() if self.exact else values
        return ((wide * self.factor) / self.factor).to(values.dtype)


@pytest.mark.parametrize("factor", [1e6, math.inf])
def test_a_value_that_only_passes_through_is_found(factor, wrapped, faces32):
    found = audit(wrapped(Scaled(factor), "passing"), faces32)
    assert not found.safe
    assert found.operator == "aten.mul.Tensor"
    assert found.reason is not None
    assert "65504" in found.reason


def test_what_the_module_keeps_in_fp32_does_not_count(wrapped, faces32):
    assert audit(wrapped(Scaled(1e6, exact=True), "exact"), faces32).safe


def test_small_values_are_refused(wrapped, faces32):
    found = audit(wrapped(Scaled(1e-6), "small"), faces32)
    assert not found.safe
    assert found.subnormal > MOST_SUBNORMAL
    assert "2^-14" in found.reason


def test_a_weight_out_of_range_is_named(wrapped, faces32):
    module = Scaled(1.0)
    module.inner[0].weight.data[0, 0] = 1e5
    found = audit(wrapped(module, "weight"), faces32 * 0)
    assert found.layer == "parameter inner.0.weight"
    assert not found.safe


def test_a_module_that_does_not_run_without_data_counts_every_value(wrapped, faces32):
    class Asking(Scaled):
        def forward(self, faces):
            return super().forward(faces) if float(faces.detach().abs().max()) >= 0 else faces

    found = audit(wrapped(Asking(1e6, exact=True), "asking"), faces32)
    assert not found.safe


def test_nan_is_refused(wrapped, faces32):
    module = Scaled(1.0)
    module.inner[0].bias.data[1] = math.nan
    found = audit(wrapped(module, "nan"), faces32)
    assert found.largest == math.inf
    assert not found.safe
