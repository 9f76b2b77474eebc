"""JPEG against Pillow's libjpeg, colours against independent formulas."""

import colorsys
import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from operators.degradations.applying import to_8bit
from operators.degradations.colour import Brightness, ColourShift, Contrast, Exposure, Grey, Haze, Hue, Saturation
from operators.degradations.geometry import Flip, Shift
from operators.degradations.jpeg import Jpeg

SIZE = (256, 256)


def done(step, image):
    return step.degrade(image, None, image.shape[:2]).image


@pytest.mark.parametrize("quality", [5, 30, 60, 95, 100])
@pytest.mark.parametrize(("subsampling", "pillow"), [("420", 2), ("422", 1), ("444", 0)])
def test_jpeg_is_what_pillows_libjpeg_makes(portrait, quality, subsampling, pillow):
    portrait = portrait * np.float32(0.97)  # values between levels, so that rounding matters
    buffer = io.BytesIO()
    Image.fromarray(to_8bit(portrait)).save(buffer, "JPEG", quality=quality, subsampling=pillow)
    expected = np.asarray(Image.open(buffer)).astype(np.int32)
    found = np.rint(done(Jpeg(quality=float(quality), subsampling=subsampling), portrait) * 255).astype(np.int32)
    # Two builds of libjpeg-turbo may round an inverse transform differently by a level, and hardly anywhere.
    assert np.abs(found - expected).max() <= 2
    assert (found != expected).mean() < 0.01


def test_a_fraction_of_quality_is_cut_off(portrait):
    assert np.array_equal(done(Jpeg(quality=60.99), portrait), done(Jpeg(quality=60.0), portrait))
    assert not np.array_equal(done(Jpeg(quality=61.0), portrait), done(Jpeg(quality=60.0), portrait))


@pytest.mark.parametrize(
    ("step", "pillow"),
    [
        (Brightness(factor=1.4), ImageEnhance.Brightness),
        (Brightness(factor=0.5), ImageEnhance.Brightness),
        (Contrast(factor=0.6), ImageEnhance.Contrast),
        (Contrast(factor=1.5), ImageEnhance.Contrast),
        (Saturation(factor=0.0), ImageEnhance.Color),
        (Saturation(factor=1.5), ImageEnhance.Color),
    ],
)
def test_jitter_is_pillows_enhancement_within_rounding(portrait, step, pillow):
    """torchvision's functions are those of Pillow's ImageEnhance in floats; Pillow rounds mean, luma and result."""
    expected = np.asarray(pillow(Image.fromarray(to_8bit(portrait))).enhance(step.factor), dtype=np.float32)
    assert np.abs(done(step, portrait) * 255 - expected).max() < 1.8


def test_hue_is_turned_as_colorsys_turns_it(portrait):
    result = done(Hue(turn=0.1), portrait)
    for y, x in ((10, 20), (100, 128), (200, 60), (250, 250)):
        hue, saturation, value = colorsys.rgb_to_hsv(*(float(part) for part in portrait[y, x]))
        assert np.allclose(result[y, x], colorsys.hsv_to_rgb((hue + 0.1) % 1, saturation, value), atol=2e-4)
    assert np.allclose(done(Hue(turn=0.0), portrait), portrait, atol=2e-4)


def test_grey_is_pillows_luma(portrait):
    expected = np.asarray(Image.fromarray(to_8bit(portrait)).convert("L"), dtype=np.float32)
    result = done(Grey(), portrait)
    assert np.abs(result[:, :, 1] * 255 - expected).max() < 0.6
    assert np.array_equal(result[:, :, 0], result[:, :, 2])


def test_light_and_shift_by_hand(portrait):
    assert np.allclose(done(Haze(alpha=0.8), portrait), 0.8 * portrait + 0.2, atol=1e-6)
    assert np.allclose(done(Exposure(factor=1.1), portrait), np.minimum(1.1 * portrait, 1), atol=1e-6)
    shifted = done(ColourShift(red=20, green=0, blue=-20), portrait)
    assert np.allclose(shifted, np.clip(portrait + np.array([20, 0, -20]) / 255, 0, 1), atol=1e-6)


@pytest.mark.parametrize(("right", "down"), [(0, 0), (32, -17), (-32, 32), (300, -600)])
def test_shift_is_a_window_of_the_symmetrically_padded_picture(portrait, right, down):
    """RestoreFormer++ pads by NumPy's `symmetric` and cuts a window."""
    room = 640
    padded = np.pad(portrait, ((room, room), (room, room), (0, 0)), mode="symmetric")
    expected = padded[room - down : room - down + 256, room - right : room - right + 256]
    step = Shift(right=right, down=down)
    assert np.array_equal(done(step, portrait), expected)
    assert np.array_equal(step.moved(portrait[:, :, 0], SIZE), expected[:, :, 0])


def test_flip_is_a_mirror(portrait):
    assert np.array_equal(done(Flip(), portrait), portrait[:, ::-1])
    assert np.array_equal(Flip().moved(portrait[:, :, 0], SIZE), portrait[:, ::-1, 0])
