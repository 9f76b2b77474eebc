"""Tiles leave no trace where they overlap by the network's reach, and samples keep their depth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from operators.whole.tiled import tiled
from operators.whole.windows import Tiling


def spread(windows, scale):
    """A network of whole numbers, exact in float32: a cross of 5 pixels with zeros around, repeated `scale` times."""
    kernel = np.zeros((1, 5, 5, 1), np.float32)
    kernel[0, 2] = kernel[0, :, 2] = 1.0
    made = ndimage.convolve(windows, kernel, mode="constant")
    return np.repeat(np.repeat(made, scale, 1), scale, 2) / np.float32(16)


def mirrored(windows):
    kernel = np.ones((1, 5, 5, 1), np.float32)
    return ndimage.convolve(windows, kernel, mode="mirror") / np.float32(32)


def whole_numbers(height, width):
    rng = np.random.Generator(np.random.PCG64(height + width))
    return (rng.integers(0, 256, (height, width, 3)) / 256).astype(np.float32)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (64, 64), (65, 64), (131, 77), (9, 200), (200, 3), (1, 1)])
@pytest.mark.parametrize("scale", [1, 2, 3])
@pytest.mark.parametrize("batch", [1, 3])
def test_tiles_equal_the_picture_run_at_once_bit_for_bit(height, width, scale, batch):
    source = whole_numbers(height, width)
    expected = spread(source[None], scale)[0].clip(0, 1)
    target = np.full((height * scale, width * scale, 3), np.nan, np.float32)
    tiled(lambda windows: spread(windows, scale), source, target, Tiling(24, 2, scale, batch))
    assert np.array_equal(target, expected)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (131, 77), (9, 200)])
def test_a_mirrored_border_is_the_networks_own(height, width):
    source = whole_numbers(height, width)
    target = np.zeros_like(source)
    tiled(mirrored, source, target, Tiling(24, 2))
    assert np.array_equal(target, mirrored(source[None])[0].clip(0, 1))


def test_less_overlap_than_reach_shows():
    source = whole_numbers(131, 77)
    target = np.zeros_like(source)
    tiled(lambda windows: spread(windows, 1), source, target, Tiling(24, 1))
    assert not np.array_equal(target, spread(source[None], 1)[0].clip(0, 1))


def test_windows_have_one_size_and_come_in_batches():
    shapes = []

    def run(windows):
        shapes.append(windows.shape)
        return windows

    source = whole_numbers(100, 90)
    tiled(run, source, np.zeros_like(source), Tiling(32, 4, batch=4))
    assert {shape[1:] for shape in shapes} == {(32, 32, 3)}
    assert [shape[0] for shape in shapes] == [4] * 4
    shapes.clear()
    tiled(run, source[:20], np.zeros_like(source[:20]), Tiling(32, 4, batch=4))
    assert {shape[1:] for shape in shapes} == {(20, 32, 3)}


@pytest.mark.parametrize("multiple", [2, 4, 8])
@pytest.mark.parametrize(("height", "width"), [(61, 50), (3, 7), (1, 40), (64, 64)])
def test_a_picture_is_continued_to_the_networks_multiple_by_mirroring(multiple, height, width):
    seen = {}

    def run(windows):
        assert windows.shape[1] % multiple == windows.shape[2] % multiple == 0
        for window in windows:
            seen[len(seen)] = window.copy()
        return windows

    source = whole_numbers(height, width)
    target = np.zeros_like(source)
    tiled(run, source, target, Tiling(256, 0, multiple=multiple))
    assert np.array_equal(target, source)
    pads = ((0, -height % multiple), (0, -width % multiple), (0, 0))
    assert np.array_equal(seen[0], np.pad(source, pads, mode="reflect"))
    target[:] = 0
    tiled(run, source, target, Tiling(2 * multiple, 0, multiple=multiple))
    assert np.array_equal(target, source)


@pytest.mark.parametrize("scale", [1, 2])
def test_16_bits_come_back_as_they_were(scale):
    source = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1).repeat(3, 2)
    source[..., 1] = source[::-1, :, 0]
    target = np.zeros((256 * scale, 256 * scale, 3), np.uint16)
    tiled(lambda windows: windows.repeat(scale, 1).repeat(scale, 2), source, target, Tiling(100, 3, scale))
    assert np.array_equal(target, source.repeat(scale, 0).repeat(scale, 1))


@pytest.mark.parametrize(
    ("kind", "expected"), [(np.uint8, 77), (np.uint16, 19789), (np.float32, 0.30196078), (np.float64, 0.30196078)]
)
def test_depths_may_differ(kind, expected):
    source = np.full((10, 12, 3), 77, np.uint8)
    target = np.zeros((10, 12, 3), kind)
    tiled(lambda windows: windows, source, target, Tiling(8))
    assert np.allclose(target, expected, rtol=1e-6)
    assert target.dtype == kind


def test_values_are_clipped_and_rounded_to_the_nearest():
    source = np.full((4, 5, 3), 128, np.uint8)
    target = np.zeros((4, 5, 3), np.uint8)
    for factor, expected in ((-1, 0), (3, 255), (100.6 / 128, 101), (100.4 / 128, 100)):
        tiled(lambda windows, factor=factor: windows * np.float32(factor), source, target, Tiling(8))
        assert set(target.flat) == {expected}


class Sliced:
    """A picture that is no array, and remembers what was asked of it."""

    def __init__(self, array):
        self.array, self.shape, self.dtype, self.asked = array, array.shape, array.dtype, []

    def __getitem__(self, key):
        self.asked.append(key)
        return self.array[key]

    def __setitem__(self, key, value):
        self.asked.append(key)
        self.array[key] = value


def test_anything_that_can_be_sliced_is_read_and_written_window_by_window():
    source = Sliced(whole_numbers(120, 90))
    target = Sliced(np.zeros((240, 180, 3), np.float32))
    tiled(lambda windows: windows.repeat(2, 1).repeat(2, 2), source, target, Tiling(32, 4, 2))
    assert np.array_equal(target.array, source.array.repeat(2, 0).repeat(2, 1))
    assert max(key[0].stop - key[0].start for key in source.asked) == 32
    written = np.zeros((240, 180), int)
    for rows, columns in target.asked:
        written[rows, columns] += 1
    assert set(written.flat) == {1}


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3), np.uint8), "repeat a grey picture three times"),
        (np.zeros((8, 8, 4), np.uint8), np.zeros((8, 8, 3), np.uint8), "take an alpha channel apart"),
        (np.zeros((0, 8, 3), np.uint8), np.zeros((0, 8, 3), np.uint8), r"expected \(H, W, 3\)"),
        (np.zeros((8, 8, 3), np.uint8), np.zeros((8, 9, 3), np.uint8), r"expected \(8, 8, 3\)"),
        (np.zeros((8, 8, 3), np.int16), np.zeros((8, 8, 3), np.uint8), "the source holds int16"),
        (np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8, 3), np.uint32), "the target holds uint32"),
    ],
)
def test_what_is_refused(source, target, message):
    with pytest.raises(ValueError, match=message):
        tiled(lambda windows: windows, source, target, Tiling(8))


def test_source_and_target_may_not_be_one():
    picture = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(ValueError, match="share memory"):
        tiled(lambda windows: windows, picture, picture[::-1], Tiling(8))


def test_a_network_of_another_scale_is_found_out():
    picture = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(ValueError, match=r"made \(1, 8, 8, 3\) of \(1, 8, 8, 3\): expected \(1, 16, 16, 3\)"):
        tiled(lambda windows: windows, picture, np.zeros((16, 16, 3), np.uint8), Tiling(8, scale=2))
