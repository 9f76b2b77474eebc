"""Faster ways to the same pixels: 8 bits in and out, and a blur and a resize as one."""

import numpy as np
import pytest

from operators.degradations.applying import apply, apply_8bit, to_8bit
from operators.degradations.blur import Blur
from operators.degradations.drawing import draw
from operators.degradations.fusing import fused
from operators.degradations.geometry import Flip
from operators.degradations.problems import RecipeError
from operators.degradations.reading import parse
from operators.degradations.resize import Resize
from operators.degradations.shipped import names, shipped
from operators.errors import OperatorError


@pytest.fixture(scope="module")
def levels(portrait):
    """(256, 256, 3) uint8; read-only."""
    image = to_8bit(portrait)
    image.flags.writeable = False
    return image


@pytest.mark.parametrize("name", names())
def test_8_bits_give_what_floats_give(levels, name):
    floats = levels.astype(np.float32) / np.float32(255)
    for variant in range(4):
        steps = draw(shipped(name), 2, "key", variant)
        expected, found = apply(floats, steps), apply_8bit(levels, steps)
        assert np.array_equal(found.image, to_8bit(expected.image))
        assert np.array_equal(found.target, to_8bit(expected.target))
        assert found.image.dtype == found.target.dtype == np.uint8
        assert list(found.masks) == list(expected.masks)
        assert all(np.array_equal(found.masks[id_], expected.masks[id_]) for id_ in found.masks)
        assert (found.mask is None) == (expected.mask is None)


def test_8_bits_pass_through_what_computes_nothing(levels):
    """Without a step, only moved, in two ways of an uneven group, and brought to floats for the target alone."""
    pair = apply_8bit(levels, [])
    assert np.array_equal(pair.image, levels)
    text = "{recipe: r, source: s, steps: [{use: flip, both: true}, {use: shift, parameters: {right: 9}}]}"
    pair = apply_8bit(levels, draw(parse(text), 1, "k", 0))
    assert np.array_equal(pair.target, levels[:, ::-1])
    assert np.array_equal(pair.image[:, 9:], levels[:, ::-1][:, :-9])
    text = "{recipe: r, source: s, steps: [{uneven: 0.5, steps: [{use: flip}]}, {use: grey, both: true}]}"
    steps = draw(parse(text), 1, "k", 0)
    pair, floats = apply_8bit(levels, steps), apply(levels.astype(np.float32) / np.float32(255), steps)
    assert np.array_equal(pair.image, to_8bit(floats.image))
    assert np.array_equal(pair.target, to_8bit(floats.target))


def test_wrong_8_bit_images_are_refused(levels, portrait):
    for wrong in (portrait, levels[:, :, 0], levels[:, :, :2]):
        with pytest.raises(ValueError, match=r"expected uint8 of shape \(H, W, 3\)"):
            apply_8bit(wrong, [])
    with pytest.raises(OperatorError, match="expected at least 16"):
        apply_8bit(levels[:12], [])
    text = "{recipe: r, source: s, steps: [{uneven: 0.5, steps: [{use: grey}]}]}"
    with pytest.raises(RecipeError, match="without what belongs before it"):
        apply_8bit(levels, draw(parse(text), 1, "k", 0)[1:])


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "pool", "area", "nearest", "bicubic_antialiased"])
@pytest.mark.parametrize(("scale", "scale_y"), [(0.13, 0.0), (0.5, 0.31), (0.97, 0.99)])
def test_a_blur_and_a_resize_as_one_are_the_two_in_turn(portrait, interpolation, scale, scale_y):
    image = portrait[:, :200]
    blur = Blur(kernel="iso", size=41, sigma=6.0)
    resize = Resize(scale=scale, scale_y=scale_y, interpolation=interpolation)
    expected = resize.degrade(blur.degrade(image, None, (256, 200)).image, None, (256, 200)).image
    found = fused(blur, resize, image, (256, 200))
    assert found.shape == expected.shape
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() < 2e-6


def test_only_what_becomes_cheaper_is_done_as_one(portrait):
    blur, shrink = Blur(kernel="iso", size=41, sigma=6.0), Resize(divisor=2.0)
    assert fused(blur, shrink, portrait, (256, 256)) is not None
    others = [
        (blur, Resize(scale=1.2)),
        (blur, Resize(scale=1.2, scale_y=0.5)),
        (blur, Resize(of="original")),
        (blur, Flip()),
        (Flip(), shrink),
        (Blur(kernel="aniso", size=41, sigma=6.0), shrink),
        (Blur(kernel="iso", size=41, sigma=0.5), shrink),
    ]
    assert all(fused(first, second, portrait, (256, 256)) is None for first, second in others)


def test_steps_that_become_one_stay_two_for_all_else(portrait):
    """Masks are resized, the target gets what is for both, and the steps behind are done once."""
    text = """{{recipe: r, source: s, steps: [{{use: dust, parameters: {{specks: 200, radius: 3}}}},
        {{use: blur, both: {0}, parameters: {{sigma: 5}}}}, {{use: resize, both: {1}, parameters: {{divisor: 2}}}},
        {{use: haze, parameters: {{alpha: 0.5}}}}]}}"""
    plain = apply(portrait, draw(parse(text.format("false", "false")), 1, "k", 0))
    assert plain.image.shape == (128, 128, 3)
    assert plain.mask.shape == (128, 128)
    assert plain.image.min() >= 0.5
    assert np.array_equal(plain.target, portrait)
    blurred = apply(portrait, draw(parse(text.format("true", "false")), 1, "k", 0))
    assert blurred.target.shape == (256, 256, 3)
    assert np.allclose(blurred.target, Blur(sigma=5.0).degrade(portrait, None, (256, 256)).image, atol=1e-6)
    resized = apply(portrait, draw(parse(text.format("false", "true")), 1, "k", 0))
    assert resized.target.shape == (128, 128, 3)
    for pair in (blurred, resized):
        assert np.allclose(pair.image, plain.image, atol=2e-6)
        assert np.array_equal(pair.mask, plain.mask)
