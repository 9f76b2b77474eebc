"""The working space: exact where nothing changes, right where something does."""

from __future__ import annotations

import image_files as files
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.images.colour import apply_change, from_working, to_working
from operators.images.raster import Raster

KINDS = [(space, depth, alpha) for space in ("gray", "rgb", "cmyk") for depth in (8, 16) for alpha in (False, True)]


def make(space: str, depth: int, alpha: bool, icc: bytes | None = None) -> Raster:
    return Raster(files.photo(space, depth, alpha).copy(), space, alpha=alpha, icc=icc)


@pytest.mark.parametrize(("space", "depth", "alpha"), KINDS)
def test_unchanged_pixels_keep_their_values_bit_for_bit(space: str, depth: int, alpha: bool) -> None:
    raster = make(space, depth, alpha)
    before = to_working(raster, raster.pixels)
    assert before.dtype == np.float32 and before.shape == (*raster.pixels.shape[:2], 3)
    assert before.min() >= 0 and before.max() <= 1
    np.testing.assert_array_equal(apply_change(raster, raster.pixels, before, before.copy()), raster.pixels)
    after = before.copy()
    after[40:60, 50:90] = 1 - after[40:60, 50:90]
    changed = apply_change(raster, raster.pixels, before, after)
    outside = np.ones(before.shape[:2], bool)
    outside[40:60, 50:90] = False
    np.testing.assert_array_equal(changed[outside], raster.pixels[outside])
    assert (changed != raster.pixels).any()
    if alpha:
        np.testing.assert_array_equal(changed[..., -1], raster.pixels[..., -1])


@given(seed=st.integers(0, 2**32 - 1), depth=st.sampled_from([8, 16]), space=st.sampled_from(["gray", "rgb"]))
@settings(max_examples=60, deadline=None)
def test_every_change_lands_within_half_a_step(seed: int, depth: int, space: str) -> None:
    rng = np.random.default_rng(seed)
    dtype = np.uint8 if depth == 8 else np.uint16
    bands = 1 if space == "gray" else 3
    native = rng.integers(0, np.iinfo(dtype).max, (9, 7, bands), dtype, endpoint=True)
    raster = Raster(native, space)
    before = to_working(raster, native)
    after = before.copy()
    touched = rng.random((9, 7)) < 0.5
    target = rng.random((9, 7, 3), np.float32)
    after[touched] = target[touched]
    result = apply_change(raster, native, before, after)
    np.testing.assert_array_equal(result[~touched], native[~touched])
    wanted = after if space == "rgb" else (after.astype(float) @ [0.299, 0.587, 0.114])[:, :, None]
    error = np.abs(result.astype(float) - wanted.astype(float) * np.iinfo(dtype).max)[touched]
    assert error.max(initial=0) <= 0.5 + 0.01


def test_all_native_values_survive_the_round_trip() -> None:
    for dtype in (np.uint8, np.uint16):
        values = np.arange(np.iinfo(dtype).max + 1, dtype=dtype).reshape(-1, 16, 1)
        for space, pixels in (("gray", values), ("rgb", np.repeat(values, 3, axis=2))):
            raster = Raster(pixels, space)
            back = np.rint(from_working(raster, to_working(raster, pixels)))
            np.testing.assert_array_equal(back.astype(dtype), pixels)


def test_changes_beyond_the_range_are_clipped() -> None:
    raster = make("rgb", 8, False)
    before = to_working(raster, raster.pixels)
    assert (apply_change(raster, raster.pixels, before, before + 2) == 255).all()
    assert (apply_change(raster, raster.pixels, before, before - 2) == 0).all()


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("icc", [None, "cmyk"])
def test_cmyk_shows_the_change_that_was_asked_for(depth: int, icc: str | None) -> None:
    raster = make("cmyk", depth, False, files.profile(icc) if icc else None)
    before = to_working(raster, raster.pixels)
    after = np.clip(before * 0.7 + 0.1, 0, 1)
    shown = to_working(raster, apply_change(raster, raster.pixels, before, after))
    wanted = np.abs(after - before).mean()
    assert np.abs(shown - after).mean() < (0.03 if depth == 8 else 0.003) * wanted


def test_cmyk_moves_no_further_than_it_must() -> None:
    raster = make("cmyk", 8, False)
    before = to_working(raster, raster.pixels)
    after = np.clip(before + np.float32(0.02), 0, 1)
    moved = apply_change(raster, raster.pixels, before, after).astype(int) - raster.pixels
    assert np.abs(moved).mean() < 12


def test_a_profile_that_does_not_work_gives_way_to_the_built_in_one() -> None:
    plain = make("cmyk", 8, False)
    for icc in (b"junk" * 50, files.profile("srgb"), files.profile("cmyk")[:3000]):
        odd = make("cmyk", 8, False, icc)
        np.testing.assert_array_equal(to_working(odd, odd.pixels), to_working(plain, plain.pixels))


def test_shapes_that_do_not_match_are_refused() -> None:
    raster = make("rgb", 8, False)
    before = to_working(raster, raster.pixels)
    with pytest.raises(ValueError, match="do not match"):
        apply_change(raster, raster.pixels[1:], before, before)
    with pytest.raises(ValueError, match=r"expected \(h, w, 3\)"):
        to_working(raster, raster.pixels[:, :, :2])
