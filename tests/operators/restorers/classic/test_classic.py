"""The classic restorer on a real face that is spoiled in known ways."""

import cv2
import numpy as np
import pytest

from operators.errors import OperatorError
from operators.restorers.classic.options import ClassicOptions
from operators.restorers.classic.restorer import ClassicRestorer
from operators.restorers.contract import FaceContext


def psnr(first, second):
    return -10.0 * np.log10(np.mean((first - second) ** 2))


def restored(crop, portrait, gray=False, **options):
    context = FaceContext(portrait.landmarks, gray, portrait.reduction, 0)
    return ClassicRestorer(ClassicOptions(**options)).restore(crop[np.newaxis], [context])[0]


def noisy(portrait, sigma, seed=0):
    noise = np.random.default_rng(seed).normal(0.0, sigma / 255.0, portrait.picture.shape)
    return portrait.cut(np.clip(portrait.picture + noise, 0, 1).astype(np.float32))


def compressed(portrait, quality):
    picture = (portrait.picture[..., ::-1] * 255).round().astype(np.uint8)
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return portrait.cut(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1].astype(np.float32) / 255)


def scratched(portrait):
    """A white line over the forehead and cheek and three specks, drawn into the crop."""
    spoiled = portrait.crop.copy()
    mask = np.zeros(spoiled.shape[:2], dtype=np.uint8)
    cv2.line(mask, (105, 50), (98, 200), 255, 2)
    for centre in ((128, 75), (150, 80), (85, 165)):
        cv2.circle(mask, centre, 2, 255, -1)
    spoiled[mask > 0] = 0.98
    return spoiled, mask > 0


def test_a_clean_face_is_nearly_unchanged(portrait):
    assert psnr(portrait.crop, restored(portrait.crop, portrait)) > 40.0


@pytest.mark.parametrize(("sigma", "gain"), [(10, 2.0), (20, 3.0)])
def test_noise_is_taken_away(portrait, sigma, gain):
    spoiled = noisy(portrait, sigma)
    assert psnr(restored(spoiled, portrait), portrait.crop) > psnr(spoiled, portrait.crop) + gain


@pytest.mark.parametrize(("quality", "gain"), [(20, 0.3), (40, 0.15)])
def test_jpeg_artefacts_are_smoothed_and_only_by_deblocking(portrait, quality, gain):
    spoiled = compressed(portrait, quality)
    after = restored(spoiled, portrait, denoise="off")
    assert psnr(after, portrait.crop) > psnr(spoiled, portrait.crop) + gain
    assert np.array_equal(restored(spoiled, portrait, denoise="off", deblock="off"), spoiled)


def test_scratches_and_dust_are_filled(portrait):
    spoiled, mask = scratched(portrait)
    after = restored(spoiled, portrait, denoise="off", deblock="off")
    assert psnr(after, portrait.crop) > psnr(spoiled, portrait.crop) + 3.0
    far = cv2.dilate(mask.astype(np.uint8), np.ones((25, 25), np.uint8)) == 0
    assert np.array_equal(after[far], spoiled[far])
    assert np.array_equal(
        restored(spoiled, portrait, denoise="off", deblock="off", scratches="off", dust="off"), spoiled
    )


def test_fading_is_taken_back_only_when_asked(portrait):
    faded = np.clip((portrait.crop * 0.5 + 0.25) * np.array([1.05, 1.0, 0.8], dtype=np.float32), 0, 1)
    assert psnr(restored(faded, portrait, fading=1.0), portrait.crop) > psnr(faded, portrait.crop) + 2.0
    assert np.allclose(restored(faded, portrait, denoise="off").mean(axis=(0, 1)), faded.mean(axis=(0, 1)), atol=0.005)


def test_with_all_off_not_a_bit_changes(portrait):
    spoiled = noisy(portrait, 20)
    off = {"denoise": "off", "deblock": "off", "scratches": "off", "dust": "off"}
    assert np.array_equal(restored(spoiled, portrait, **off), spoiled)


