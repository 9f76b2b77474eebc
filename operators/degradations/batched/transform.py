"""The integer DCT of libjpeg-turbo (`jfdctint.c`, `jidctint.c`: Loeffler, Ligtenberg and Moschytz 1989), to the bit.

Between its roundings each pass is a linear map with whole coefficients: the sums of the code's fixed-point constants.
float64 holds every value here exactly, so a product with the map gives the same integers in any order of summation.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

_BITS = 13
_PASS_BITS = 2


def _fixed(value: float) -> int:
    return int(value * (1 << _BITS) + 0.5)


def _even() -> list[tuple[int, list[int]]]:
    """Rows 0, 4, 2, 6 of the forward map, as coefficients of inputs 0 to 3; inputs 7 to 4 mirror them."""
    one, z1 = 1 << _BITS, _fixed(0.541196100)
    low, high = z1 + _fixed(0.765366865), z1 - _fixed(1.847759065)
    return [
        (0, [one, one, one, one]),
        (4, [one, -one, -one, one]),
        (2, [low, z1, -z1, -low]),
        (6, [z1, high, -high, -z1]),
    ]


def _odd() -> list[tuple[int, list[int]]]:
    """Rows 7, 5, 3, 1, as coefficients of the differences of inputs (3, 4), (2, 5), (1, 6), (0, 7)."""
    z5, z1, z2 = _fixed(1.175875602), -_fixed(0.899976223), -_fixed(2.562915447)
    z3, z4 = z5 - _fixed(1.961570560), z5 - _fixed(0.390180644)
    return [
        (7, [_fixed(0.298631336) + z1 + z3, z5, z3, z1 + z5]),
        (5, [z5, _fixed(2.053119869) + z2 + z4, z2 + z5, z4]),
        (3, [z3, z2 + z5, _fixed(3.072711026) + z2 + z3, z5]),
        (1, [z1 + z5, z4, z5, _fixed(1.501321110) + z1 + z4]),
    ]


@cache
def forward_map(device: torch.device) -> Tensor:
    """(8, 8) float64 of whole numbers: row k gives coefficient k, times 2^13, of eight samples. Never changed."""
    rows = torch.zeros(8, 8, dtype=torch.float64)
    for row, values in _even():
        for place, value in enumerate(values):
            rows[row, place] = rows[row, 7 - place] = value
    for row, values in _odd():
        for place, value in enumerate(values):
            rows[row, 3 - place] = value
            rows[row, 4 + place] = -value
    return rows.to(device)


def forward(blocks: Tensor) -> Tensor:
    """Samples less 128, (..., 8, 8) float64, to coefficients that are 8 times the DCT's: rows first, then columns."""
    rows = forward_map(blocks.device)
    first = _descaled(blocks @ rows.T, _BITS - _PASS_BITS)
    return _descaled(rows @ first, _BITS + _PASS_BITS)


def inverse(coefficients: Tensor) -> Tensor:
    """Dequantised coefficients, (..., 8, 8) float64, to samples from 0 to 255: columns first, then rows."""
    # The code's inverse is the transpose of its forward map: the same constants, its flow graph run backwards.
    columns = forward_map(coefficients.device).T
    first = _descaled(columns @ coefficients, _BITS - _PASS_BITS)
    return (_descaled(first @ columns.T, _BITS + _PASS_BITS + 3) + 128.0).clamp_(0.0, 255.0)


def _descaled(values: Tensor, bits: int) -> Tensor:
    """A shift to the right with rounding, halves up."""
    return values.mul_(2.0**-bits).add_(0.5).floor_()
