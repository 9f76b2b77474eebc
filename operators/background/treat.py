"""A whole picture through a network, in its own depth and colours, at the scale that is wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from operators.background.canvas import DEEP, Canvas, Deep, Shown
from operators.background.resampled import resampled
from operators.background.scratch import MEMORY_BYTES, LettingGo, room
from operators.background.tone import PictureTone, tone_of
from operators.images.colour import to_rgb
from operators.images.raster import Raster
from operators.images.reduce import reduce_raster

Enlarge = Callable[[Any, Any], None]
"""Fills the second array, (s H, s W, 3), with what a network makes of the first, (H, W, 3); both float32 in [0, 1],
sliced window by window."""

_VIEW_SIDE = 1024
"""Longer side of the view on which a tone is measured."""
_STRIP_PIXELS = 1 << 20
"""Pixels of the network's result that are in floating point at once while it is reduced."""


@dataclass(frozen=True)
class Treatment:
    """What is made of pictures.

    Attributes:
        scale: pixels of the result for one of the source along a side, 1 to the network's own; None for its own.
        strength: share of the network's picture in the result, 0 to 1; the rest is the source, plainly resampled.
        keep_tone: whether a picture that is grey or of one tone stays so.
        memory: bytes above which pixels are kept on disk while they are worked on.
    """

    scale: float | None = None
    strength: float = 1.0
    keep_tone: bool = True
    memory: int = MEMORY_BYTES


@dataclass(frozen=True)
class Treated:
    """A picture that went through a network.

    Attributes:
        raster: in the source's depth, opacity, orientation and profile; gray became RGB where it may take colours.
        toned: whether its one tone was put back.
    """

    raster: Raster
    toned: bool


def size_at(width: int, height: int, scale: float) -> tuple[int, int]:
    """Width and height of a picture at a scale, to the nearest pixel, at least 1."""
    return max(1, round(width * scale)), max(1, round(height * scale))


def treat(raster: Raster, enlarge: Enlarge, own_scale: int, wanted: Treatment) -> Treated:
    """Put a picture through a network.

    Memory holds the source and, up to a bound, the result; what is larger lies on disk.

    Args:
        raster: the source; it is not changed.
        enlarge: runs the network.
        own_scale: pixels of its result for one of its input along a side.
        wanted: what is made.

    Returns:
        A raster of its own pixels.

    Raises:
        OperatorError: `not_finite`, the network made no picture; or what `enlarge` raises.
        OSError: the disk has no room.
        ValueError: a scale below 1 or above the network's.
    """
    scale = float(own_scale) if wanted.scale is None else wanted.scale
    if not 1.0 <= scale <= own_scale:
        raise ValueError(f"scale {scale:g}: expected 1 to {own_scale}, which the network makes")
    source = raster if wanted.keep_tone else coloured(raster)
    tone = _tone(source) if wanted.keep_tone and source.space != "gray" else None
    width, height = size_at(source.width, source.height, scale)
    dtype = np.uint16 if source.full_scale == DEEP else np.uint8
    pixels = room((height, width, source.pixels.shape[2]), dtype, wanted.memory)
    canvas = Canvas(source, pixels, wanted.strength, tone)
    if scale == own_scale:
        enlarge(Shown(source), canvas)
    else:
        deep = room((source.height * own_scale, source.width * own_scale, 3), np.uint16, wanted.memory)
        enlarge(Shown(source), Deep(deep))
        memory = LettingGo(deep)
        rows = max(1, int(_STRIP_PIXELS * scale / own_scale / deep.shape[1]))
        for top in range(0, height, rows):
            strip = (0, top, width, min(top + rows, height))
            canvas.write(strip, resampled(deep, (width, height), strip) / np.float32(DEEP))
            memory.touched(deep.nbytes * (strip[3] - top) // height)
    return Treated(Raster(pixels, source.space, source.alpha, source.orientation, source.icc), tone is not None)


def coloured(raster: Raster) -> Raster:
    """The raster with room for colours; CMYK has it."""
    return to_rgb(raster) if raster.space == "gray" else raster


def _tone(raster: Raster) -> PictureTone | None:
    view = reduce_raster(raster, min(1.0, _VIEW_SIDE / max(raster.width, raster.height))).pixels
    scale = _VIEW_SIDE / max(view.shape[:2])
    if scale < 1.0:
        size = max(1, round(view.shape[1] * scale)), max(1, round(view.shape[0] * scale))
        view = np.asarray(cv2.resize(view, size, interpolation=cv2.INTER_AREA), np.uint8)
    return tone_of(view)