def test_a_stronger_setting_smooths_more(portrait):
    spoiled = noisy(portrait, 10)
    changes = [float(np.abs(restored(spoiled, portrait, denoise=s) - spoiled).mean()) for s in (0, 3, 10, 30)]
    assert changes == sorted(changes)
    assert changes[1] < changes[3]


def test_gray_stays_gray(portrait):
    plane = cv2.cvtColor(noisy(portrait, 15), cv2.COLOR_RGB2GRAY)
    after = restored(np.stack([plane] * 3, axis=-1), portrait, gray=True, fading=0.3)
    assert np.array_equal(after[..., 0], after[..., 1])
    assert np.array_equal(after[..., 0], after[..., 2])
    assert not np.array_equal(after[..., 0], plane)


def test_a_16_bit_gradient_keeps_its_steps(portrait):
    """1024 levels over the crop: an 8-bit detour would leave 64."""
    levels = np.round(np.linspace(16000, 20095, 1024)) / 65535
    gradient = np.repeat(np.broadcast_to(levels.astype(np.float32), (1024, 1024))[..., np.newaxis], 3, axis=2)
    context = FaceContext(portrait.landmarks * 4, False, 1.0, 0)
    for options in (ClassicOptions(), ClassicOptions(denoise=5, deblock=5)):
        after = ClassicRestorer(options).restore(np.ascontiguousarray(gradient)[np.newaxis], [context])[0]
        # The outermost windows see the gradient mirrored.
        assert np.abs(after - gradient)[16:-16, 16:-16].max() < 2.0 / 65535
        assert np.abs(after - gradient).max() < 0.1 / 255
        assert len(np.unique(np.round(after[512, :, 0] * 65535))) > 1000


def test_a_face_comes_out_the_same_in_any_company_and_with_any_number_of_threads(portrait):
    first, second = noisy(portrait, 15, 1), scratched(portrait)[0]
    contexts = [FaceContext(portrait.landmarks, False, portrait.reduction, seed) for seed in (1, 2)]
    restorer = ClassicRestorer()
    threads = cv2.getNumThreads()
    together = restorer.restore(np.stack([first, second]), contexts)
    try:
        cv2.setNumThreads(1)
        alone = restorer.restore(second[np.newaxis], contexts[:1])
    finally:
        cv2.setNumThreads(threads)
    assert np.array_equal(alone[0], together[1])


@pytest.mark.parametrize("reduction", [0.05, 0.3, 1.0, 4.0])
@pytest.mark.parametrize("side", [64, 100, 600])
def test_all_sizes_and_reductions_give_a_finite_face_in_range(side, reduction, portrait):
    crop = np.random.default_rng(side).random((side, side, 3), dtype=np.float32)
    context = FaceContext(portrait.landmarks * side / 256, False, reduction, 0)
    after = ClassicRestorer().restore(crop[np.newaxis], [context])
    assert after.shape == (1, side, side, 3)
    assert np.isfinite(after).all()
    assert 0.0 <= after.min() <= after.max() <= 1.0


@pytest.mark.parametrize("value", [0.0, 0.25, 1.0])
def test_a_constant_face_is_left_alone(portrait, value):
    crop = np.full((256, 256, 3), value, dtype=np.float32)
    assert np.array_equal(restored(crop, portrait), crop)


def test_input_is_not_written_to_and_bad_input_is_refused(portrait):
    crop = scratched(portrait)[0]
    kept = crop.copy()
    restored(crop, portrait, fading=1.0)
    assert np.array_equal(crop, kept)
    crop[3, 3, 1] = np.nan
    with pytest.raises(OperatorError) as caught:
        restored(crop, portrait)
    assert caught.value.code == "not_finite"
    with pytest.raises(ValueError, match="expected"):
        ClassicRestorer().restore(np.zeros((1, 64, 32, 3), dtype=np.float32), [])
    assert ClassicRestorer().restore(np.zeros((0, 64, 64, 3), dtype=np.float32), []).shape == (0, 64, 64, 3)
