from __future__ import annotations

import cv2
import numpy as np
import pytest

from operators.errors import OperatorError
from operators.faces import paste as paste_module
from operators.faces.align import align, cut
from operators.faces.geometry import invert, square_corners, transform
from operators.faces.mask import face_mask
from operators.faces.paste import Patch, paste
from operators.faces.resample import resize
from operators.faces.templates import template_points
from operators.images.orientation import rotate_upright, stored_to_upright
from operators.images.raster import COLOUR_BANDS, Raster, Space

SIZE = 128


def _landmarks(eyes: float, centre: tuple[float, float], angle: float = 0.1) -> np.ndarray:
    points = template_points("ffhq", 512)
    scale = eyes / np.hypot(*(points[1] - points[0]))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return (points - points.mean(axis=0)) @ turn * scale + centre


def _raster(space: Space, depth: int, alpha: bool, shape: tuple[int, int] = (160, 200), seed: int = 0) -> Raster:
    rng = np.random.default_rng(seed)
    full = 255 if depth == 8 else 65535
    bands = COLOUR_BANDS[space] + alpha
    smooth = cv2.GaussianBlur(rng.random((*shape, bands)).astype(np.float32), (0, 0), 1.2)
    smooth = (smooth.reshape(*shape, bands) - 0.3) / 0.4
    return Raster(np.rint(np.clip(smooth, 0, 1) * full).astype(np.uint8 if depth == 8 else np.uint16), space, alpha)


def _copy(raster: Raster) -> Raster:
    return Raster(raster.pixels.copy(), raster.space, raster.alpha, raster.orientation, raster.icc)


def _patch(raster: Raster, landmarks: np.ndarray, change: float = 0.2, upscale: int = 1) -> Patch:
    """Make a patch whose restoration is the crop darkened or lightened, on a grid finer by `upscale`."""
    to_upright = stored_to_upright(raster.width, raster.height, raster.orientation)
    crop = cut(raster, align(landmarks, "ffhq", SIZE, to_upright), SIZE)
    restored = np.clip(crop.pixels + change, 0, 1)
    if upscale != 1:
        restored = resize(restored, (SIZE * upscale, SIZE * upscale))
    return Patch(crop, restored, face_mask(transform(landmarks, crop.affine), SIZE))


def _inside_squares(raster: Raster, patches: list[Patch]) -> np.ndarray:
    y, x = np.mgrid[: raster.height, : raster.width]
    inside = np.zeros((raster.height, raster.width), bool)
    for patch in patches:
        at = transform(np.stack([x, y], axis=-1), patch.crop.affine)
        inside |= ((at > -0.5) & (at < patch.crop.size - 0.5)).all(axis=-1)
    return inside


@pytest.mark.parametrize("detail", ["auto", "keep", "replace"])
@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("space", ["gray", "rgb", "cmyk"])
def test_pixels_outside_the_squares_are_untouched(space: Space, depth: int, alpha: bool, detail: str) -> None:
    raster = _raster(space, depth, alpha)
    original = raster.pixels.copy()
    patches = [_patch(raster, _landmarks(16, (60, 70))), _patch(raster, _landmarks(20, (190, 30), -0.7), upscale=2)]
    pasted = paste(raster, patches, detail)
    inside = _inside_squares(raster, patches)
    assert 0 < inside.sum() < inside.size
    assert np.array_equal(raster.pixels[~inside], original[~inside])
    different = (raster.pixels != original).any(axis=2)
    assert pasted.changed_pixels == different.sum() > 500
    if alpha:
        assert np.array_equal(raster.pixels[..., -1], original[..., -1])
    for left, top, right, bottom in pasted.windows:
        different[top:bottom, left:right] = False
    assert not different.any()


@pytest.mark.parametrize("detail", ["auto", "keep"])
@pytest.mark.parametrize("eyes", [8.0, 31.5, 90.0])
def test_an_unchanged_crop_changes_nothing(eyes: float, detail: str) -> None:
    raster = _raster("rgb", 16, False, (400, 400))
    original = raster.pixels.copy()
    assert paste(raster, [_patch(raster, _landmarks(eyes, (200, 200)), change=0.0)], detail).changed_pixels == 0
    assert np.array_equal(raster.pixels, original)


def test_an_unchanged_crop_on_a_finer_grid_changes_nearly_nothing() -> None:
    raster = _raster("rgb", 8, False, (400, 400))
    original = raster.pixels.astype(int)
    paste(raster, [_patch(raster, _landmarks(20, (200, 200)), change=0.0, upscale=2)])
    assert np.abs(raster.pixels - original).max() <= 1


