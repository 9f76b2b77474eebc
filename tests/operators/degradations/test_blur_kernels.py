"""Kernels against SciPy's functions, and convolution against SciPy's."""

import math

import numpy as np
import pytest
from scipy import ndimage, special, stats

from operators.degradations.blur import Blur, Sinc
from operators.degradations.filtering import filtered
from operators.degradations.kernels import bell, sinc

SIZE = (256, 256)


def grid(size):
    axis = np.arange(size) - size // 2
    return np.meshgrid(axis, axis)


def covariance(sigma, sigma_y, angle):
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return turn @ np.diag([sigma**2, sigma_y**2]) @ turn.T


@pytest.mark.parametrize(("sigma", "sigma_y", "angle"), [(2.0, 2.0, 0.0), (4.0, 1.0, 0.7), (0.6, 9.0, -2.5)])
def test_gaussian_kernels_are_scipys_normal_density(sigma, sigma_y, angle):
    expected = stats.multivariate_normal([0, 0], covariance(sigma, sigma_y, angle)).pdf(np.dstack(grid(41)))
    assert np.allclose(bell("aniso", 41, sigma, sigma_y, angle, 1.0), expected / expected.sum(), atol=1e-12)
    if sigma == sigma_y:
        assert np.allclose(bell("iso", 41, sigma, 99.0, 1.0, 3.0), expected / expected.sum(), atol=1e-12)


@pytest.mark.parametrize("beta", [0.5, 1.0, 3.7])
def test_generalised_gaussian_is_scipys_along_its_axes(beta):
    """On an axis, exp(-q^beta / 2) with q = x^2 / s^2 is gennorm of shape 2 beta and scale s 2^(1 / (2 beta))."""
    kernel = bell("generalised_aniso", 41, 3.0, 5.0, 0.0, beta)
    x = np.arange(-20, 21)
    for line, sigma in ((kernel[20], 3.0), (kernel[:, 20], 5.0)):
        expected = stats.gennorm(2 * beta, scale=sigma * 2 ** (1 / (2 * beta))).pdf(x)
        assert np.allclose(line / line.max(), expected / expected.max(), rtol=1e-9, atol=1e-14)


def test_plateau_is_scipys_loglogistic_survival():
    """1 / (1 + q^beta) of q = r^2 / s^2 is the survival function of Fisk's distribution at r / s, of shape 2 beta."""
    x, y = grid(21)
    expected = stats.fisk(2 * 1.6).sf(np.hypot(x, y) / 2.5)
    assert np.allclose(bell("plateau_iso", 21, 2.5, 1.0, 0.0, 1.6), expected / expected.sum(), atol=1e-12)


@pytest.mark.parametrize(("size", "cutoff"), [(7, math.pi / 3), (21, math.pi), (21, math.pi / 5), (101, math.pi)])
def test_sinc_is_scipys_bessel_function(size, cutoff):
    x, y = grid(size)
    radius = np.hypot(x, y)
    radius[size // 2, size // 2] = 1.0
    expected = cutoff * special.j1(cutoff * radius) / (2 * math.pi * radius)
    expected[size // 2, size // 2] = cutoff**2 / (4 * math.pi)
    assert np.allclose(sinc(size, cutoff), expected / expected.sum(), atol=1e-12)


@pytest.mark.parametrize(
    "step",
    [
        Blur(kernel="iso", size=41, sigma=0.1),
        Blur(kernel="iso", size=41, sigma=10.0),
        Blur(kernel="iso", size=3, sigma=5.0),
        Blur(kernel="aniso", size=41, sigma=7.0, sigma_y=0.4, angle=0.9),
        Blur(kernel="generalised_aniso", size=21, sigma=3.0, sigma_y=0.2, angle=-2.0, beta=0.5),
        Blur(kernel="plateau_iso", size=15, sigma=1.5, beta=2.0),
    ],
)
def test_blur_is_scipys_correlation_with_a_mirrored_border(portrait, step):
    kernel = bell(step.kernel, step.size, step.sigma, step.sigma_y, step.angle, step.beta)
    result = step.degrade(portrait, None, SIZE).image
    for channel in range(3):
        expected = ndimage.correlate(portrait[:, :, channel].astype(np.float64), kernel, mode="mirror")
        assert np.abs(result[:, :, channel] - expected).max() < 2e-5
    assert result.dtype == np.float32


def test_sinc_step_rings_as_scipys_correlation_does(portrait):
    result = Sinc(size=13, cutoff=1.2).degrade(portrait, None, SIZE).image
    expected = ndimage.correlate(portrait[:, :, 1].astype(np.float64), sinc(13, 1.2), mode="mirror")
    assert np.abs(result[:, :, 1] - expected).max() < 2e-5
    edge = np.zeros((64, 64, 3), dtype=np.float32)
    edge[:, 32:] = 1.0
    assert Sinc(size=21, cutoff=1.5).degrade(edge, None, (64, 64)).image.max() > 1.03


@pytest.mark.parametrize("size", [5, 21])
def test_kernels_are_not_turned_around(size):
    """A kernel that is not symmetric would come out mirrored by a convolution; OpenCV correlates, as the papers do.

    The small one is correlated directly, the large one by a Fourier transform.
    """
    image = np.zeros((31, 31, 3), dtype=np.float32)
    image[15, 15] = 1.0
    kernel = np.zeros((size, size))
    kernel[size // 2, -1] = 1.0
    expected = np.zeros((31, 31))
    expected[15, 15 - size // 2] = 1.0
    assert np.abs(filtered(image, kernel)[:, :, 0] - expected).max() < 1e-6


@pytest.mark.parametrize("shape", [(16, 16), (17, 90), (131, 61)])
@pytest.mark.parametrize("kernel", ["iso", "aniso"])
def test_blur_of_pictures_smaller_than_the_kernel_and_of_odd_sides(portrait, shape, kernel):
    image = np.ascontiguousarray(portrait[: shape[0], : shape[1]])
    result = Blur(kernel=kernel, size=41, sigma=9.0, sigma_y=6.0, angle=0.4).degrade(image, None, SIZE).image
    weights = bell(kernel, 41, 9.0, 6.0, 0.4, 1.0)
    for channel in range(3):
        expected = ndimage.correlate(image[:, :, channel].astype(np.float64), weights, mode="mirror")
        assert np.abs(result[:, :, channel] - expected).max() < 2e-5


@pytest.mark.parametrize("sides", [(40, 3), (3, 40)])
def test_white_stays_white_when_a_kernels_rim_is_cut_off(sides):
    """To a millionth, which is what may be cut off, and rounding."""
    white = np.ones((64, 64, 3), dtype=np.float32)
    step = Blur(kernel="aniso", size=101, sigma=sides[0] / 4, sigma_y=sides[1] / 4)
    assert np.abs(step.degrade(white, None, (64, 64)).image - 1.0).max() < 2e-6
