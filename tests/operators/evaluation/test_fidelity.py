from __future__ import annotations

import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from operators.evaluation import fidelity
from operators.evaluation.fidelity import MOST_DECIBEL, WINDOW, psnr, ssim, ssim_rgb


def noisy(picture: np.ndarray, sigma: float) -> np.ndarray:
    noise = np.random.default_rng(1).normal(0, sigma, picture.shape)
    return np.asarray(np.clip(np.rint(picture + noise), 0, 255), np.uint8)


def wang(first: np.ndarray, second: np.ndarray) -> float:
    return float(
        structural_similarity(
            first, second, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255.0
        )
    )


def bt601(picture: np.ndarray) -> np.ndarray:
    red, green, blue = np.moveaxis(picture.astype(np.float64), 2, 0)
    return 0.299 * red + 0.587 * green + 0.114 * blue


@pytest.mark.parametrize("sigma", [0.6, 4.0, 40.0])
def test_psnr_is_that_of_scikit_image(face: np.ndarray, sigma: float) -> None:
    other = noisy(face, sigma)
    assert psnr(other, face) == pytest.approx(peak_signal_noise_ratio(face, other), abs=1e-9)


def test_psnr_of_equal_pictures_is_a_number(face: np.ndarray) -> None:
    assert psnr(face, face) == MOST_DECIBEL == 100.0
    one_off = face.copy()
    one_off[0, 0, 0] ^= 1
    assert psnr(one_off, face) == pytest.approx(10 * math.log10(255**2 * face.size))


@pytest.mark.parametrize("size", [(192, 192), (31, 77), (WINDOW, WINDOW), (11, 40)])
@pytest.mark.parametrize("sigma", [2.0, 30.0])
def test_ssim_is_that_of_scikit_image(face: np.ndarray, size: tuple[int, int], sigma: float) -> None:
    part = face[: size[0], 40 : 40 + size[1]]
    other = noisy(part, sigma)
    assert ssim(other, part) == pytest.approx(wang(bt601(part), bt601(other)), abs=1e-9)
    channels = [wang(part[..., i].astype(np.float64), other[..., i].astype(np.float64)) for i in range(3)]
    assert ssim_rgb(other, part) == pytest.approx(np.mean(channels), abs=1e-9)


def test_ssim_by_its_formula_at_one_window() -> None:
    draw = np.random.default_rng(3)
    first, second = draw.integers(0, 256, (2, 11, 11, 3), dtype=np.uint8)
    x, y = bt601(first), bt601(second)
    steps = np.arange(11) - 5
    window = np.exp(-(steps[:, None] ** 2 + steps[None, :] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    mean_x, mean_y = (window * x).sum(), (window * y).sum()
    var_x, var_y = (window * (x - mean_x) ** 2).sum(), (window * (y - mean_y) ** 2).sum()
    shared = (window * (x - mean_x) * (y - mean_y)).sum()
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    expected = (2 * mean_x * mean_y + c1) * (2 * shared + c2) / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))
    assert ssim(first, second) == pytest.approx(expected, abs=1e-9)


def test_too_small_for_a_window_has_no_ssim(face: np.ndarray) -> None:
    assert ssim(face[:10], face[:10]) is None
    assert ssim_rgb(face[:, :10], face[:, :10]) is None


@pytest.mark.parametrize("measure", [psnr, ssim, ssim_rgb])
def test_other_sizes_are_refused(face: np.ndarray, measure: object) -> None:
    with pytest.raises(ValueError, match=r"\(191, 192, 3\) and \(192, 192, 3\)"):
        measure(face[1:], face)  # type: ignore[operator]


def test_strips_are_the_whole(face: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    part, other = face[:, :150], noisy(face[:, :150], 9.0)
    whole = ssim(other, part), ssim_rgb(other, part)
    for rows in (1, 7, 181, 182):
        monkeypatch.setattr(fidelity, "_STRIP_PIXELS", 150 * rows)
        assert (ssim(other, part), ssim_rgb(other, part)) == pytest.approx(whole, abs=1e-12)
