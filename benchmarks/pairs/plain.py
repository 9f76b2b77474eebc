"""The gfpgan and the real-esrgan recipe as one writes them with OpenCV and NumPy for one image at a time.

The yardstick of the benchmark: the papers' numbers in the way of their training code, neither slowed down nor tuned.
Random numbers come from NumPy's global generator, as there.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.pairs.plain_kernels import Kernel, bell, circular_lowpass
from benchmarks.pairs.plain_steps import (
    Image,
    add_gaussian_noise,
    add_jpeg,
    add_poisson_noise,
    brightness,
    colour_shift,
    contrast,
    grey,
    hue,
    saturation,
    to_uint8,
)

Pixels = NDArray[np.uint8]

KINDS = ("iso", "aniso", "generalised_iso", "generalised_aniso", "plateau_iso", "plateau_aniso")
KIND_PROBABILITIES = (0.45, 0.25, 0.12, 0.03, 0.12, 0.03)
INTERPOLATIONS = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)


class Plain(Protocol):
    """A recipe: (H, W, 3) uint8 RGB to the degraded picture and the target, both uint8 RGB."""

    def __call__(self, sample: Pixels) -> tuple[Pixels, Pixels]:
        """A pair, drawn from NumPy's global generator."""


def gfpgan(sample: Pixels) -> tuple[Pixels, Pixels]:
    """GFPGAN: blur, down, noise, JPEG, back, colour."""
    target = _flipped(sample)
    height, width = target.shape[:2]
    img = _read(target)
    kind = np.random.choice(["iso", "aniso"])
    sigma_x, sigma_y = np.random.uniform(0.1, 10, 2)
    img = _blurred(img, bell(kind, 41, sigma_x, sigma_y, np.random.uniform(-np.pi, np.pi), 1.0))
    divisor = np.random.uniform(0.8, 8)
    img = _resized(img, int(height // divisor), int(width // divisor), cv2.INTER_LINEAR)
    img = add_gaussian_noise(img, np.random.uniform(0, 20))
    img = add_jpeg(img, np.random.uniform(60, 100))
    img = _resized(img, height, width, cv2.INTER_LINEAR)
    if np.random.uniform() < 0.3:
        img = colour_shift(img, 20)
    if np.random.uniform() < 0.01:
        img = grey(img)
    if np.random.uniform() < 0.3:
        for number in np.random.permutation(4):
            if number == 0:
                img = brightness(img, np.random.uniform(0.5, 1.5))
            elif number == 1:
                img = contrast(img, np.random.uniform(0.5, 1.5))
            elif number == 2:
                img = saturation(img, np.random.uniform(0, 1.5))
            else:
                img = hue(img, np.random.uniform(-0.1, 0.1))
    return _written(img), target


def real_esrgan(sample: Pixels) -> tuple[Pixels, Pixels]:
    """Real-ESRGAN: two passes of blur, resize, noise and JPEG, then sinc; a quarter of the size."""
    target = _flipped(sample)
    height, width = target.shape[0] // 4, target.shape[1] // 4
    img = _blurred(_read(target), _kernel((0.2, 3)))
    scale = _scale((0.2, 0.7, 0.1), (0.15, 1.5))
    img = _resized(img, int(img.shape[0] * scale), int(img.shape[1] * scale), _interpolation())
    img = _noisy(img, (1, 30), (0.05, 3))
    img = add_jpeg(img, np.random.uniform(30, 95))
    if np.random.uniform() < 0.8:
        img = _blurred(img, _kernel((0.2, 1.5)))
    scale = _scale((0.3, 0.4, 0.3), (0.3, 1.2))
    img = _resized(img, int(height * scale), int(width * scale), _interpolation())
    img = _noisy(img, (1, 25), (0.05, 2.5))
    if np.random.uniform() < 0.5:
        img = _ringing(_resized(img, height, width, _interpolation()))
        img = add_jpeg(img, np.random.uniform(30, 95))
    else:
        img = add_jpeg(img, np.random.uniform(30, 95))
        img = _ringing(_resized(img, height, width, _interpolation()))
    return _written(img), target


RECIPES: Mapping[str, Plain] = MappingProxyType({"gfpgan": gfpgan, "real-esrgan": real_esrgan})


def _flipped(sample: Pixels) -> Pixels:
    return np.asarray(cv2.flip(sample, 1), dtype=np.uint8) if np.random.uniform() < 0.5 else sample


def _read(sample: Pixels) -> Image:
    img = np.asarray(cv2.cvtColor(sample, cv2.COLOR_RGB2BGR), dtype=np.float32)
    return np.asarray(img / np.float32(255.0))


def _written(img: Image) -> Pixels:
    return np.asarray(cv2.cvtColor(to_uint8(img), cv2.COLOR_BGR2RGB), dtype=np.uint8)


def _blurred(img: Image, kernel: Kernel) -> Image:
    return np.asarray(cv2.filter2D(img, -1, kernel), dtype=np.float32)


def _resized(img: Image, height: int, width: int, interpolation: int) -> Image:
    return np.asarray(cv2.resize(img, (width, height), interpolation=interpolation), dtype=np.float32)


def _interpolation() -> int:
    return INTERPOLATIONS[np.random.randint(3)]


def _scale(up_down_keep: tuple[float, float, float], limits: tuple[float, float]) -> float:
    way = np.random.choice(["up", "down", "keep"], p=up_down_keep)
    if way == "up":
        return np.random.uniform(1, limits[1])
    return np.random.uniform(limits[0], 1) if way == "down" else 1.0


def _kernel(sigmas: tuple[float, float]) -> Kernel:
    size = int(np.random.choice(range(7, 22, 2)))
    if np.random.uniform() < 0.1:
        lowest = np.pi / 3 if size < 13 else np.pi / 5
        return circular_lowpass(size, np.random.uniform(lowest, np.pi))
    kind = np.random.choice(KINDS, p=KIND_PROBABILITIES)
    sigma_x, sigma_y = np.random.uniform(*sigmas, 2)
    ranges = (1.0, 2.0) if kind.startswith("plateau") else (0.5, 4.0)
    if kind.startswith("plateau"):
        beta = 1.0 if np.random.uniform() < 0.5 else np.random.uniform(*ranges)
    else:
        beta = np.random.uniform(ranges[0], 1) if np.random.uniform() < 0.5 else np.random.uniform(1, ranges[1])
    return bell(kind, size, sigma_x, sigma_y, np.random.uniform(-np.pi, np.pi), beta)


def _noisy(img: Image, sigmas: tuple[float, float], scales: tuple[float, float]) -> Image:
    gaussian, in_grey = np.random.uniform() < 0.5, bool(np.random.uniform() < 0.4)
    if gaussian:
        return add_gaussian_noise(img, np.random.uniform(*sigmas), in_grey)
    return add_poisson_noise(img, np.random.uniform(*scales), in_grey)


def _ringing(img: Image) -> Image:
    if np.random.uniform() >= 0.8:
        return img
    size = int(np.random.choice(range(7, 22, 2)))
    return _blurred(img, circular_lowpass(size, np.random.uniform(np.pi / 3, np.pi)))
