"""JPEG as libjpeg-turbo makes and reads it, in whole numbers: the same 8-bit samples as the CPU path's, to the bit.

What is followed: `jccolor.c`, `jcsample.c` and `jcprepct.c` (conversion, subsampling with alternating bias, padding),
`jcparam.c` (ITU-T T.81 annex K tables scaled by the quality), `jcdctmgr.c` (rounded division), `jdsample.c` (triangle
upsampling), `jdcolor.c`. Huffman coding loses nothing and is left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from operators.degradations.batched import transform
from operators.degradations.batched.frames import BLOCK, Frames, columns_taken, indices, rows_taken
from operators.degradations.contract import Size

_LUMA = (
    *(16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55),
    *(14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62),
    *(18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMA = (
    *(17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99),
    *(24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99),
    *(99,) * 32,
)
"""ITU-T T.81, tables K.1 and K.2, row by row."""

_PLAIN = 2
"""Chroma planes up to this many columns are repeated, not interpolated."""


def coded(levels: Frames, qualities: Sequence[int], subsampling: str) -> Tensor:
    """Encode and decode.

    Args:
        levels: (B, 3, H, W) whole numbers from 0 to 255 of any dtype, RGB.
        qualities: of each image, 1 to 100.
        subsampling: of all: `420`, `422` or `444`.

    Returns:
        (B, 3, H, W) int32 from 0 to 255; outside an image without meaning.
    """
    across, down = (1 if subsampling == "444" else 2), (2 if subsampling == "420" else 1)
    planes = _to_ycc(_filled(levels))
    luma, chroma = planes[:, :1], _subsampled(planes[:, 1:], levels.sizes, across, down)
    tables = np.stack([quantisation(quality) for quality in qualities])
    luma, chroma = _requantised(luma, tables[:, 0]), _requantised(chroma, tables[:, 1])
    return _to_rgb(luma, _upsampled(chroma, levels.sizes, across, down))


def quantisation(quality: int) -> NDArray[np.int64]:
    """Tables for luma and chroma at a quality from 1 to 100: (2, 8, 8), from 1 to 255."""
    factor = 5000 // quality if quality < 50 else 200 - 2 * quality
    tables = np.array([_LUMA, _CHROMA], dtype=np.int64).reshape(2, 8, 8)
    return np.clip((tables * factor + 50) // 100, 1, 255)


def _filled(levels: Frames) -> Tensor:
    """int32, the last column and row repeated to the canvas's rim."""
    height, width = levels.pixels.shape[2:]
    rows = [np.minimum(np.arange(height), size[0] - 1) for size in levels.sizes]
    columns = [np.minimum(np.arange(width), size[1] - 1) for size in levels.sizes]
    pixels, device = levels.pixels.to(torch.int32), levels.pixels.device
    return columns_taken(rows_taken(pixels, indices(rows, device)), indices(columns, device))


def _scaled(value: float) -> int:
    return int(value * 65536.0 + 0.5)


def _to_ycc(rgb: Tensor) -> Tensor:
    red, green, blue = rgb.unbind(1)
    half, centre = 1 << 15, (128 << 16) + (1 << 15) - 1
    luma = red * _scaled(0.29900) + green * _scaled(0.58700) + blue * _scaled(0.11400) + half
    cb = red * -_scaled(0.16874) - green * _scaled(0.33126) + blue * half + centre
    cr = red * half - green * _scaled(0.41869) - blue * _scaled(0.08131) + centre
    return torch.stack([luma, cb, cr], dim=1) >> 16


def _to_rgb(luma: Tensor, chroma: Tensor) -> Tensor:
    level, half = luma[:, 0], 1 << 15
    cb, cr = (chroma - 128).unbind(1)
    red = level + ((cr * _scaled(1.40200) + half) >> 16)
    green = level + ((cb * -_scaled(0.34414) - cr * _scaled(0.71414) + half) >> 16)
    blue = level + ((cb * _scaled(1.77200) + half) >> 16)
    return torch.stack([red, green, blue], dim=1).clamp_(0, 255)


def _subsampled(chroma: Tensor, sizes: Sequence[Size], across: int, down: int) -> Tensor:
    """Means of two or four, rounded down and up in turn; rows below the last repeat it, as means."""
    if across == 1:
        return chroma
    bias = torch.arange(chroma.shape[3] // 2, device=chroma.device, dtype=torch.int32) % 2
    if down == 1:
        return (chroma[..., ::2] + chroma[..., 1::2] + bias) >> 1
    rows = [np.minimum(np.arange(chroma.shape[2] // 2), (height - 1) // 2) * 2 for height, _ in sizes]
    # A canvas has an even number of rows, and below the image it repeats the last.
    upper = indices(rows, chroma.device)
    pairs = rows_taken(chroma, upper) + rows_taken(chroma, upper + 1)
    return (pairs[..., ::2] + pairs[..., 1::2] + 1 + bias) >> 2


def _upsampled(chroma: Tensor, sizes: Sequence[Size], across: int, down: int) -> Tensor:
    """A triangle over the nearest two or four samples; the rounding alternates from column to column."""
    if across == 1:
        return chroma
    height, width = chroma.shape[2] * down, chroma.shape[3] * 2
    counts = [(-(-size[0] // down), -(-size[1] // 2)) for size in sizes]
    plain = [columns <= _PLAIN for _, columns in counts]
    device = chroma.device
    odd = torch.arange(width, device=device, dtype=torch.int32) % 2
    unit = 1
    if down == 2:
        near, far = zip(
            *(_neighbours(height, rows, alone) for (rows, _), alone in zip(counts, plain, strict=True)), strict=True
        )
        chroma = rows_taken(chroma, indices(near, device)) * 3 + rows_taken(chroma, indices(far, device))
        unit = 4
    near, far = zip(
        *(_neighbours(width, columns, alone) for (_, columns), alone in zip(counts, plain, strict=True)), strict=True
    )
    sums = columns_taken(chroma, indices(near, device)) * 3 + columns_taken(chroma, indices(far, device))
    # h2v1 rounds with 1 and 2 of 4, h2v2 with 8 and 7 of 16.
    return (sums + 1 + odd) >> 2 if unit == 1 else (sums + 8 - odd) >> 4


def _neighbours(length: int, count: int, alone: bool) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For each of twice as many places: the sample over it, and the next one on its side."""
    place = np.arange(length, dtype=np.intp)
    near = np.minimum(place // 2, count - 1)
    far = near if alone else np.clip(near + (place % 2) * 2 - 1, 0, count - 1)
    return near, far


def _requantised(plane: Tensor, tables: NDArray[np.int64]) -> Tensor:
    """(B, C, H, W) int32 through DCT, quantisation with (B, 8, 8) tables, and back."""
    batch, channels, height, width = plane.shape
    blocks = plane.to(torch.float64).sub_(128.0).reshape(batch, channels, height // 8, 8, width // 8, 8)
    steps = torch.from_numpy(tables.astype(np.float64)).to(plane.device)[:, None, None, None]
    coefficients = transform.forward(blocks.permute(0, 1, 2, 4, 3, 5))
    # The forward transform leaves a factor of 8. Halves are rounded away from zero.
    divisors = steps * 8.0
    counts = ((coefficients.abs() + torch.floor(divisors / 2.0)) / divisors).floor_()
    samples = transform.inverse(torch.copysign(counts, coefficients).mul_(steps))
    return samples.permute(0, 1, 2, 4, 3, 5).reshape(batch, channels, height, width).to(torch.int32)


assert BLOCK % 16 == 0
