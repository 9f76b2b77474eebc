import cv2
import numpy as np
import pytest

from operators.scoring.exposure import exposure
from operators.scoring.noise import noise_sigma
from operators.scoring.planes import face_part, luma, resized
from operators.scoring.sharpness import sharpness


@pytest.mark.parametrize("sigma", [2.0, 5.0, 20.0])
def test_noise_of_known_strength_on_a_gradient_is_found(sigma):
    rng = np.random.default_rng(3)
    gradient = np.tile(np.linspace(0.3, 0.7, 200, dtype=np.float32), (200, 1))
    noisy = gradient + rng.normal(0.0, sigma / 255.0, gradient.shape).astype(np.float32)
    assert noise_sigma(noisy) * 255.0 == pytest.approx(sigma, rel=0.03)
    assert noise_sigma(gradient) < 1e-4


def test_blur_lowers_sharpness_step_by_step(portrait):
    plane = luma(portrait.crop)
    values = [sharpness(cv2.GaussianBlur(plane, (0, 0), s) if s else plane) for s in (0, 1, 2, 4)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 1.5 * values[3]


def test_sharpness_ignores_brightness_and_contrast_and_nearly_ignores_noise(portrait):
    plane = luma(portrait.crop)
    assert sharpness(plane * 0.5 + 0.2) == pytest.approx(sharpness(plane), rel=1e-3)
    noisy = plane + np.random.default_rng(0).normal(0, 10 / 255, plane.shape).astype(np.float32)
    assert sharpness(noisy) == pytest.approx(sharpness(plane), rel=0.1)


def test_sharpness_of_the_same_face_at_two_crop_sizes_is_about_the_same(portrait):
    plane = luma(portrait.crop)
    double = resized(plane, 512)
    assert sharpness(resized(double, 256)) == pytest.approx(sharpness(plane), rel=0.1)


def test_constant_and_tiny_planes():
    assert sharpness(np.full((64, 64), 0.4, dtype=np.float32)) == 0.0
    assert sharpness(np.zeros((8, 64), dtype=np.float32)) is None
    assert noise_sigma(np.zeros((2, 9), dtype=np.float32)) is None


def test_exposure_of_a_known_plane():
    plane = np.array([[0.0, 0.005, 0.5, 1.0]], dtype=np.float32)
    tones = exposure(plane)
    assert tones.brightness == pytest.approx(0.37625)
    assert tones.contrast == pytest.approx(float(plane.std()))
    assert (tones.clipped_shadows, tones.clipped_highlights) == (0.5, 0.25)


def test_face_part_is_the_middle():
    plane = np.zeros((100, 100), dtype=np.float32)
    assert face_part(plane).shape == (65, 60)
