"""Correlation of an image with a kernel, by whichever way is cheapest; the ways differ by rounding alone."""

from __future__ import annotations

import math
from functools import cache
from itertools import count

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.degradations.contract import Image, Plane
from operators.degradations.kernels import Kernel

LOST = 1e-6
"""Weight that may be cut off a kernel's rim: four thousandths of an 8-bit step of full contrast."""
_DIRECT = 130
"""Weights from which `cv2.filter2D` takes a Fourier transform of its own, block by block, at three times the cost."""
_LINE = 35
"""Length of a line from which `cv2.sepFilter2D` is slowed down by its cache, and strips are faster."""
_LONG = 61
"""And length from which a Fourier transform is faster than both."""
_STRIP = 128
"""Values side by side in a strip: with the rows above and below that a long line needs, 20 kB."""


def filtered(image: Image, kernel: Kernel) -> Image:
    """Correlate every channel with a kernel, the border reflected without repeating its pixels (OpenCV's default).

    Args:
        image: (H, W, 3) float32.
        kernel: (k, k) float64, k odd.
    """
    return _correlated(image, _trimmed(kernel).astype(np.float32))


def gaussian(image: Image, size: int, sigma: float) -> Image:
    """The same with a round Gaussian, a product of two of one dimension.

    Args:
        image: (H, W, 3) float32.
        size: side of the kernel in pixels, odd.
        sigma: standard deviation, pixels.
    """
    line = gaussian_line(size, sigma)
    if line.size > _LONG:
        return _transformed(image, np.multiply.outer(line, line).astype(np.float32))
    if line.size > _LINE:
        return turned(down(turned(down(image, line)), line))
    return np.asarray(cv2.sepFilter2D(image, -1, line, line), dtype=np.float32)


def gaussian_line(size: int, sigma: float) -> NDArray[np.float64]:
    """The Gaussian in one dimension: odd in length, sum 1, without what lies beyond five deviations (6e-7 of it)."""
    radius = min(size // 2, math.ceil(5.0 * sigma))
    line = np.exp(-0.5 * (np.arange(-radius, radius + 1, dtype=np.float64) / sigma) ** 2)
    return np.asarray(line / line.sum())


def down(image: Image, line: NDArray[np.float64]) -> Image:
    """Correlate every column by itself, in strips that the nearest cache holds; the border is reflected.

    Args:
        image: (H, W, 3) float32.
        line: odd in length.
    """
    height = image.shape[0]
    rows, result = image.reshape(height, -1), np.empty((height, image.size // height), dtype=np.float32)
    for left in range(0, rows.shape[1], _STRIP):
        strip = np.s_[:, left : left + _STRIP]
        cv2.sepFilter2D(rows[strip], -1, np.ones(1), line, result[strip])
    return result.reshape(image.shape)


def turned(image: Image) -> Image:
    """Rows and columns exchanged."""
    return np.asarray(cv2.transpose(image), dtype=np.float32)


def _correlated(image: Image, kernel: Plane) -> Image:
    if kernel.size < _DIRECT:
        return np.asarray(cv2.filter2D(image, -1, kernel), dtype=np.float32)
    return _transformed(image, kernel)


def _transformed(image: Image, kernel: Plane) -> Image:
    """By one discrete Fourier transform of the whole image, its mirrored border included."""
    (height, width), (rows, columns) = image.shape[:2], kernel.shape
    # The result begins at the first pixel that a whole kernel fits to; what the period wraps lies behind it.
    sides = [_period(least) for least in (height + rows - 1, width + columns - 1)]
    top, left = rows // 2, columns // 2
    bottom, right = sides[0] - height - top, sides[1] - width - left
    spectrum = np.zeros(sides, dtype=np.float32)
    spectrum[:rows, :columns] = kernel
    cv2.dft(spectrum, spectrum)
    # One buffer for all channels, in turn: what the cache still holds need not be read again.
    wide, result = np.empty(sides, dtype=np.float32), np.empty((height, width, image.shape[2]), dtype=np.float32)
    for channel in range(image.shape[2]):
        plane = cv2.extractChannel(image, channel)
        cv2.copyMakeBorder(plane, top, bottom, left, right, cv2.BORDER_REFLECT_101, wide)
        cv2.dft(wide, wide)
        # The conjugate makes a correlation of it, where a product would be a convolution.
        cv2.mulSpectrums(wide, spectrum, 0, wide, conjB=True)
        cv2.dft(wide, wide, cv2.DFT_INVERSE | cv2.DFT_SCALE | cv2.DFT_REAL_OUTPUT)
        cv2.insertChannel(wide[:height, :width], result, channel)
    return result


@cache
def _period(least: int) -> int:
    """Length of a transform: the next multiple of 8 without a prime factor above 13, which OpenCV's is fast for."""
    for length in count(-(-least // 8) * 8, 8):
        rest = length
        for prime in (2, 3, 5, 7, 11, 13):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return length
    raise AssertionError("unreachable: powers of two have no end")


def _trimmed(kernel: Kernel) -> Kernel:
    """Without the rows and columns at the rim that hold next to nothing; never below 3 x 3."""
    weights: NDArray[np.float64] = np.abs(kernel)
    rows, columns = (_reach(weights.sum(axis=axis)) for axis in (1, 0))
    middle = kernel.shape[0] // 2
    return kernel[middle - rows : middle + rows + 1, middle - columns : middle + columns + 1]


def _reach(line: NDArray[np.float64]) -> int:
    """Half the length that a line's weights need, when half of what may be lost is cut off."""
    middle = line.size // 2
    rings = line[middle:].copy()
    rings[1:] += line[:middle][::-1]
    outside = np.cumsum(rings[::-1])[::-1]
    return max(1, int(np.count_nonzero(outside > LOST / 2.0)) - 1)
