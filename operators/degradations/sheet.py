"""Contact sheets: samples of a recipe with their drawn parameters, to judge it by eye."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from operators.degradations.applying import Pair, apply, to_8bit
from operators.degradations.contract import Image, Mask
from operators.degradations.drawing import draw
from operators.degradations.recipe import Recipe
from operators.degradations.record import DrawnStep

_MARGIN, _LINE, _POINTS = 8, 13, 11
_PAPER, _INK = (255, 255, 255), (30, 30, 30)


@dataclass(frozen=True)
class Sample:
    """One picture of a sheet.

    Attributes:
        image: (H, W, 3) float32 in [0, 1], RGB.
        captions: what stands under it, a line each; long ones are wrapped.
    """

    image: Image
    captions: tuple[str, ...] = ()


def contact_sheet(samples: Sequence[Sample], columns: int = 3, side: int = 512, lines: int = 24) -> NDArray[np.uint8]:
    """Lay samples out with captions under each.

    Args:
        samples: one and more.
        columns: pictures in a row.
        side: pixels of the longer side of each picture on the sheet.
        lines: of captions at most; what is left out is said.

    Returns:
        (H, W, 3) uint8, RGB, ready for a PNG encoder.

    Raises:
        ValueError: there is no sample, or a number is below 1.
    """
    if not samples or min(columns, side, lines) < 1:
        raise ValueError(f"found {len(samples)} samples, {columns} columns, {side} pixels, expected 1 and more of each")
    columns = min(columns, len(samples))
    tiles = [_tile(sample, side, lines) for sample in samples]
    rows = [tiles[start : start + columns] for start in range(0, len(tiles), columns)]
    heights = [max(tile.shape[0] for tile in row) for row in rows]
    width, height = columns * (side + _MARGIN) + _MARGIN, sum(heights) + _MARGIN * (len(rows) + 1)
    sheet = np.full((height, width, 3), _PAPER, dtype=np.uint8)
    top = _MARGIN
    for row, extent in zip(rows, heights, strict=True):
        for column, tile in enumerate(row):
            left = _MARGIN + column * (side + _MARGIN)
            sheet[top : top + tile.shape[0], left : left + side] = tile
        top += extent + _MARGIN
    return sheet


def recipe_sheet(
    image: Image, recipe: Recipe, seed: int, key: str, variants: int = 6, columns: int = 3, side: int = 512
) -> NDArray[np.uint8]:
    """A sheet of the source and of what a recipe makes of it.

    Args:
        image: (H, W, 3) float32 in [0, 1], RGB.
        recipe: to be shown.
        seed: of the job.
        key: of the record.
        variants: how many pairs, from variant 0 on.
        columns: pictures in a row.
        side: pixels of the longer side of each picture on the sheet.

    Returns:
        (H, W, 3) uint8, RGB. The pairs are those that a job with this seed and key would make.
    """
    samples = [Sample(image, ("source",))]
    for variant in range(variants):
        steps = draw(recipe, seed, key, variant)
        samples.append(Sample(apply(image, steps).image, (f"{recipe.recipe}, variant {variant}", *captions(steps))))
    return contact_sheet(samples, columns, side)


def captions(steps: Sequence[DrawnStep]) -> tuple[str, ...]:
    """A line for each drawn step: its id and every parameter, numbers to three digits."""
    lines = []
    for step in steps:
        parameters = ", ".join(f"{name} {_short(value)}" for name, value in step.parameters.items())
        lines.append(f"{step.id}{' (both)' if step.both else ''}{': ' if parameters else ''}{parameters}")
    return tuple(lines)


def with_mask(pair: Pair) -> Image:
    """The degraded image with its mask in red over it, to see whether the mask is where the damage is."""
    mask: Mask | None = pair.mask
    if mask is None:
        return pair.image
    red = np.array([1.0, 0.1, 0.1], dtype=np.float32)
    share = np.float32(0.7) * mask[:, :, None]
    return np.asarray(pair.image + share * (red - pair.image), dtype=np.float32)


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _tile(sample: Sample, side: int, most: int) -> NDArray[np.uint8]:
    picture = _fitted(sample.image, side)
    wrapped = [line for caption in sample.captions for line in textwrap.wrap(caption, max(8, side * 2 // _POINTS))]
    if len(wrapped) > most:
        wrapped = [*wrapped[: most - 1], f"and {len(wrapped) - most + 1} lines more"]
    tile = np.full((picture.shape[0] + _LINE * len(wrapped) + 4, side, 3), _PAPER, dtype=np.uint8)
    tile[: picture.shape[0], : picture.shape[1]] = picture
    canvas = Pillow.fromarray(tile)
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(_POINTS)
    for number, line in enumerate(wrapped):
        pen.text((0, picture.shape[0] + 2 + number * _LINE), line, fill=_INK, font=font)
    return np.asarray(canvas, dtype=np.uint8)


def _fitted(image: Image, side: int) -> NDArray[np.uint8]:
    """The longer side brought to `side`; small pictures keep their pixels visible."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    way = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_NEAREST_EXACT
    return to_8bit(np.asarray(cv2.resize(image, size, interpolation=way), dtype=np.float32))
