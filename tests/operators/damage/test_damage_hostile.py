"""What is no picture is refused in words, and odd pictures are looked at."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from operators.damage.detector import DamageDetector, DamageOptions
from operators.damage.kinds import KINDS
from operators.errors import OperatorError


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((64, 64), np.float32), r"shape \(64, 64\), expected \(H, W, 3\)"),
        (np.zeros((64, 64, 4), np.uint8), r"expected \(H, W, 3\)"),
        (np.zeros((1, 64, 64, 3), np.uint8), r"expected \(H, W, 3\)"),
        (np.zeros((64, 64, 3), np.int64), "int64, expected uint8, uint16, or floats"),
        (np.zeros((64, 64, 3), np.bool_), "bool, expected uint8"),
        (np.full((64, 64, 3), 200.0, np.float32), r"from 200 to 200, expected \[0, 1\]"),
        (np.full((64, 64, 3), -1.0, np.float64), r"from -1 to -1, expected \[0, 1\]"),
        (np.full((64, 64, 3), 1e300, np.float64), r"from 1e\+300 to 1e\+300, expected \[0, 1\]"),
    ],
)
def test_what_is_no_picture_is_refused(detector, image, message):
    with pytest.raises(ValueError, match=message):
        detector.detect(image)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_are_refused_wherever_they_stand(detector, wrong):
    image = np.full((300, 280, 3), 0.5, np.float32)
    image[299, 279, 2] = wrong
    with pytest.raises(OperatorError, match="NaN or infinity") as caught:
        detector.detect(image)
    assert caught.value.code == "not_finite"


@pytest.mark.parametrize("shape", [(15, 400, 3), (400, 15, 3), (0, 10, 3)])
def test_too_small_pictures_are_refused(detector, shape):
    with pytest.raises(OperatorError, match="at least 16 on each side") as caught:
        detector.detect(np.zeros(shape, np.uint8))
    assert caught.value.code == "too_small"


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((16, 16, 3), np.uint8),
        np.full((16, 700, 3), 255, np.uint8),
        np.random.default_rng(1).integers(0, 256, (97, 33, 3), dtype=np.uint8),
        np.linspace(-0.05, 1.05, 64 * 64 * 3).reshape(64, 64, 3),
    ],
)
def test_odd_pictures_give_maps_of_their_size_in_range(detector, image):
    found = detector.detect(image)
    for kind in KINDS:
        assert found[kind].shape == image.shape[:2]
        assert found[kind].dtype == np.float32
        assert np.isfinite(found[kind]).all()
        assert 0.0 <= found[kind].min() <= found[kind].max() <= 1.0


def test_the_order_of_bytes_is_no_matter(detector, picture):
    """Scans in memory maps of TIFF files are often big-endian."""
    levels = np.round(picture(48, 2) * 65535.0).astype(np.uint16)
    found, turned = detector.detect(levels), detector.detect(levels.astype(">u2"))
    assert all(found[kind].tobytes() == turned[kind].tobytes() for kind in KINDS)


def test_the_picture_is_left_as_it_was(detector, picture):
    image = picture(140, 3)
    before = image.copy()
    image.setflags(write=False)
    detector.detect(image)
    assert np.array_equal(image, before)


@pytest.mark.parametrize("tile", [0, 64, 100, 8192, -256])
def test_tiles_that_there_are_not(tile):
    with pytest.raises(ValueError, match="power of two from 128 to 4096"):
        DamageDetector(DamageOptions(tile=tile))


@pytest.mark.parametrize("views", [0, 2, 3, 9])
def test_views_that_there_are_not(views):
    with pytest.raises(ValueError, match=f"found views {views}, expected 1, 4 or 8"):
        DamageDetector(DamageOptions(views=views))


def test_thresholds_that_cannot_be():
    with pytest.raises(ValueError, match=r"threshold 1.5 of tear"):
        DamageDetector(DamageOptions(thresholds={"tear": 1.5}))
    with pytest.raises(ValueError, match=r"thresholds of taer, expected some of scratch"):
        DamageDetector(DamageOptions(thresholds={"taer": 0.5}))


def test_a_detector_that_was_not_set_up_says_so():
    with pytest.raises(RuntimeError, match=r"call setup\(\) first"):
        DamageDetector().detect(np.zeros((64, 64, 3), np.uint8))


def test_it_travels_to_a_worker_before_it_is_set_up(detector, picture):
    options = DamageOptions(tile=128, views=1, thresholds={"tear": 0.35})
    travelled = pickle.loads(pickle.dumps(DamageDetector(options)))
    travelled.setup()
    assert travelled.info["thresholds"]["tear"] == 0.35
    image = picture(128, 1)
    assert travelled.detect(image)["tear"].tobytes() == detector.detect(image)["tear"].tobytes()
    travelled.close()
    with pytest.raises(RuntimeError, match="not set up"):
        travelled.detect(image)


@pytest.mark.parametrize(
    ("kinds", "threshold", "grow", "message"),
    [
        (("scratch", "hole"), None, 0, "kinds hole, expected some of scratch"),
        (("scratch",), 0.0, 0, "threshold 0.0"),
        (("scratch",), 1.01, 0, "threshold 1.01"),
        (("scratch",), None, -1, "grow -1"),
    ],
)
def test_masks_that_cannot_be(detector, picture, kinds, threshold, grow, message):
    found = detector.detect(picture(64, 1))
    with pytest.raises(ValueError, match=message):
        found.mask(kinds, threshold, grow)
