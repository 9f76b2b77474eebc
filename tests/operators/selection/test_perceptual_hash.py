"""The hash is the one that is described, and copies of a picture are near it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.fft import dctn

from operators.selection.perceptual_hash import perceptual_hash


def distance(first, second):
    return (first ^ second).bit_count()


def reference(square):
    """From a (32, 32) picture, by the words of the docstring and SciPy's transform."""
    low = dctn(square.astype(np.float64), type=2, norm="ortho")
    values = [low[row, column] for row in range(8) for column in range(8)]
    values[0] = low[8, 0]
    middle = np.median(values)
    return int("".join("1" if value > middle else "0" for value in values), 2)


@pytest.fixture(scope="module")
def astronaut():
    import skimage.data

    return skimage.data.astronaut()


@pytest.fixture(scope="module")
def others():
    import skimage.data

    return [skimage.data.coffee(), skimage.data.chelsea(), skimage.data.camera(), skimage.data.rocket()]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_it_is_the_transform_of_the_reference(seed):
    square = np.random.default_rng(seed).integers(0, 256, (32, 32), dtype=np.uint8)
    assert perceptual_hash(square) == reference(square)


def test_a_larger_picture_is_averaged_over_blocks():
    generator = np.random.default_rng(1)
    picture = generator.integers(0, 256, (32 * 5, 32 * 3), dtype=np.uint8)
    assert perceptual_hash(picture) == reference(picture.reshape(32, 5, 32, 3).mean(axis=(1, 3)))


def test_the_first_bit_is_the_vertical_frequency_in_the_place_of_the_mean():
    rows = np.arange(32)
    wave = 128 + 100 * np.cos(np.pi * 8 * (2 * rows + 1) / 64)
    assert perceptual_hash(np.repeat(np.rint(wave).astype(np.uint8)[:, None], 32, axis=1)) >> 63 == 1


def test_half_of_the_bits_of_a_picture_are_set(astronaut, others):
    assert {perceptual_hash(picture).bit_count() for picture in (astronaut, *others)} == {32}


@pytest.mark.parametrize("level", [0, 1, 77, 128, 254, 255])
def test_blank_pictures_have_the_hash_zero(level):
    assert perceptual_hash(np.full((90, 70, 3), level, np.uint8)) == 0


def test_symmetry_is_not_decided_by_rounding():
    half = np.random.default_rng(3).integers(0, 256, (32, 16), dtype=np.uint8)
    picture = np.concatenate([half, half[:, ::-1]], axis=1)
    assert perceptual_hash(picture) == perceptual_hash(np.ascontiguousarray(picture[:, ::-1]))


def test_copies_are_within_the_default_distance(astronaut):
    whole = perceptual_hash(astronaut)
    code = cv2.imencode(".jpg", astronaut, [cv2.IMWRITE_JPEG_QUALITY, 30])[1]
    copies = {
        "half": cv2.resize(astronaut, (256, 256), interpolation=cv2.INTER_AREA),
        "another shape": cv2.resize(astronaut, (300, 200), interpolation=cv2.INTER_AREA),
        "jpeg": cv2.imdecode(code, cv2.IMREAD_COLOR),
        "brighter": cv2.convertScaleAbs(astronaut, alpha=1.0, beta=20),
        "grey": cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY),
        "a hundredth cut off": astronaut[5:-5, 5:-5],
    }
    far = {name: distance(whole, perceptual_hash(copy)) for name, copy in copies.items()}
    assert max(far.values()) <= 4, far


def test_different_pictures_are_far(astronaut, others):
    hashes = [perceptual_hash(picture) for picture in (astronaut, *others)]
    assert min(distance(a, b) for i, a in enumerate(hashes) for b in hashes[:i]) >= 16


def test_colours_count_as_luma(astronaut):
    assert perceptual_hash(astronaut) == perceptual_hash(cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY))


def test_memory_order_does_not_count(astronaut):
    turned = np.rot90(astronaut)
    assert not turned.flags.c_contiguous
    assert perceptual_hash(turned) == perceptual_hash(turned.copy())


@pytest.mark.parametrize("shape", [(1, 1), (1, 500, 3), (40, 8), (31, 33, 3)])
def test_small_and_narrow_views_have_a_hash(shape):
    view = np.random.default_rng(5).integers(0, 256, shape, dtype=np.uint8)
    assert 0 <= perceptual_hash(view) < 2**64


@pytest.mark.parametrize(
    "view", [np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4), np.float32), np.zeros((0, 4), np.uint8), np.zeros(4)]
)
def test_what_is_no_view_is_refused(view):
    with pytest.raises(ValueError, match=r"expected \(h, w, 3\) or \(h, w\) uint8"):
        perceptual_hash(view)
