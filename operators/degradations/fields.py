"""Random fields and lines that the archival degradations are made of."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.degradations.contract import Generator, Plane, Size
from operators.degradations.normals import standard_normal

Points = NDArray[np.float64]
"""(N, 2) float64: x and y in pixels, (0, 0) the centre of the first."""

REFERENCE = 1024.0
"""Lengths of archival degradations are in pixels of a picture whose shorter side is this, so that a recipe looks the
same at every size."""

_FRACTION_BITS = 4


def scale_of(size: Size) -> float:
    """Pixels of this picture per pixel of the reference."""
    return min(size) / REFERENCE


def cloud(generator: Generator, size: Size, cell: float, octaves: int = 3, persistence: float = 0.5) -> Plane:
    """Smooth noise of several scales (fractional Brownian motion, Musgrave in Ebert et al., "Texturing and Modeling").

    Args:
        generator: to draw from.
        size: height and width.
        cell: width of the largest features, pixels.
        octaves: scales, each half as wide as the one before.
        persistence: weight of a scale, of that of the one before.

    Returns:
        (H, W) float32 of mean 0 and standard deviation about 1.
    """
    height, width = size
    total = np.zeros(size, dtype=np.float32)
    power = 0.0
    for octave in range(octaves):
        extent = max(1.0, cell / 2.0**octave)
        grid = (min(height, math.ceil(height / extent) + 1), min(width, math.ceil(width / extent) + 1))
        values = generator.standard_normal(grid, dtype=np.float32)
        weight = persistence**octave
        total += np.float32(weight) * cv2.resize(values, (width, height), interpolation=cv2.INTER_CUBIC)
        # Cubic interpolation between independent values keeps about 0.6 of their variance, averaged over a cell.
        power += weight**2 * (0.6 if extent > 1.0 else 1.0)
    return np.asarray(total / np.float32(math.sqrt(power)), dtype=np.float32)


def grainy(generator: Generator, size: Size, channels: int, sigma: float) -> NDArray[np.float32]:
    """White noise through a Gaussian: (H, W, channels) float32 of mean 0 and standard deviation 1.

    Args:
        generator: to draw from.
        size: height and width.
        channels: independent ones.
        sigma: of the Gaussian in pixels; below 0.3 the noise stays white.
    """
    noise = standard_normal(generator, (*size, channels))
    if sigma < 0.3:
        return noise
    axis = np.arange(-math.ceil(4.0 * sigma), math.ceil(4.0 * sigma) + 1)
    line = np.exp(-0.5 * (axis / sigma) ** 2)
    # Divided by its 2-norm, the filter keeps the variance of white noise.
    line /= math.sqrt(float(line @ line))
    smooth = cv2.sepFilter2D(noise, -1, line, line, borderType=cv2.BORDER_REFLECT)
    return np.asarray(smooth, dtype=np.float32).reshape(noise.shape)


def smoothstep(low: float, high: float, values: Plane) -> Plane:
    """0 below `low`, 1 above `high`, 3 t^2 - 2 t^3 between; falling where `low` is the larger."""
    t = np.clip((values - np.float32(low)) / np.float32(high - low), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), dtype=np.float32)


def wandering(generator: Generator, start: Points, end: Points, wander: float, count: int) -> Points:
    """A path between two points that strays as a smoothed Brownian bridge does: jagged, like torn paper.

    Args:
        generator: to draw from.
        start: (2,) x, y.
        end: (2,) x, y.
        wander: standard deviation of the straying in the middle, as a share of the length.
        count: points.

    Returns:
        (count, 2) float64, from start to end.
    """
    share = np.linspace(0.0, 1.0, count)[:, None]
    way = np.asarray(end - start, dtype=np.float64)
    walk = np.concatenate([np.zeros((1, 1)), np.cumsum(generator.standard_normal((count - 1, 1)), axis=0)])
    # Paper is a little smoother than a random walk (roughness exponents of 0.6 to 0.7 against 0.5).
    walk = np.asarray(cv2.GaussianBlur(walk, (1, 0), 1.0, sigmaY=2.5, borderType=cv2.BORDER_REPLICATE))
    walk -= walk[0]
    bridge = (walk - share * walk[-1]) / math.sqrt(count / 4.0)
    return np.asarray(start + share * way + bridge * wander * np.array([-way[1], way[0]]))


def bent(generator: Generator, start: Points, angle: float, length: float, bend: float, count: int = 24) -> Points:
    """A smooth path whose direction drifts, like a hair or a scratch.

    Args:
        generator: to draw from.
        start: (2,) x, y.
        angle: of the first step, radians.
        length: pixels.
        bend: standard deviation of the change of direction from start to end, radians.
        count: points.

    Returns:
        (count, 2) float64.
    """
    drift = np.cumsum(np.cumsum(generator.standard_normal(count - 1)) / count) * (bend / math.sqrt(count))
    directions = angle + drift
    steps = np.stack([np.cos(directions), np.sin(directions)], axis=1) * (length / (count - 1))
    return np.asarray(start + np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)]))


def stroke(canvas: NDArray[np.uint8], points: Points, width: float, value: int = 255) -> None:
    """Draw an antialiased line; below one pixel of width it gets paler instead of thinner.

    Args:
        canvas: (H, W) uint8, changed; keeps the larger value where strokes cross.
        points: of the line.
        width: pixels.
        value: 0 to 255.
    """
    reach = math.ceil(width) + 2
    low = np.maximum(np.floor(points.min(axis=0)).astype(int) - reach, 0)
    high = np.maximum(np.ceil(points.max(axis=0)).astype(int) + reach + 1, 0)
    window = canvas[low[1] : high[1], low[0] : high[0]]
    if window.size == 0:
        return
    # A layer of its own, as antialiasing would blend with what is there, and small, as most strokes are short.
    layer = np.zeros_like(window)
    fixed = np.rint((points - low) * 2**_FRACTION_BITS).astype(np.int32)
    shade = round(value * min(1.0, width))
    cv2.polylines(layer, [fixed], False, shade, max(1, round(width)), cv2.LINE_AA, _FRACTION_BITS)
    np.maximum(window, layer, out=window)


def share_of(canvas: NDArray[np.uint8]) -> Plane:
    """(H, W) uint8 as a share: float32 in [0, 1]."""
    return np.asarray(canvas / np.float32(255.0), dtype=np.float32)


def softened(plane: Plane, sigma: float) -> Plane:
    """A plane blurred a little, with what is below 1 % set to 0, so that it stays local."""
    if sigma < 0.3:
        return plane
    soft = np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma), dtype=np.float32)
    return np.asarray(np.where(soft < 0.01, 0.0, soft), dtype=np.float32)


def border_distance(size: Size) -> Plane:
    """Distance of each pixel to the nearest border, as a share of the shorter side: (H, W) float32."""
    rows, columns = (np.minimum(np.arange(n), np.arange(n)[::-1]).astype(np.float32) for n in size)
    return np.asarray(np.minimum.outer(rows, columns) / np.float32(min(size)), dtype=np.float32)