def _gaussian(height: int, width: int, x: float, y: float, sigma: float) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))


@pytest.mark.parametrize("detail", ["keep", "replace"])
@pytest.mark.parametrize("upscale", [1, 2, 4])
@pytest.mark.parametrize("eyes", [10.0, 33.0, 70.0])
def test_what_the_restorer_drew_lands_where_it_was_seen(eyes: float, upscale: int, detail: str) -> None:
    """A spot in the source is made three times as strong by the restorer; the spot must not move."""
    x, y = 151.3, 148.6
    spot = _gaussian(300, 300, x, y, 4.0)
    raster = Raster(np.rint(10000 + 15000 * spot).astype(np.uint16)[..., None], "gray")
    original = raster.pixels.astype(float)
    landmarks = _landmarks(eyes, (150, 150), 0.4)
    crop = cut(raster, align(landmarks, "ffhq", SIZE), SIZE)
    base = np.float32(10000 / 65535)
    restored = base + 3 * (crop.pixels - base)
    if upscale != 1:
        restored = resize(restored, (SIZE * upscale, SIZE * upscale))
    paste(raster, [Patch(crop, restored, _flat_mask())], detail)
    change = (raster.pixels - original)[..., 0]
    near = _gaussian(300, 300, x, y, 4.0) > 0.05
    weights = np.where(near, change, 0.0)
    rows, columns = np.mgrid[:300, :300]
    drawn = np.array([(weights * columns).sum(), (weights * rows).sum()]) / weights.sum()
    true_weights = np.where(near, spot, 0.0)
    true = np.array([(true_weights * columns).sum(), (true_weights * rows).sum()]) / true_weights.sum()
    assert change.max() > 20000
    assert np.abs(drawn - true).max() < 0.02


def _flat_mask() -> np.ndarray:
    mask = np.zeros((SIZE, SIZE), np.float32)
    mask[1:-1, 1:-1] = 1.0
    return mask


@pytest.mark.parametrize("orientation", range(2, 9))
def test_result_does_not_depend_on_how_the_image_is_stored(orientation: int) -> None:
    upright = _raster("rgb", 8, False)
    landmarks = _landmarks(18, (90, 75))
    back = {2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}[orientation]
    stored = Raster(rotate_upright(upright.pixels, back), "rgb", orientation=orientation)
    to_upright = stored_to_upright(stored.width, stored.height, orientation)
    paste(stored, [_patch(stored, transform(landmarks, invert(to_upright)))])
    original = upright.pixels.copy()
    paste(upright, [_patch(upright, landmarks)])
    assert np.abs(rotate_upright(stored.pixels, orientation).astype(int) - upright.pixels).max() <= 1
    assert (upright.pixels != original).any()


def test_overlapping_faces_do_not_depend_on_their_order() -> None:
    raster = _raster("rgb", 16, False, (260, 260))
    centres = [(90, 100), (130, 105), (112, 150), (230, 230)]
    patches = [_patch(raster, _landmarks(22, c), 0.1 * (i - 1.5)) for i, c in enumerate(centres)]
    results = []
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]):
        target = _copy(raster)
        pasted = paste(target, [patches[i] for i in order])
        results.append((target.pixels, [pasted.windows[order.index(i)] for i in range(4)]))
    for pixels, windows in results[1:]:
        assert np.array_equal(pixels, results[0][0])
        assert windows == results[0][1]


def test_overlapping_faces_blend_once_without_a_seam() -> None:
    raster = Raster(np.full((200, 260, 1), 20000, np.uint16), "gray")
    patches = [_patch(raster, _landmarks(26, (x, 100), 0.0), 0.1) for x in (110, 145)]
    alone = _copy(raster)
    paste(alone, [patches[0]], "keep")
    both = _copy(raster)
    paste(both, patches, "keep")
    step = 0.1 * 65535
    change = both.pixels.astype(float)[..., 0] - 20000
    assert change.max() <= step + 1
    assert np.abs(change[95:105, 110:145] - step).max() <= 1  # between the centres the change is whole
    steepest = max(np.abs(np.diff(change, axis=0)).max(), np.abs(np.diff(change, axis=1)).max())
    lone = alone.pixels.astype(float)[..., 0]
    assert steepest < 2.0 * np.abs(np.diff(lone, axis=1)).max()


