"""A preview as one picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from jobs.pairs.preview import Tried, Wish
from operators.degradations.sheet import Sample, captions, contact_sheet

PICTURE_SIDE, STRIP_SIDE, COLUMNS = 512, 256, 3
PAPER = 255


def preview_sheet(tried: Sequence[Tried], wish: Wish, *, strip: bool) -> NDArray[np.uint8]:
    """Lay out samples and their pairs.

    Args:
        tried: at least one.
        wish: what was asked for.
        strip: each sample and its pairs in one row, without their parameters.

    Returns:
        (H, W, 3) uint8, RGB.
    """
    columns = wish.variants + 1 if strip else min(wish.variants + 1, COLUMNS)
    side = STRIP_SIDE if strip else PICTURE_SIDE
    sheets = [contact_sheet(_samples(one, wish, strip), columns, side) for one in tried]
    width = max(sheet.shape[1] for sheet in sheets)
    return np.concatenate(
        [np.pad(sheet, ((0, 0), (0, width - sheet.shape[1]), (0, 0)), constant_values=PAPER) for sheet in sheets]
    )


def _samples(tried: Tried, wish: Wish, strip: bool) -> list[Sample]:
    said = (tried.note,) if tried.note and not strip else ()
    samples = [Sample(_floats(tried.pixels), (tried.name, *said))]
    for variant in tried.variants:
        named = f"variant {variant.number}"
        lines = (named,) if strip else (f"{wish.recipe.recipe}, {named}", *captions(variant.steps))
        samples.append(Sample(_floats(variant.pair.degraded), lines))
    return samples


def _floats(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(pixels.astype(np.float32) / np.float32(255.0), dtype=np.float32)
