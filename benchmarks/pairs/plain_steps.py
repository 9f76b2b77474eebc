"""Noise, JPEG and colour of the papers, one image at a time in OpenCV and NumPy: BGR float32 in [0, 1]."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]

GREY = np.array([0.114, 0.587, 0.2989], dtype=np.float32)
"""Luma of torchvision, for BGR."""


def _single(img: NDArray[np.floating[Any]]) -> Image:
    """What is in single precision already, for the type checker."""
    return np.asarray(img, dtype=np.float32)


def add_gaussian_noise(img: Image, sigma: float, grey: bool = False) -> Image:
    """Normal noise of a deviation in 8-bit levels."""
    if grey:
        noise = np.float32(np.random.randn(*img.shape[:2])) * np.float32(sigma / 255.0)
        noise = np.repeat(noise[:, :, None], 3, axis=2)
    else:
        noise = np.float32(np.random.randn(*img.shape)) * np.float32(sigma / 255.0)
    return _single(np.clip(img + noise, 0, 1))


def add_poisson_noise(img: Image, scale: float, grey: bool = False) -> Image:
    """Shot noise, with as many counts at white as the image has values, rounded up to a power of two."""
    signal = cv2.cvtColor(img, cv2.COLOR_BGR2GRAY) if grey else img
    signal = np.clip((signal * 255.0).round(), 0, 255) / 255.0
    values = 2 ** np.ceil(np.log2(len(np.unique(signal))))
    noise = np.float32(np.random.poisson(signal * values) / float(values)) - signal
    if grey:
        noise = np.repeat(noise[:, :, None], 3, axis=2)
    return _single(np.clip(img + noise * np.float32(scale), 0, 1))


def to_uint8(img: Image) -> NDArray[np.uint8]:
    """Rounded and clipped."""
    return np.asarray(np.clip((img * 255.0).round(), 0, 255), dtype=np.uint8)


def add_jpeg(img: Image, quality: float) -> Image:
    """Compressed and read again."""
    _, code = cv2.imencode(".jpg", to_uint8(img), [int(cv2.IMWRITE_JPEG_QUALITY), int(quality)])
    return _single(np.float32(cv2.imdecode(code, cv2.IMREAD_COLOR)) / np.float32(255.0))


def colour_shift(img: Image, shift: float) -> Image:
    """A constant of up to a shift in 8-bit levels on each channel."""
    jitter = np.random.uniform(-shift / 255.0, shift / 255.0, 3).astype(np.float32)
    return _single(np.clip(img + jitter, 0, 1))


def grey(img: Image) -> Image:
    """Luma in all channels."""
    return _single(np.tile(cv2.cvtColor(img, cv2.COLOR_BGR2GRAY)[:, :, None], [1, 1, 3]))


def brightness(img: Image, factor: float) -> Image:
    """As torchvision's."""
    return _single(np.clip(img * np.float32(factor), 0, 1))


def contrast(img: Image, factor: float) -> Image:
    """As torchvision's."""
    mean = np.mean(np.dot(img, GREY))
    return _single(np.clip(np.float32(factor) * img + np.float32(1 - factor) * mean, 0, 1))


def saturation(img: Image, factor: float) -> Image:
    """As torchvision's."""
    luma = np.dot(img, GREY)[:, :, None]
    return _single(np.clip(np.float32(factor) * img + np.float32(1 - factor) * luma, 0, 1))


def hue(img: Image, turn: float) -> Image:
    """As torchvision's, by OpenCV's HSV."""
    hsv = cv2.cvtColor(img, cv2.COLOR_BGR2HSV)
    hsv[:, :, 0] = (hsv[:, :, 0] + np.float32(360 * turn)) % 360
    return _single(np.clip(cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR), 0, 1))