def test_strips_leave_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    raster = _raster("rgb", 16, False, (300, 300))
    patches = [_patch(raster, _landmarks(60, (150, 140))), _patch(raster, _landmarks(15, (200, 150)))]
    whole, cut_up = _copy(raster), _copy(raster)
    paste(whole, patches)
    monkeypatch.setattr(paste_module, "_STRIP_PIXELS", 5000)
    paste(cut_up, patches)
    assert np.abs(whole.pixels.astype(int) - cut_up.pixels).max() <= 1


def test_bytes_do_not_depend_on_the_number_of_threads() -> None:
    results = []
    threads = cv2.getNumThreads()
    try:
        for number in (1, 4):
            cv2.setNumThreads(number)
            raster = _raster("rgb", 16, False, (500, 500))
            paste(raster, [_patch(raster, _landmarks(80, (250, 250)), upscale=2)])
            results.append(raster.pixels)
    finally:
        cv2.setNumThreads(threads)
    assert np.array_equal(*results)


def test_detail_finer_than_the_crop() -> None:
    """Grain on a face four times as large as the crop stays with `keep`, goes with `replace`."""
    rng = np.random.default_rng(2)
    grain = rng.normal(0, 2500, (500, 500, 1))
    raster = Raster(np.clip(30000 + grain, 0, 65535).astype(np.uint16), "gray")
    landmarks = _landmarks(120, (250, 250))
    patch = _patch(raster, landmarks, 0.1)
    left = {}
    for detail in ("keep", "auto", "replace"):
        target = _copy(raster)
        paste(target, [patch], detail)
        left[detail] = target.pixels[230:270, 230:270].std()
    assert left["keep"] > 2300
    assert left["replace"] < 1000
    assert left["replace"] < left["auto"] < left["keep"]


@pytest.mark.parametrize("bad", [np.full((SIZE, SIZE, 3), np.nan), np.zeros((SIZE, SIZE)), np.zeros((SIZE, 4, 3))])
def test_a_broken_restoration_is_refused_and_nothing_written(bad: np.ndarray) -> None:
    raster = _raster("rgb", 8, False)
    good = _patch(raster, _landmarks(16, (60, 70)))
    original = raster.pixels.copy()
    with pytest.raises(OperatorError) as caught:
        paste(raster, [good, Patch(good.crop, bad.astype(np.float32), good.mask)])
    assert caught.value.code == "bad_restoration"
    assert np.array_equal(raster.pixels, original)


def test_no_faces() -> None:
    raster = _raster("rgb", 8, False)
    assert paste(raster, []).windows == ()


@pytest.mark.parametrize("template", ["ffhq", "gpen"])
@pytest.mark.parametrize("size", [64, 512, 1024])
def test_mask_covers_the_face_and_ends_before_the_border(size: int, template: str) -> None:
    points = template_points(template, size)
    mask = face_mask(points, size)
    assert mask.dtype == np.float32
    assert mask.min() == 0.0
    assert mask.max() == pytest.approx(1.0, abs=1e-4)
    ring = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    assert (ring == 0.0).all()
    for x, y in points:
        assert mask[round(y), round(x)] > 0.99
    eyes, drop = points[:2].mean(axis=0), points[3:].mean(axis=0)[1] - points[0][1]
    assert mask[round(eyes[1] - 0.7 * drop), round(eyes[0])] > 0.9  # forehead
    assert mask[round(eyes[1] + 1.55 * drop), round(eyes[0])] > 0.7  # chin
    steps = max(np.abs(np.diff(mask, axis=0)).max(), np.abs(np.diff(mask, axis=1)).max())
    assert steps * size < 20.0  # no edge: the whole rise takes more than a twentieth of the side


def test_mask_follows_a_turned_face() -> None:
    upright, turned = (_landmarks(30, (64, 64), angle) for angle in (0.0, np.pi / 2))
    a, b = face_mask(upright, SIZE), face_mask(turned, SIZE)
    assert np.abs(a - b).max() > 0.5
    assert a.sum() == pytest.approx(b.sum(), rel=0.05)


def test_mask_moves_to_the_cheek_that_shows() -> None:
    frontal, to_the_right = template_points("ffhq", SIZE), template_points("ffhq", SIZE)
    to_the_right[2, 0] += 8
    columns = np.arange(SIZE)
    centres = [
        float((face_mask(p, SIZE).sum(axis=0) * columns).sum() / face_mask(p, SIZE).sum())
        for p in (frontal, to_the_right)
    ]
    assert centres[1] == pytest.approx(centres[0] - 8, abs=1.0)


def test_corners_are_half_a_pixel_outside() -> None:
    assert square_corners(SIZE).min() == -0.5
    assert square_corners(SIZE).max() == SIZE - 0.5
