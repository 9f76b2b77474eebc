"""The pictures that are shown: evenly spaced by name, whatever came out of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jobs.evaluate.gather import Shown
from operators.degradations.sheet import Sample, contact_sheet

_PAPER = 255


def columns_of(shown: list[Shown]) -> list[str]:
    """Names of the columns, in order, of all that any picture has."""
    names: dict[str, None] = {}
    for one in sorted(shown, key=lambda each: -len(each.pictures)):
        names |= dict.fromkeys(one.pictures)
    return list(names)


def sheet(shown: list[Shown], side: int) -> NDArray[np.uint8] | None:
    """A contact sheet, a row a picture and a column a method.

    Args:
        shown: pictures with their versions.
        side: pixels of the longer side of each.

    Returns:
        (H, W, 3) uint8, RGB; None where there is no picture.
    """
    columns = columns_of(shown)
    if not columns:
        return None
    empty = np.full((side, side, 3), _PAPER, np.uint8)
    samples = [
        Sample(
            one.pictures.get(column, empty).astype(np.float32) / np.float32(255.0),
            (column if column in one.pictures else f"{column}: none", *((one.name,) if place == 0 else ())),
        )
        for one in shown
        for place, column in enumerate(columns)
    ]
    return contact_sheet(samples, len(columns), side)
