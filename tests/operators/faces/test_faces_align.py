from __future__ import annotations

import cv2
import numpy as np
import pytest

from operators.errors import OperatorError
from operators.faces import align as align_module
from operators.faces.align import align, choose_size, coverage, cut
from operators.faces.geometry import compose, invert, magnification, scaling, transform, translation
from operators.faces.resample import joined, sample, warp
from operators.faces.templates import template_points
from operators.images.orientation import rotate_upright, stored_to_upright
from operators.images.raster import Raster


def _turned(angle: float, scale: float, centre: tuple[float, float], target: tuple[float, float]) -> np.ndarray:
    c, s = np.cos(angle) * scale, np.sin(angle) * scale
    linear = np.array([[c, -s], [s, c]])
    return np.column_stack([linear, np.array(target) - linear @ np.array(centre)])


def _zone_plate(side: int) -> np.ndarray:
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    return (0.5 + 0.5 * np.cos(np.pi * (x**2 + y**2) / side)).astype(np.float32)[..., None]


def _zone_plate_seen_through(affine: np.ndarray, side: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the plate's values at the target's pixels, and its frequency there in cycles per source pixel."""
    grid = np.stack(np.meshgrid(np.arange(size), np.arange(size)), axis=-1).reshape(-1, 2)
    squared = ((transform(grid, invert(affine)) - (side - 1) / 2) ** 2).sum(axis=1).reshape(size, size)
    return 0.5 + 0.5 * np.cos(np.pi * squared / side), np.sqrt(squared) / side


@pytest.mark.parametrize("angle", [0.0, 0.3, 2.0])
@pytest.mark.parametrize("scale", [0.12, 0.25, 0.5, 0.7])
def test_shrinking_does_not_alias(scale: float, angle: float) -> None:
    side = 600
    size = int(side * scale)
    affine = _turned(angle, scale, ((side - 1) / 2,) * 2, ((size - 1) / 2,) * 2)
    result = warp(_zone_plate(side), affine, (size, size))[..., 0]
    ideal, frequency = _zone_plate_seen_through(affine, side, size)
    beyond = (frequency > 0.65 * scale) & (frequency < 0.5)
    within = frequency < 0.3 * scale
    assert np.sqrt(np.mean((result[beyond] - 0.5) ** 2)) < 0.06  # 0.30 where nothing is filtered
    assert np.sqrt(np.mean((result[within] - ideal[within]) ** 2)) < 0.03


@pytest.mark.parametrize("scale", [1.0, 1.7, 4.0])
def test_enlarging_keeps_the_signal(scale: float) -> None:
    side = 200
    size = int(side * scale)
    affine = _turned(0.3, scale, ((side - 1) / 2,) * 2, ((size - 1) / 2,) * 2)
    result = warp(_zone_plate(side), affine, (size, size))[..., 0]
    ideal, frequency = _zone_plate_seen_through(affine, side, size)
    assert np.sqrt(np.mean((result[frequency < 0.25] - ideal[frequency < 0.25]) ** 2)) < 0.02


def test_windows_join_without_a_seam() -> None:
    rng = np.random.default_rng(0)
    image = rng.random((120, 130, 3), dtype=np.float32)
    for scale in (0.3, 0.9, 2.5):
        affine = _turned(0.4, scale, (60, 60), (50, 50))
        whole = joined(sample(image, affine, (0, 0, 100, 100)))
        windows = ((0, 0, 100, 37), (0, 37, 100, 100))
        parts = np.concatenate([joined(sample(image, affine, window)) for window in windows])
        assert np.abs(whole - parts).max() < 1e-4  # coordinates are float32 in the warp


def _landmarks(eyes: float, centre: tuple[float, float]) -> np.ndarray:
    points = template_points("ffhq", 512)
    scale = eyes / np.hypot(*(points[1] - points[0]))
    return (points - points.mean(axis=0)) * scale + centre


def test_choose_size_takes_the_smallest_that_does_not_shrink() -> None:
    eyes_at_512 = float(np.hypot(*np.diff(template_points("ffhq", 512)[:2], axis=0)[0]))
    sizes = [1024, 256, 512]
    assert choose_size(sizes, _landmarks(10, (50, 50)), "ffhq") == 256
    assert choose_size(sizes, _landmarks(eyes_at_512 * 0.999, (50, 50)), "ffhq") == 512
    assert choose_size(sizes, _landmarks(eyes_at_512 * 1.01, (50, 50)), "ffhq") == 1024
    assert choose_size(sizes, _landmarks(5000, (50, 50)), "ffhq") == 1024
    with pytest.raises(ValueError, match="no crop sizes"):
        choose_size([], _landmarks(10, (50, 50)), "ffhq")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_crop_does_not_depend_on_how_the_image_is_stored(orientation: int) -> None:
    rng = np.random.default_rng(5)
    upright = cv2.GaussianBlur(rng.integers(0, 65536, (150, 190, 3)).astype(np.uint16), (0, 0), 1.5)
    landmarks = _landmarks(20, (80.3, 70.8))
    expected = cut(Raster(upright, "rgb"), align(landmarks, "ffhq", 128), 128)
    back = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}[orientation]
    stored = Raster(rotate_upright(upright, back), "rgb", orientation=orientation)
    to_upright = stored_to_upright(stored.width, stored.height, orientation)
    stored_landmarks = transform(landmarks, invert(to_upright))
    affine = align(stored_landmarks, "ffhq", 128, to_upright)
    crop = cut(stored, affine, 128)
    assert np.abs(crop.pixels - expected.pixels).max() < 1e-4
    assert (np.linalg.det(affine[:, :2]) < 0) == (orientation in (2, 4, 5, 7))
    assert crop.reduction == pytest.approx(expected.reduction)
    assert choose_size([64, 128, 256], stored_landmarks, "ffhq", to_upright) == choose_size(
        [64, 128, 256], landmarks, "ffhq"
    )


def test_a_16_bit_gradient_stays_smooth() -> None:
    y, x = np.mgrid[:300, :400].astype(np.float64)
    ramp = 1000 + 100 * x + 37 * y
    raster = Raster(np.rint(ramp).astype(np.uint16)[..., None], "gray")
    affine = align(_landmarks(40, (200, 150)), "ffhq", 512)
    crop = cut(raster, affine, 512)
    grid = np.stack(np.meshgrid(np.arange(512), np.arange(512)), axis=-1)
    where = transform(grid.reshape(-1, 2), invert(affine)).reshape(512, 512, 2)
    inside = (where > 8).all(axis=-1) & (where[..., 0] < 390) & (where[..., 1] < 290)
    expected = 1000 + 100 * where[..., 0] + 37 * where[..., 1]
    assert inside.mean() > 0.9
    assert np.abs(crop.pixels[..., 0] * 65535 - expected)[inside].max() < 4.0  # of 65535; the ramp's rounding is 0.5


def test_cut_reads_only_around_the_face() -> None:
    raster = Raster(np.zeros((900, 900, 3), np.uint8), "rgb")
    affine = align(_landmarks(20, (300, 300)), "ffhq", 256)
    before = cut(raster, affine, 256)
    raster.pixels[450:] = 255
    raster.pixels[:, 450:] = 255
    assert np.array_equal(cut(raster, affine, 256).pixels, before.pixels)


def test_huge_face_is_averaged_in_strips_as_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    small = rng.integers(0, 256, (50, 61, 3)).astype(np.uint8)
    pixels = cv2.resize(small, (1213, 1001), interpolation=cv2.INTER_CUBIC)
    raster = Raster(pixels, "rgb")
    affine = compose(translation(-100.3, -50.2), scaling(64 / 900))
    whole = cut(raster, affine, 64).pixels
    exact = warp(pixels.astype(np.float32) / 255, affine, (64, 64)).clip(0, 1)
    monkeypatch.setattr(align_module, "_STRIP_PIXELS", 9000)
    assert np.array_equal(cut(raster, affine, 64).pixels, whole)
    assert np.abs(whole - exact).max() < 0.03
    assert np.sqrt(np.mean((whole - exact) ** 2)) < 0.008


def test_coverage_is_the_part_inside() -> None:
    assert coverage(translation(-10, -10), 20, 100, 100) == pytest.approx(1.0)
    assert coverage(translation(10, 0), 20, 100, 100) == pytest.approx(0.5)
    assert coverage(compose(scaling(0.1), translation(1, 1)), 20, 100, 100) == pytest.approx(0.25)
    assert coverage(translation(1000, 0), 20, 100, 100) == 0.0


def test_square_beyond_the_border_is_continued() -> None:
    raster = Raster(np.full((60, 60, 3), 200, np.uint8), "rgb")
    crop = cut(raster, align(_landmarks(20, (5, 5)), "ffhq", 128), 128)
    assert np.abs(crop.pixels * 255 - 200).max() < 0.01


def test_square_outside_the_image_is_refused() -> None:
    raster = Raster(np.zeros((60, 60, 3), np.uint8), "rgb")
    with pytest.raises(OperatorError) as caught:
        cut(raster, align(_landmarks(20, (500, 500)), "ffhq", 128), 128)
    assert caught.value.code == "outside_image"


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 300), (3, 2)])
def test_tiny_images_are_cut(height: int, width: int) -> None:
    raster = Raster(np.full((height, width, 1), 50, np.uint8), "gray")
    crop = cut(raster, translation(5, 5), 16)
    assert crop.pixels.shape == (16, 16, 3)
    assert np.abs(crop.pixels * 255 - 50).max() < 0.01
    assert magnification(crop.affine) == 1.0
