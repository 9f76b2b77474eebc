"""A sheet of samples as PNG: a row a sample, a column each for what was given, what was made, and the truth."""

from __future__ import annotations

import io
from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

Pictures = NDArray[np.uint8]

PAPER = (250, 248, 244)
INK = (36, 33, 29)
GAP = 4
"""Pixels around each picture."""

MOST_SAMPLES = 64
"""Rows of a sheet."""


def sheet(columns: Mapping[str, Pictures]) -> bytes:
    """Draw samples side by side.

    Args:
        columns: label to (N, H, W, 3) uint8 RGB, from left to right. All have the same samples in the same order; sizes
            may differ between columns, and smaller ones are enlarged to the largest without smoothing, so that the
            pixels can be seen.

    Returns:
        A PNG of (N + a head) rows; the first `MOST_SAMPLES` samples are drawn. Its text `facejobs` says which columns
        there are. The same pictures give the same bytes.

    Raises:
        ValueError: no column, no sample, another shape or type, or columns of different counts.
    """
    _check(columns)
    count = min(len(next(iter(columns.values()))), MOST_SAMPLES)
    height = max(pictures.shape[1] for pictures in columns.values())
    width = max(pictures.shape[2] for pictures in columns.values())
    font = ImageFont.load_default(size=max(10.0, min(24.0, width / 9)))
    head = int(font.getbbox("Åg")[3]) + 2 * GAP
    size = (len(columns) * (width + GAP) + GAP, head + count * (height + GAP))
    drawn = np.full((size[1], size[0], 3), PAPER, np.uint8)
    for column, pictures in enumerate(columns.values()):
        left = GAP + column * (width + GAP)
        for row in range(count):
            top = head + row * (height + GAP)
            drawn[top : top + height, left : left + width] = _enlarged(pictures[row], height, width)
    image = Image.fromarray(drawn)
    _label(image, list(columns), width, head, font)
    about = PngInfo()
    about.add_itxt("facejobs", " | ".join(columns))
    into = io.BytesIO()
    image.save(into, "PNG", pnginfo=about)
    return into.getvalue()


def _check(columns: Mapping[str, Pictures]) -> None:
    if not columns:
        raise ValueError("a sheet has no columns: give pictures by label, such as input, made and truth")
    counts = {}
    for label, pictures in columns.items():
        if pictures.dtype != np.uint8 or pictures.ndim != 4 or pictures.shape[3] != 3 or 0 in pictures.shape:
            raise ValueError(
                f"the column {label!r} of a sheet is {pictures.dtype} of shape {pictures.shape}; expected at least one "
                "picture, (N, H, W, 3) uint8"
            )
        counts[label] = len(pictures)
    if len(set(counts.values())) > 1:
        raise ValueError(f"the columns of a sheet have different numbers of samples: {counts}; expected the same")


def _enlarged(picture: Pictures, height: int, width: int) -> Pictures:
    if picture.shape[:2] == (height, width):
        return picture
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)


def _label(
    image: Image.Image, labels: list[str], width: int, head: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont
) -> None:
    """Write each label over its column, cut where it is wider."""
    draw = ImageDraw.Draw(image)
    for column, label in enumerate(labels):
        text = label
        while len(text) > 1 and draw.textlength(text, font=font) > width:
            text = text[:-2] + "…"
        left = GAP + column * (width + GAP)
        draw.text((left + width / 2, head / 2), text, fill=INK, font=font, anchor="mm")


def png_size(png: bytes) -> tuple[int, int]:
    """Width and height of a PNG (PNG specification, section 11.2.2), in pixels.

    Raises:
        ValueError: it is none.
    """
    if not png.startswith(b"\x89PNG\r\n\x1a\n") or png[12:16] != b"IHDR":
        raise ValueError(f"a sheet of samples begins with {png[:8]!r}; expected a PNG, as `grid.sheet` makes it")
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")
