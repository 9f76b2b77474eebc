"""The measures and filters that the classic restorer is made of, each by itself."""

import cv2
import numpy as np
import pytest
from scipy.fft import dctn

from operators.restorers.classic.blocking import block_step
from operators.restorers.classic.defects import white_defects
from operators.restorers.classic.facemap import highlights, skin
from operators.restorers.classic.fading import unfaded
from operators.restorers.classic.filling import filled
from operators.restorers.classic.grain import grain_spectrum
from operators.restorers.classic.sliding_dct import coefficients, shrunk


def luma(face):
    return cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)


def test_coefficients_are_scipys_dct_of_the_window():
    plane = np.random.default_rng(0).random((40, 50), dtype=np.float32)
    stack = np.stack(list(coefficients(plane))).reshape(8, 8, 40, 50)
    for y, x in ((10, 10), (20, 33)):
        expected = dctn(plane[y - 4 : y + 4, x - 4 : x + 4].astype(np.float64), norm="ortho")
        assert np.allclose(stack[:, :, y, x], expected, atol=1e-5)


def test_without_thresholds_the_picture_comes_back():
    plane = np.random.default_rng(0).random((70, 90), dtype=np.float32)
    assert np.abs(shrunk(plane, np.zeros((8, 8), dtype=np.float32)) - plane).max() < 1e-5


def test_tiles_leave_no_trace():
    """The part of a large plane is what it would be in a plane of one tile."""
    plane = np.random.default_rng(0).random((600, 560), dtype=np.float32)
    thresholds = np.full((8, 8), 0.3, dtype=np.float32)
    whole = shrunk(plane, thresholds)
    part = shrunk(np.ascontiguousarray(plane[400:600, 400:560]), thresholds)
    assert np.abs(whole[432:568, 432:528] - part[32:168, 32:128]).max() < 1e-5


def test_grain_of_white_noise_is_flat_and_that_of_blurred_noise_falls():
    noise = np.random.default_rng(0).normal(0.5, 0.05, (400, 400)).astype(np.float32)
    spectrum = grain_spectrum(noise)
    assert np.allclose(spectrum, 0.05 * 0.88, rtol=0.08)
    blurred = grain_spectrum(cv2.GaussianBlur(noise, (0, 0), 1.0))
    assert blurred[7, 7] < 0.2 * blurred[2, 2]


def test_grain_does_not_count_the_face_itself(portrait):
    assert grain_spectrum(luma(portrait.crop)).max() * 255 < 4.0


@pytest.mark.parametrize("turn", [0.0, 11.0, 37.0])
@pytest.mark.parametrize("scale", [0.8, 1.2])
def test_blocks_are_found_turned_and_scaled(portrait, turn, scale):
    gray = (luma(portrait.picture) * 255).round().astype(np.uint8)
    clean = gray.astype(np.float32) / 255
    coded = cv2.imdecode(cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, 20])[1], 0).astype(np.float32) / 255
    matrix = cv2.getRotationMatrix2D((220, 130), turn, scale)
    matrix[:, 2] += (128 - 220, 128 - 130)
    steps = [
        block_step(cv2.warpAffine(plane, matrix, (256, 256), flags=cv2.INTER_CUBIC), 1.0 / scale)
        for plane in (clean, coded)
    ]
    assert steps[0] == 0.0
    assert steps[1] > 0.3


def test_blocks_of_lower_quality_are_stronger(portrait):
    gray = (luma(portrait.picture) * 255).round().astype(np.uint8)
    steps = []
    for quality in (60, 30, 10):
        coded = cv2.imdecode(cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 0)
        steps.append(block_step(coded.astype(np.float32) / 255, 1.0))
    assert 0.0 < steps[0] < steps[1] < steps[2]


@pytest.mark.parametrize(("side", "reduction"), [(64, 1.0), (256, 3.0), (256, 0.05)])
def test_where_no_block_could_be_seen_none_is_reported(side, reduction):
    plane = np.random.default_rng(0).random((side, side), dtype=np.float32)
    assert block_step(plane, reduction) == 0.0


def test_nothing_on_a_clean_face_is_taken_for_a_defect(portrait):
    assert not white_defects(portrait.crop, portrait.landmarks, True, True).any()
    assert not white_defects(portrait.crop[:, ::-1].copy(), portrait.landmarks, True, True).any()


def test_scratch_and_dust_are_told_apart_and_highlights_in_the_eyes_are_kept(portrait):
    face = portrait.crop.copy()
    cv2.line(face, (105, 50), (98, 200), (0.97, 0.97, 0.97), 2)
    cv2.circle(face, (150, 80), 2, (0.97, 0.97, 0.97), -1)
    eye = tuple(round(float(value)) for value in portrait.landmarks[1])
    cv2.circle(face, eye, 2, (0.97, 0.97, 0.97), -1)
    lines = white_defects(face, portrait.landmarks, True, False)
    specks = white_defects(face, portrait.landmarks, False, True)
    assert lines[80, 103]
    assert lines[165, 100]
    assert not lines[80, 150]
    assert specks[80, 150]
    assert not specks[80, 103]
    assert not lines[eye[1], eye[0]]
    assert not specks[eye[1], eye[0]]


def test_crossing_scratches_are_both_found(portrait):
    face = portrait.crop.copy()
    cv2.line(face, (105, 50), (98, 200), (0.97, 0.97, 0.97), 2)
    cv2.line(face, (80, 58), (170, 90), (0.97, 0.97, 0.97), 2)
    found = white_defects(face, portrait.landmarks, True, False)
    assert found[100, 103]
    assert found[80, 142]


def test_skin_holds_the_landmarks_and_not_the_corners(portrait):
    mask = skin(256, portrait.landmarks)
    for x, y in portrait.landmarks:
        assert mask[round(y), round(x)]
        assert highlights(256, portrait.landmarks)[round(y), round(x)]
    assert not mask[0, 0]
    assert 0.2 < mask.mean() < 0.5


def test_filling_continues_a_gradient_and_touches_nothing_else():
    gradient = np.repeat(np.tile(np.linspace(0.2, 0.8, 64, dtype=np.float32), (64, 1))[..., np.newaxis], 3, axis=2)
    mask = np.zeros((64, 64), dtype=np.uint8)
    mask[20:40, 30:33] = 255
    spoiled = gradient.copy()
    spoiled[mask > 0] = 1.0
    result = filled(spoiled, mask)
    assert np.abs(result - gradient).max() < 0.02
    assert np.array_equal(result[mask == 0], gradient[mask == 0])


def test_fading_leaves_a_face_with_black_and_white_alone():
    face = np.random.default_rng(0).random((64, 64, 3)).astype(np.float32)
    assert np.abs(unfaded(face, 1.0, False) - face).max() < 1e-6
    veiled = face * 0.5 + 0.3
    half, full = unfaded(veiled, 0.5, False), unfaded(veiled, 1.0, False)
    assert veiled.std() < half.std() < full.std()
    assert full.min() < 0.12
