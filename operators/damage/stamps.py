"""Ink stamps drawn on photographs: what the detector learns stamps from, as no recipe of the pairs job has any."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.degradations.contract import Degraded, Generator, Image, Plane
from operators.degradations.fields import cloud, smoothstep

_INKS = ((0.33, 0.16, 0.50), (0.12, 0.20, 0.48), (0.60, 0.10, 0.14), (0.08, 0.08, 0.10), (0.10, 0.34, 0.24))
"""Violet, blue, red, black, green: what pads were made with."""

_LETTERS = "ABCDEFGHIJKLMNOPRSTUVWXYZ0123456789 .-"
_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_COMPLEX)

Canvas = NDArray[np.uint8]


def stamped(image: Image, generator: Generator, size: float | None = None) -> Degraded:
    """Press one stamp on an image: a ring with writing, a frame with lines, or a line alone.

    Ink is a dye: it multiplies the light. It does not reach everywhere, and is thicker at some places than at others.

    Args:
        image: (H, W, 3) float32 in [0, 1], RGB, 32 pixels and more on each side; never changed.
        generator: to draw from.
        size: width of the stamp as a share of the shorter side; drawn from 0.12 to 0.45 where None.

    Returns:
        The image, and the share of ink as its mask: 0 where no bit changed.
    """
    height, width = image.shape[:2]
    side = max(24, round((generator.uniform(0.12, 0.45) if size is None else size) * min(height, width)))
    form = (_ring, _frame, _writing)[int(generator.choice(3, p=(0.5, 0.3, 0.2)))]
    stamp = _turned(form(generator, side), generator.uniform(-math.pi / 5.0, math.pi / 5.0))
    share = np.zeros((height, width), dtype=np.float32)
    centre = generator.uniform(0.05, 0.95, 2) * (width, height)
    _placed(share, np.asarray(stamp / np.float32(255.0), dtype=np.float32), centre)
    worn = smoothstep(-1.6, 0.2, cloud(generator, (height, width), 0.5 * side, octaves=5, persistence=0.8))
    share *= worn * np.float32(generator.uniform(0.55, 0.97))
    share[share < 0.02] = 0.0
    ink = np.asarray(_INKS[int(generator.integers(len(_INKS)))], dtype=np.float32)
    ink = np.clip(ink * np.float32(generator.uniform(0.6, 1.4)), 0.0, 0.8)
    pressed = image * (np.float32(1.0) - share[:, :, None] * (np.float32(1.0) - ink))
    return Degraded(np.where(share[:, :, None] > 0.0, pressed, image).astype(np.float32), share)


def _words(generator: Generator, least: int, most: int) -> str:
    return "".join(generator.choice(list(_LETTERS), int(generator.integers(least, most + 1))))


def _thick(side: int, generator: Generator) -> int:
    return max(1, round(side * generator.uniform(0.006, 0.02)))


def _written(canvas: Canvas, text: str, box: tuple[int, int, int, int], generator: Generator) -> None:
    """Writing that fills a box of x, y, width and height as far as it can."""
    left, top, width, height = box
    font = _FONTS[int(generator.integers(len(_FONTS)))]
    thickness = max(1, round(height * generator.uniform(0.05, 0.16)))
    (wide, tall), _ = cv2.getTextSize(text, font, 1.0, thickness)
    scale = min(width / max(1, wide), height / max(1, tall))
    place = (left + round((width - wide * scale) / 2), top + round((height + tall * scale) / 2))
    cv2.putText(canvas, text, place, font, scale, 255, thickness, cv2.LINE_AA)


def _ring(generator: Generator, side: int) -> Canvas:
    """Writing between two circles, and a date or a bar within."""
    radius = side / 2.0 - 2.0
    inner = radius * generator.uniform(0.58, 0.72)
    around = max(64, round(2.0 * math.pi * radius))
    polar: Canvas = np.zeros((around, max(8, round(radius))), dtype=np.uint8)
    # In polar coordinates a row is an angle; the writing runs along the angle, its feet towards the centre.
    strip: Canvas = np.zeros((max(6, round(radius - inner)), around), dtype=np.uint8)
    _written(strip, _words(generator, 8, 26), (0, strip.shape[0] // 5, around, strip.shape[0] * 3 // 5), generator)
    upright = np.rot90(strip, -1)[:, : polar.shape[1]]
    polar[:, polar.shape[1] - upright.shape[1] :] = upright
    # Without filling, what lies outside the circle would be whatever the memory held.
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP | cv2.WARP_FILL_OUTLIERS
    middle = (side / 2.0, side / 2.0)
    canvas = np.ascontiguousarray(cv2.warpPolar(polar, (side, side), middle, radius, flags)).astype(np.uint8)
    thickness = _thick(side, generator)
    for circle in (radius, inner) if generator.random() < 0.8 else (radius,):
        cv2.circle(canvas, (side // 2, side // 2), round(circle) - thickness, 255, thickness, cv2.LINE_AA)
    wide, tall = round(1.3 * inner), max(4, round(0.35 * inner))
    _written(canvas, _words(generator, 3, 10), ((side - wide) // 2, (side - tall) // 2, wide, tall), generator)
    return canvas


def _frame(generator: Generator, side: int) -> Canvas:
    """Lines of writing in a rectangle, with or without its frame."""
    rows = int(generator.integers(1, 4))
    tall = max(12, round(side * generator.uniform(0.14, 0.24) * rows))
    canvas: Canvas = np.zeros((tall, side), dtype=np.uint8)
    if generator.random() < 0.8:
        edge = _thick(side, generator)
        cv2.rectangle(canvas, (edge, edge), (side - 1 - edge, tall - 1 - edge), 255, edge, cv2.LINE_AA)
    pitch = tall / (rows + 0.4)
    for row in range(rows):
        box = (round(0.08 * side), round((row + 0.35) * pitch), round(0.84 * side), max(3, round(0.62 * pitch)))
        _written(canvas, _words(generator, 5, 16), box, generator)
    return canvas


def _writing(generator: Generator, side: int) -> Canvas:
    """One line of large figures, as numbering machines make."""
    canvas: Canvas = np.zeros((max(10, side // 4), side), dtype=np.uint8)
    _written(canvas, _words(generator, 4, 9), (2, 2, side - 4, canvas.shape[0] - 4), generator)
    return canvas


def _turned(stamp: Canvas, angle: float) -> Canvas:
    height, width = stamp.shape
    side = math.ceil(math.hypot(height, width)) + 2
    turn = cv2.getRotationMatrix2D((width / 2.0, height / 2.0), math.degrees(angle), 1.0)
    turn[:, 2] += (side - width) / 2.0, (side - height) / 2.0
    return np.asarray(cv2.warpAffine(stamp, turn, (side, side), flags=cv2.INTER_LINEAR), dtype=np.uint8)


def _placed(share: Plane, stamp: Plane, centre: NDArray[np.float64]) -> None:
    """Lay a stamp around a point, as far as it is on the picture."""
    top, left = round(float(centre[1]) - stamp.shape[0] / 2.0), round(float(centre[0]) - stamp.shape[1] / 2.0)
    rows = slice(max(0, top), min(share.shape[0], top + stamp.shape[0]))
    columns = slice(max(0, left), min(share.shape[1], left + stamp.shape[1]))
    if rows.start < rows.stop and columns.start < columns.stop:
        share[rows, columns] = stamp[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
