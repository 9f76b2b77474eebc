"""Wide damage is looked for on a smaller copy of the picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from operators.damage.detector import DamageDetector, DamageOptions
from operators.damage.kinds import KINDS
from operators.damage.overview import PLACES, WIDE, enlarged_part, overview_size, reduced
from operators.damage.tiles import Window, windows
from operators.degradations.cracks import Tear
from operators.errors import OperatorError


@pytest.fixture(scope="module")
def small():
    """A detector whose overview is small, so that small pictures have one."""
    found = DamageDetector(DamageOptions(tile=128, views=1, overview=128))
    found.setup()
    return found


@pytest.fixture(scope="module")
def torn(picture):
    """(240, 310, 3) float32 with a tear."""
    image = np.ascontiguousarray(picture(310, 9)[:240])
    tear = Tear(start=0.2, length=0.7, width=30.0)
    return np.clip(tear.degrade(image, np.random.default_rng(3), (240, 310)).image, 0.0, 1.0)


@pytest.mark.parametrize(
    ("height", "width", "longer", "size"),
    [
        (512, 512, 512, None),
        (300, 200, 0, None),
        (1024, 1024, 512, (512, 512)),
        (600, 900, 512, (341, 512)),
        (2000, 20, 512, (512, 16)),
        (16, 2000, 512, (16, 512)),
    ],
)
def test_sizes(height, width, longer, size):
    assert overview_size(height, width, longer) == size


@pytest.mark.parametrize(("shape", "size"), [((240, 310), (99, 128)), ((256, 512), (64, 128)), ((201, 130), (201, 97))])
def test_a_smaller_picture_is_made_of_means(shape, size):
    """As OpenCV's, which is by area, too."""
    image = np.random.default_rng(1).random((*shape, 3), dtype=np.float32)
    expected = cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(reduced(image, size) - expected).max() < 1e-5


def test_depths_agree():
    eight = np.random.default_rng(2).integers(0, 256, (300, 200, 3), dtype=np.uint8)
    of_eight, of_sixteen = (reduced(image, (128, 85)) for image in (eight, eight.astype(np.uint16) * 257))
    assert np.abs(of_eight - of_sixteen).max() < 1e-6


def test_what_is_no_number_is_said(small):
    broken = np.full((200, 200, 3), np.nan, dtype=np.float32)
    with pytest.raises(OperatorError) as caught:
        small.detect(broken)
    assert caught.value.code == "not_finite"


def test_windows_of_the_enlarged_map_fit_together():
    maps = np.random.default_rng(3).random((3, 50, 70), dtype=np.float32)
    whole = enlarged_part(maps, Window(0, 0, 333, 401), 333, 401)
    joined = np.empty_like(whole)
    for window in windows(333, 401, 128):
        place = np.s_[:, window.top : window.top + window.rows, window.left : window.left + window.columns]
        joined[place] = enlarged_part(maps, window, 333, 401)
    assert np.array_equal(joined, whole)
    # Where a side is doubled OpenCV's linear enlargement puts pixels likewise.
    doubled = enlarged_part(maps, Window(0, 0, 100, 140), 100, 140)
    expected = np.stack([cv2.resize(plane, (140, 100), interpolation=cv2.INTER_LINEAR) for plane in maps])
    assert np.abs(doubled - expected).max() < 1e-5


def test_wide_kinds_come_from_the_smaller_picture_and_fine_ones_from_the_picture(small, detector, torn):
    found, at_size = small.detect(torn), detector.detect(torn)
    of_copy = detector.detect(reduced(torn, (99, 128)))
    for kind in KINDS:
        if kind in WIDE:
            expected = cv2.resize(of_copy[kind], (310, 240), interpolation=cv2.INTER_LINEAR)
            assert np.abs(found[kind] - expected).max() < 1e-4, kind
            assert np.abs(found[kind] - at_size[kind]).max() > 1e-3, kind
        else:
            assert np.array_equal(found[kind], at_size[kind]), kind


def test_a_picture_that_is_no_larger_has_none(small, detector, picture):
    image = picture(128, 2)
    found, without = small.detect(image), detector.detect(image)
    for kind in KINDS:
        assert np.array_equal(found[kind], without[kind])


def test_without_an_overview_all_is_found_at_the_pictures_size(small, detector, torn):
    without = DamageDetector(DamageOptions(tile=128, views=1, overview=0))
    without.setup()
    assert "overview" in without.info
    assert without.info != detector.info
    found, expected = without.detect(torn), detector.detect(torn)  # 310 pixels are fewer than the 512 of the default
    with_one = small.detect(torn)
    for kind in KINDS:
        assert np.array_equal(found[kind], expected[kind])
        assert np.array_equal(found[kind], with_one[kind]) == (kind not in WIDE), kind


def test_an_overview_larger_than_a_tile_shows_no_seams(torn):
    results = []
    for tile in (128, 256):
        cut = DamageDetector(DamageOptions(tile=tile, views=1, overview=200))
        cut.setup()
        results.append(cut.detect(torn))
    for kind in WIDE:
        assert np.abs(results[0][kind] - results[1][kind]).max() < 2e-4


def test_a_scan_with_an_overview_reads_little_at_once(small, torn):
    class Watched:
        shape, dtype, most = torn.shape, torn.dtype, 0

        def __getitem__(self, key):
            part = torn[key]
            Watched.most = max(Watched.most, part.shape[0])
            return part

    reduced(Watched(), (99, 128))
    assert Watched.most <= 16
    target = np.zeros((len(KINDS), *torn.shape[:2]), dtype=np.float32)
    small.scan(Watched(), target)
    found = small.detect(torn)
    for index, kind in enumerate(KINDS):
        assert np.array_equal(target[index], found[kind])


@pytest.mark.parametrize("overview", [-1, 64, 5000])
def test_sizes_of_an_overview_that_there_are_not(overview):
    with pytest.raises(ValueError, match=f"found overview {overview}, expected 0, or from 128 to 4096"):
        DamageDetector(DamageOptions(overview=overview))


def test_the_places_are_those_of_the_kinds():
    assert [KINDS[place] for place in PLACES] == list(WIDE)
