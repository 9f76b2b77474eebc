"""What time does to a photograph: grain, fading, toning, dust, scratches, creases, stains.

Every function takes a picture (see `portrait.Picture`) and returns a new one of the same shape. Those that draw by
chance take the generator of random numbers, so that a picture is the same on every call.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from demo_archive.portrait import Picture

# Colours of a tone from its darkest to its lightest, RGB in [0, 1].
SEPIA = ((0.13, 0.08, 0.05), (0.52, 0.38, 0.25), (0.96, 0.89, 0.75))
ALBUMEN = ((0.30, 0.20, 0.15), (0.63, 0.51, 0.37), (0.93, 0.87, 0.70))
SELENIUM = ((0.07, 0.06, 0.08), (0.47, 0.45, 0.46), (0.95, 0.94, 0.92))

SUBPIXEL_BITS = 4

Field = NDArray[np.floating[Any]]
"""(H, W) of any float type: a weight or a noise for every pixel."""


def _like(field: Field, picture: Picture) -> Field:
    """A (H, W) field made to broadcast over a grey or a colour picture."""
    return field if picture.ndim == 2 else field[..., None]


def _clipped(picture: Field) -> Picture:
    return np.asarray(np.clip(picture, 0, 1), np.float32)


def _smooth_field(shape: tuple[int, int], rng: Generator, cell: int) -> Field:
    """Cloudy random field of mean 0 and deviation 1 with features of about `cell` pixels."""
    height, width = shape
    coarse = rng.standard_normal((height // cell + 3, width // cell + 3)).astype(np.float32)
    field = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray((field - field.mean()) / max(float(field.std()), 1e-6), np.float32)


def grain(picture: Picture, rng: Generator, strength: float, size: float = 0.7) -> Picture:
    """Silver grain: Gaussian noise of deviation `strength`, `size` pixels of blur, strongest in the middle tones."""
    noise = rng.standard_normal(picture.shape[:2]).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), size)
    noise /= max(float(noise.std()), 1e-6)
    tone = picture if picture.ndim == 2 else picture.mean(axis=2)
    weight = 0.4 + 2.4 * tone * (1 - tone)
    return _clipped(picture + _like(strength * weight * noise, picture))


def fade(picture: Picture, black: float, white: float) -> Picture:
    """Squeeze the tones from [0, 1] into [black, white], as a print that lost its silver."""
    return _clipped(black + (white - black) * picture)


def toned(picture: Picture, tone: tuple[tuple[float, float, float], ...]) -> Picture:
    """Colour a grey picture: (H, W) to (H, W, 3), by straight lines through the colours of `tone`."""
    stops = np.linspace(0, 1, len(tone))
    return np.stack([np.interp(picture, stops, [c[i] for c in tone]) for i in range(3)], axis=2).astype(np.float32)


def vignette(picture: Picture, strength: float) -> Picture:
    """Darken towards the corners, by `strength` there, as a simple lens does."""
    height, width = picture.shape[:2]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    return _clipped(picture * _like(1 - strength * ((x * x + y * y) / 2) ** 1.5, picture))


def uneven(picture: Picture, rng: Generator, strength: float) -> Picture:
    """Cloudy unevenness of development, deviation `strength`."""
    cell = max(8, max(picture.shape[:2]) // 4)
    return _clipped(picture + _like(strength * _smooth_field(picture.shape[:2], rng, cell), picture))


def _blend(picture: Picture, mask: Field, value: float | tuple[float, float, float]) -> Picture:
    """Mix `value` into the picture where `mask` (H, W, 0 to 1) says so."""
    weight = _like(mask, picture)
    return _clipped(picture * (1 - weight) + np.asarray(value, np.float32) * weight)


def _stroke(mask: NDArray[np.uint8], points: NDArray[np.floating[Any]], opacity: float, width: int) -> None:
    """Draw an antialiased line through (N, 2) points x, y into a mask, in place; the strongest stroke wins."""
    layer = np.zeros_like(mask)
    fixed = np.round(points * (1 << SUBPIXEL_BITS)).astype(np.int32)
    cv2.polylines(layer, [fixed], False, round(255 * opacity), width, cv2.LINE_AA, SUBPIXEL_BITS)
    np.maximum(mask, layer, out=mask)


def scratches(picture: Picture, rng: Generator, count: int, value: float = 0.97) -> Picture:
    """Thin bright lines, mostly along the picture's height, some of them broken."""
    height, width = picture.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    for _ in range(count):
        length = rng.uniform(0.15, 0.9) * height
        start = np.array([rng.uniform(0, width), rng.uniform(-0.1, 0.8) * height])
        lean = rng.normal(0, 0.12)
        t = np.linspace(0, 1, 24)
        bend = np.cumsum(rng.normal(0, 0.5, t.size)) + rng.normal(0, 12) * t**2
        points = np.stack([start[0] + lean * length * t + bend, start[1] + length * t], axis=1)
        opacity = float(rng.uniform(0.35, 0.95))
        first, last = (0, t.size) if rng.random() < 0.6 else (0, t.size // 2)
        _stroke(mask, points[first:last], opacity, int(rng.choice([1, 1, 1, 2])))
    return _blend(picture, mask.astype(np.float32) / 255, value)


def dust(picture: Picture, rng: Generator, specks: int, hairs: int, value: float = 0.04) -> Picture:
    """Specks of 1 to 4 pixels, most of them small, and curled hairs; `value` is their grey."""
    height, width = picture.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    for _ in range(specks):
        centre = (int(rng.integers(0, width)), int(rng.integers(0, height)))
        axes = (1 + int(rng.exponential(0.7)), 1 + int(rng.exponential(0.7)))
        cv2.ellipse(
            mask, centre, axes, float(rng.uniform(0, 180)), 0, 360, int(rng.integers(120, 250)), -1, cv2.LINE_AA
        )
    for _ in range(hairs):
        heading = np.cumsum(rng.normal(0, 0.28, 26)) + rng.uniform(0, 2 * np.pi)
        steps = np.stack([np.cos(heading), np.sin(heading)], axis=1) * rng.uniform(1.5, 3.0)
        start = rng.uniform((0, 0), (width, height))
        _stroke(mask, start + np.cumsum(steps, axis=0), float(rng.uniform(0.5, 0.9)), 1)
    return _blend(picture, mask.astype(np.float32) / 255, value)


def crease(picture: Picture, rng: Generator, start: tuple[float, float], end: tuple[float, float]) -> Picture:
    """A fold from `start` to `end` (x, y as parts of width and height): a broken bright line beside a soft shadow."""
    height, width = picture.shape[:2]
    t = np.linspace(0, 1, 60)[:, None]
    line = (np.array(start) * (1 - t) + np.array(end) * t) * (width, height)
    line = line + np.cumsum(rng.normal(0, 0.7, line.shape), axis=0)
    shadow, bright = np.zeros((2, height, width), np.uint8)
    _stroke(shadow, line + 2.0, 0.6, 5)
    for first in range(0, len(t) - 1, 3):
        if rng.random() < 0.75:
            _stroke(bright, line[first : first + 5], float(rng.uniform(0.5, 1.0)), int(rng.choice([1, 2, 3])))
    soft = cv2.GaussianBlur(shadow.astype(np.float32) / 255, (0, 0), 3)
    return _blend(_blend(picture, soft, 0.12), bright.astype(np.float32) / 255, 0.95)


def foxing(picture: Picture, rng: Generator, count: int) -> Picture:
    """Rust-brown blotches with soft edges on a colour picture: (H, W, 3) only."""
    height, width = picture.shape[:2]
    mask = np.zeros((height, width), np.float32)
    for _ in range(count):
        radius = int(rng.uniform(2, 9))
        blot = np.zeros_like(mask)
        cv2.circle(
            blot, (int(rng.integers(0, width)), int(rng.integers(0, height))), radius, float(rng.uniform(0.25, 0.6)), -1
        )
        mask = np.maximum(mask, cv2.GaussianBlur(blot, (0, 0), radius / 2.5))
    return _blend(picture, mask * (0.8 + 0.2 * _smooth_field((height, width), rng, 4)).clip(0, 1), (0.50, 0.33, 0.17))
