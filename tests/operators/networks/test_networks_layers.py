"""Layers against their definitions, computed otherwise."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.signal
import torch
from torch.nn import functional

from operators.networks.folded.doubled import DoubledConv2d, doubled_convolution
from operators.networks.layers.bilinear import doubled, halved
from operators.networks.layers.convolution import ConvLayer
from operators.networks.layers.equalised import EqualConv2d, EqualLinear, FusedLeakyReLU, PixelNorm, ScaledLeakyReLU
from operators.networks.layers.fir import (
    Blur,
    FirUpsample,
    fir_kernel,
    padding_after_transposed,
    padding_before_strided,
)
from operators.networks.layers.modulation import ModulatedConv2d

pytestmark = pytest.mark.usefixtures("one_torch_thread")

_TAPS = [(1, 3, 3, 1), (1, 2, 1), (1, 1), (1, 4, 6, 4, 1), (1, 5, 10, 10, 5, 1), (1, 2, 4, 1)]


@pytest.fixture(autouse=True)
def without_gradients():
    with torch.no_grad():
        yield


def image(channels=3, height=9, width=7, count=2):
    return torch.randn(count, channels, height, width, generator=torch.Generator().manual_seed(height))


def up_fir_down(x, kernel, up, down, before, after):
    """The definition: zeros between pixels, zeros around, true convolution, every `down`-th pixel."""
    results = []
    for plane in x.flatten(0, 1).double().numpy():
        inserted = np.zeros((plane.shape[0] * up, plane.shape[1] * up))
        inserted[::up, ::up] = plane
        padded = np.pad(inserted, ((before, after), (before, after)))
        results.append(scipy.signal.convolve2d(padded, kernel.double().numpy(), mode="valid")[::down, ::down])
    return torch.from_numpy(np.stack(results)).float().unflatten(0, x.shape[:2])


@pytest.mark.parametrize("taps", _TAPS)
def test_upsampling_by_a_filter(taps):
    x = image()
    surplus = len(taps) - 2
    expected = up_fir_down(x, fir_kernel(taps, 4.0), 2, 1, (surplus + 1) // 2 + 1, surplus // 2)
    assert expected.shape[2:] == (18, 14)
    torch.testing.assert_close(FirUpsample(taps)(x), expected)


@pytest.mark.parametrize("taps", _TAPS)
def test_filter(taps):
    x = image()
    torch.testing.assert_close(Blur(taps, (2, 1))(x), up_fir_down(x, fir_kernel(taps), 1, 1, 2, 1))


def test_kernel_sums_to_its_gain():
    assert fir_kernel((1, 3, 3, 1), 4.0).sum().item() == pytest.approx(4.0)
    torch.testing.assert_close(fir_kernel((1, 3, 3, 1))[0], torch.tensor([1.0, 3.0, 3.0, 1.0]) / 64)


@pytest.mark.parametrize("taps", _TAPS[:4])
@pytest.mark.parametrize("kernel_size", [1, 3])
def test_halving_layer(taps, kernel_size):
    layer = ConvLayer(3, 5, kernel_size, half="fir", taps=taps)
    x = image(3, 16, 12)
    before, after = padding_before_strided(len(taps), kernel_size)
    blurred = up_fir_down(x, fir_kernel(taps), 1, 1, before, after)
    expected = functional.conv2d(blurred, layer[1].weight / math.sqrt(3 * kernel_size**2), stride=2)
    assert expected.shape[2:] == (8, 6)
    torch.testing.assert_close(layer(x), functional.leaky_relu(expected, 0.2) * math.sqrt(2))


def test_bilinear_resampling():
    x = image(3, 8, 6)
    torch.testing.assert_close(
        halved(x), functional.interpolate(x, scale_factor=0.5, mode="bilinear", align_corners=False)
    )
    # A step between two pixels: quarter points on both sides, and the border repeated.
    row = doubled(torch.tensor([0.0, 4.0]).view(1, 1, 1, 2))[0, 0, 0]
    torch.testing.assert_close(row, torch.tensor([0.0, 1.0, 3.0, 4.0]))


@pytest.mark.parametrize("side", [2, 3, 16, 17])
@pytest.mark.parametrize("activate", [True, False])
def test_doubling_after_the_convolution_is_exact(side, activate):
    torch.manual_seed(side)
    weight, bias, x = torch.randn(5, 7, 3, 3), torch.randn(5), torch.randn(2, 7, side, side)
    plain = functional.conv2d(doubled(x).double(), weight.double(), bias.double(), padding=1)
    expected = (functional.leaky_relu(plain, 0.2) if activate else plain).float()
    torch.testing.assert_close(DoubledConv2d(weight, side, bias, activate=activate)(x), expected, rtol=1e-4, atol=1e-4)
    without = DoubledConv2d(weight, side)(x) + bias[:, None, None]
    torch.testing.assert_close(without, plain.float(), rtol=1e-4, atol=1e-4)


def test_doubled_convolution_takes_the_cheaper_way():
    weight, x = torch.randn(4, 4, 3, 3), torch.randn(1, 4, 32, 32)
    large, small = doubled_convolution(weight, 32, 4), doubled_convolution(weight, 8, 4)
    assert isinstance(large, DoubledConv2d)
    assert not isinstance(small, DoubledConv2d)
    assert not isinstance(doubled_convolution(weight, 32, 5), DoubledConv2d)
    torch.testing.assert_close(large(x), small(x), rtol=1e-4, atol=1e-4)


def modulated(layer, x, latent):
    """The published form, image by image, in double precision."""
    style = latent @ layer.modulation.weight.t() * getattr(layer.modulation, "scale", 1.0) + layer.modulation.bias
    results = []
    entering = x.double()
    if layer.up == "bilinear":
        entering = functional.interpolate(entering, scale_factor=2, mode="bilinear", align_corners=False)
    for one, factors in zip(entering, style.double(), strict=True):
        weight = layer.weight[0].double() * layer.scale * factors.view(1, -1, 1, 1)
        if layer.demodulate:
            weight = weight / (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        if layer.up == "fir":
            height, width = one.shape[1:]
            inserted = torch.zeros(len(one), 2 * height - 1, 2 * width - 1, dtype=torch.float64)
            inserted[:, ::2, ::2] = one
            # A transposed convolution is one with the flipped kernel over the widely padded input.
            wide = functional.conv2d(functional.pad(inserted, (2, 2, 2, 2))[None], weight.flip(2, 3))
            before, after = padding_after_transposed(len(layer.blur.kernel), 3)
            results.append(up_fir_down(wide, layer.blur.kernel, 1, 1, before, after)[0].double())
        else:
            results.append(functional.conv2d(one[None], weight, padding=weight.shape[2] // 2)[0])
    return torch.stack(results).float()


@pytest.mark.parametrize("form", ["scaled", "grouped"])
@pytest.mark.parametrize("up", [None, "bilinear", "fir"])
@pytest.mark.parametrize("demodulate", [True, False])
@pytest.mark.parametrize("equalised", [True, False])
def test_modulated_convolution(form, up, demodulate, equalised):
    torch.manual_seed(5)
    layer = ModulatedConv2d(6, 4, 3, 8, demodulate=demodulate, equalised=equalised, up=up)
    layer.form = form
    x, latent = image(6), torch.randn(2, 8) * 3
    found = layer(x, latent)
    assert found.shape[2:] == ((18, 14) if up else (9, 7))
    torch.testing.assert_close(found, modulated(layer, x, latent), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("form", ["scaled", "grouped"])
def test_other_filter_after_a_transposed_convolution(form):
    layer = ModulatedConv2d(6, 4, 3, 8, up="fir", taps=(1, 5, 10, 10, 5, 1))
    layer.form = form
    x, latent = image(6), torch.randn(2, 8, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(layer(x, latent), modulated(layer, x, latent), rtol=1e-4, atol=1e-5)


def test_demodulated_output_has_the_inputs_variance():
    torch.manual_seed(3)
    layer = ModulatedConv2d(64, 64, 3, 8)
    y = layer(torch.randn(2, 64, 32, 32), torch.randn(2, 8) * 10)
    assert 0.9 < y[..., 1:-1, 1:-1].std().item() < 1.1


def test_vanishing_and_infinite_styles_stay_finite():
    layer = ModulatedConv2d(4, 4, 3, 2)
    layer.modulation.bias.zero_()
    x = image(4)
    assert torch.equal(layer(x, torch.zeros(2, 2)), torch.zeros(2, 4, 9, 7))
    assert layer(x, torch.full((2, 2), 1e30)).isfinite().all()


def test_equalised_layers():
    x = torch.randn(5, 12, generator=torch.Generator().manual_seed(2))
    linear = EqualLinear(12, 7, bias=3.0, rate=0.01, activate=True)
    expected = functional.leaky_relu(x @ linear.weight.t() * 0.01 / math.sqrt(12) + 0.03, 0.2) * math.sqrt(2)
    torch.testing.assert_close(linear(x), expected)
    assert 60 < linear.weight.std().item() < 140
    conv = EqualConv2d(3, 4, 3, padding=1, bias=1.0)
    y = image()
    expected = functional.conv2d(y, conv.weight, padding=1) / math.sqrt(27) + 1.0
    torch.testing.assert_close(conv(y), expected)


def test_activations():
    x = torch.tensor([-1.0, 2.0]).view(1, 2, 1, 1)
    fused = FusedLeakyReLU(2)
    fused.bias.copy_(torch.tensor([0.5, -0.5]))
    expected = torch.tensor([-0.1 * math.sqrt(2), 1.5 * math.sqrt(2)])
    torch.testing.assert_close(fused(x).flatten(), expected)
    torch.testing.assert_close(ScaledLeakyReLU()(x).flatten(), torch.tensor([-0.2, 2.0]) * math.sqrt(2))
    normal = PixelNorm()(torch.tensor([[3.0, 4.0]]))
    torch.testing.assert_close(normal, torch.tensor([[3.0, 4.0]]) / math.sqrt(12.5))
