"""The pixels that may be written, and pasting that keeps to them."""

from __future__ import annotations

import numpy as np
import pytest

from operators.faces.align import cut
from operators.faces.paste import Patch, paste
from operators.faces.within import Within
from operators.images.raster import Raster


def test_a_region_comes_back_and_is_seen_in_any_window() -> None:
    region = np.random.default_rng(0).random((13, 11)) > 0.5
    within = Within.of(region, (5, 7, 16, 20))
    assert within.bits.nbytes == 13 * 2
    assert np.array_equal(within.region(), region)
    whole = np.zeros((40, 40), np.bool_)
    whole[7:20, 5:16] = region
    for window in ((0, 0, 40, 40), (8, 9, 12, 30), (0, 0, 5, 7), (15, 19, 39, 39)):
        left, top, right, bottom = window
        assert np.array_equal(within.inside(window), whole[top:bottom, left:right])
    with pytest.raises(ValueError, match=r"expected \(13, 11\)"):
        Within.of(region.T, (5, 7, 16, 20))


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("strips", [False, True])
def test_nothing_else_is_written(monkeypatch: pytest.MonkeyPatch, depth: type, strips: bool) -> None:
    if strips:
        monkeypatch.setattr("operators.faces.paste._STRIP_PIXELS", 500)
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, np.iinfo(depth).max, (90, 80, 3), depth)
    raster = Raster(pixels.copy(), "rgb")
    affine = np.array([[0.7, 0.1, -8.0], [-0.1, 0.7, 2.0]])
    crop = cut(raster, affine, 48)
    region = rng.random((90, 80)) > 0.7
    made = np.full((48, 48, 3), 0.5, np.float32)
    within = Within.of(region, (0, 0, 80, 90))
    pasted = paste(raster, [Patch(crop, made, np.ones((48, 48), np.float32), within)], "replace")
    different = (raster.pixels != pixels).any(axis=2)
    assert not different[~region].any()
    assert pasted.changed_pixels == different.sum()
    middle = np.s_[30:60, 25:55]
    assert different[middle][region[middle]].mean() > 0.99
    # Replaced means replaced: nothing of what was there is left.
    grey = raster.pixels[middle][region[middle]].astype(float) / np.iinfo(depth).max
    assert np.abs(grey - 0.5).max() < 1 / 200
