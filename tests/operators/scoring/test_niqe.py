"""NIQE against a slow program written from the paper with scipy, without a common line."""

import math

import cv2
import numpy as np
import pytest
import scipy.ndimage
import scipy.special
from PIL import Image

from operators.scoring.niqe import NiqeModel, niqe, niqe_model
from operators.scoring.planes import luma


def slow_fit(values):
    """Asymmetric generalised Gaussian by moments, with a direct search for the shape."""
    shapes = np.arange(0.2, 10.0, 0.001)
    gamma = scipy.special.gamma
    rho = gamma(2 / shapes) ** 2 / (gamma(1 / shapes) * gamma(3 / shapes))
    left = math.sqrt(np.mean(values[values < 0] ** 2))
    right = math.sqrt(np.mean(values[values > 0] ** 2))
    g = left / right
    r = np.mean(np.abs(values)) ** 2 / np.mean(values**2)
    target = r * (g**3 + 1) * (g + 1) / (g**2 + 1) ** 2
    alpha = shapes[np.argmin((rho - target) ** 2)]
    scale = math.sqrt(gamma(1 / alpha) / gamma(3 / alpha))
    left, right = left * scale, right * scale
    return alpha, (right - left) * gamma(2 / alpha) / gamma(1 / alpha), left, right


def slow_features(block):
    alpha, _, left, right = slow_fit(block.ravel())
    features = [alpha, (left + right) / 2]
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        moved = np.empty_like(block)
        for y in range(block.shape[0]):
            for x in range(block.shape[1]):
                moved[(y + dy) % block.shape[0], (x + dx) % block.shape[1]] = block[y, x]
        features.extend(slow_fit((block * moved).ravel()))
    return features


def slow_niqe(plane, model):
    rows, columns = plane.shape[0] // 96, plane.shape[1] // 96
    picture = plane[: rows * 96, : columns * 96].astype(np.float64) * 255
    scales = []
    for patch in (96, 48):
        window = np.exp(-(np.arange(-3, 4) ** 2) / (2 * (7 / 6) ** 2))
        window = np.outer(window, window) / window.sum() ** 2
        mean = scipy.ndimage.correlate(picture, window, mode="nearest")
        deviation = np.sqrt(np.abs(scipy.ndimage.correlate(picture**2, window, mode="nearest") - mean**2))
        coefficients = (picture - mean) / (deviation + 1)
        scales.append(
            [
                slow_features(coefficients[y * patch : (y + 1) * patch, x * patch : (x + 1) * patch])
                for y in range(rows)
                for x in range(columns)
            ]
        )
        half = Image.fromarray(picture.astype(np.float32)).resize((columns * 48, rows * 48), Image.Resampling.BICUBIC)
        picture = np.asarray(half, dtype=np.float64)
    features = np.hstack(scales)
    difference = features.mean(axis=0) - model.mean
    covariance = (np.cov(features.T) + model.covariance) / 2
    return math.sqrt(difference @ np.linalg.pinv(covariance) @ difference)


def test_equals_an_independent_slow_program(portrait):
    plane = luma(portrait.picture)[:300, 40:340]
    # Pillow handles the outermost pixels of the halved picture in its own way; nothing else differs.
    assert niqe(plane) == pytest.approx(slow_niqe(plane, niqe_model()), rel=0.02)


def test_noise_blur_and_compression_score_worse_the_stronger_they_are(portrait):
    plane = luma(portrait.picture)
    rng = np.random.default_rng(1)
    noise = rng.normal(0.0, 1.0, plane.shape).astype(np.float32)

    def compressed(quality):
        data = cv2.imencode(".jpg", (plane * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255

    for scale in (
        [plane, plane + 0.04 * noise, plane + 0.12 * noise],
        [plane, cv2.GaussianBlur(plane, (0, 0), 1.5), cv2.GaussianBlur(plane, (0, 0), 4)],
        [plane, compressed(20), compressed(5)],
    ):
        scores = [niqe(step) for step in scale]
        assert scores == sorted(scores)
        assert scores[2] > scores[0] + 1.0


@pytest.mark.parametrize("plane", [np.zeros((512, 512)), np.full((512, 512), 0.5), np.ones((96, 96)), np.ones((5, 5))])
def test_nothing_to_measure_gives_none(plane):
    assert niqe(plane.astype(np.float32)) is None


def test_another_parameter_set_gives_another_number(portrait):
    model = niqe_model()
    assert model.mean.shape == (36,)
    assert model.covariance.shape == (36, 36)
    plane = luma(portrait.picture)
    assert niqe(plane, NiqeModel(model.mean + 1.0, model.covariance)) != niqe(plane)
