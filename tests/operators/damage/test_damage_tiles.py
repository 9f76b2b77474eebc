"""Pictures larger than a tile: no seams, no more memory, the same values however they come."""

from __future__ import annotations

import numpy as np
import pytest

from operators.damage.detector import BORDER, DamageDetector, DamageOptions
from operators.damage.kinds import KINDS
from operators.damage.tiles import GRID, core_for, windows
from operators.degradations.cracks import MissingCorner, Tear
from operators.degradations.scratches import Scratches
from operators.networks.damage.network import reach


@pytest.fixture(scope="module")
def damaged(picture):
    """A picture of 150 x 220 with lines that cross many tiles."""
    size = (150, 220)
    image = np.ascontiguousarray(picture(220, 5)[:150])
    for degradation in (
        Scratches(count=25, opacity=0.9, width=8.0, spread=1.5),
        Tear(start=0.2, length=0.6, width=30.0),
        MissingCorner(corner=2, size=0.2),
    ):
        image = degradation.degrade(image, np.random.default_rng(7), size).image
    return np.clip(image, 0.0, 1.0)


@pytest.fixture(scope="module")
def whole(damaged):
    """Found in one tile that holds all of it."""
    untiled = DamageDetector(DamageOptions(tile=256, views=1))
    untiled.setup()
    assert core_for(*damaged.shape[:2], 256) >= max(damaged.shape[:2])
    return untiled.detect(damaged)


def test_tiles_show_no_seams(detector, damaged, whole):
    found = detector.detect(damaged)
    for kind in KINDS:
        assert np.abs(found[kind] - whole[kind]).max() < 2e-4, kind
    assert whole["scratch"].max() > 0.5
    assert whole["tear"].max() > 0.5


def test_a_narrower_border_would_show(damaged, whole, monkeypatch):
    """The test above can fail: with a border below the network's reach tiles differ from the whole."""
    monkeypatch.setattr("operators.damage.detector.BORDER", 16)
    tiled = DamageDetector(DamageOptions(tile=128, views=1))
    tiled.setup()
    found = tiled.detect(damaged)
    assert max(float(np.abs(found[kind] - whole[kind]).max()) for kind in KINDS) > 2e-3


def test_the_border_is_what_the_network_can_see():
    assert reach() <= BORDER
    assert BORDER % GRID == 0


@pytest.mark.parametrize(("height", "width", "core"), [(1, 1, 128), (128, 129, 128), (300, 1000, 256), (512, 512, 512)])
def test_windows_cover_each_pixel_once(height, width, core):
    seen = np.zeros((height, width), dtype=int)
    for window in windows(height, width, core):
        assert window.top % GRID == window.left % GRID == 0
        seen[window.top : window.top + window.rows, window.left : window.left + window.columns] += 1
    assert (seen == 1).all()


class _Watched:
    """A picture that notes how much of it is asked for at once."""

    def __init__(self, image):
        self._image, self.shape, self.dtype, self.largest = image, image.shape, image.dtype, 0

    def __getitem__(self, key):
        part = self._image[key]
        self.largest = max(self.largest, part.shape[0] * part.shape[1])
        return part


def test_a_scan_is_read_and_written_window_by_window(detector, damaged, tmp_path):
    source = np.memmap(tmp_path / "scan", np.uint8, "w+", shape=damaged.shape)
    source[:] = np.rint(damaged * 255)
    watched = _Watched(source)
    target = np.memmap(tmp_path / "maps", np.float32, "w+", shape=(len(KINDS), *damaged.shape[:2]))
    detector.scan(watched, target)
    assert watched.largest <= (128 + 2 * BORDER) ** 2
    found = detector.detect(np.asarray(source))
    for index, kind in enumerate(KINDS):
        assert np.array_equal(target[index], found[kind])


def test_eight_bits_of_the_maps(detector, damaged):
    target = np.zeros((len(KINDS), *damaged.shape[:2]), dtype=np.uint8)
    detector.scan(damaged, target)
    found = detector.detect(damaged)
    for index, kind in enumerate(KINDS):
        assert np.abs(target[index] / 255.0 - found[kind]).max() <= 0.5 / 255.0 + 1e-6


@pytest.mark.parametrize("shape", [(6, 200, 289), (5, 150, 220), (150, 220, 6)])
def test_targets_that_do_not_fit(detector, damaged, shape):
    with pytest.raises(ValueError, match="expected float32 or uint8 of"):
        detector.scan(damaged, np.zeros(shape, np.float32))
    with pytest.raises(ValueError, match="found a target of float64"):
        detector.scan(damaged, np.zeros((6, 150, 220), np.float64))


def test_the_same_picture_has_the_same_bits(detector, damaged):
    first = detector.detect(damaged)
    detector.detect(np.zeros((100, 90, 3), np.uint8))
    second = detector.detect(damaged)
    anew = DamageDetector(DamageOptions(tile=128, views=1))
    anew.setup()
    third = anew.detect(damaged)
    for kind in KINDS:
        assert first[kind].tobytes() == second[kind].tobytes() == third[kind].tobytes()


def test_depths_agree(detector, picture):
    """8 and 16 bits and floats of the same tones."""
    eight = np.rint(picture(128, 2) * 255).astype(np.uint8)
    found = [detector.detect(image) for image in (eight, eight.astype(np.uint16) * 257, eight / 255.0)]
    for kind in KINDS:
        assert np.abs(found[0][kind] - found[1][kind]).max() < 1e-5
        assert np.abs(found[0][kind] - found[2][kind]).max() < 1e-5


@pytest.mark.parametrize("views", [4, 8])
def test_views_make_it_the_same_which_way_round_a_picture_comes(picture, views):
    """On sides that are whole cells of the coarsest grid; one view alone sees a mirrored picture differently."""
    image = picture(128, 4)
    turned = DamageDetector(DamageOptions(tile=128, views=views))
    turned.setup()
    found, mirrored = turned.detect(image), turned.detect(image[:, ::-1])
    upright = turned.detect(np.rot90(image)) if views == 8 else None
    for kind in KINDS:
        assert np.abs(found[kind] - mirrored[kind][:, ::-1]).max() < 1e-4
        if upright is not None:
            assert np.abs(found[kind] - np.rot90(upright[kind], -1)).max() < 1e-4


def test_one_view_sees_a_mirrored_picture_differently(detector, damaged):
    found, mirrored = detector.detect(damaged), detector.detect(damaged[:, ::-1])
    assert np.abs(found["scratch"] - mirrored["scratch"][:, ::-1]).max() > 1e-3
