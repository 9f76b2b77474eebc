"""The sheet shows the pairs a job would make, with what was drawn."""

import numpy as np
import pytest

from operators.degradations.applying import apply, to_8bit
from operators.degradations.drawing import draw
from operators.degradations.sheet import Sample, captions, contact_sheet, recipe_sheet, with_mask
from operators.degradations.shipped import shipped


def test_pictures_lie_in_rows_with_captions_under_them(portrait):
    sheet = contact_sheet([Sample(portrait, ("first",)), Sample(portrait[:, ::-1]), Sample(portrait[:100])], 2, 256)
    assert sheet.dtype == np.uint8
    assert sheet.shape[1] == 2 * 256 + 3 * 8
    assert np.array_equal(sheet[8 : 8 + 256, 8 : 8 + 256], to_8bit(portrait))
    assert np.array_equal(sheet[8 : 8 + 256, 272 : 272 + 256], to_8bit(portrait[:, ::-1]))
    second = 8 + 256 + 4 + 13 + 8
    assert np.array_equal(sheet[second : second + 100, 8 : 8 + 256], to_8bit(portrait[:100]))
    caption, none = sheet[8 + 256 : 8 + 256 + 17, 8:264], sheet[8 + 256 : 8 + 256 + 17, 272:528]
    assert (caption < 128).sum() > 30
    assert (none == 255).all()


def test_the_pairs_are_those_of_a_job(portrait):
    recipe = shipped("scratch-repair")
    sheet = recipe_sheet(portrait, recipe, seed=3, key="a.jpg", variants=2, columns=3, side=256)
    for variant in range(2):
        left = 8 + (variant + 1) * 264
        expected = to_8bit(apply(portrait, draw(recipe, 3, "a.jpg", variant)).image)
        assert np.array_equal(sheet[8 : 8 + 256, left : left + 256], expected)


def test_captions_name_every_parameter():
    for variant in range(20):
        steps = draw(shipped("gfpgan"), 1, "k", variant)
        lines = captions(steps)
        assert len(lines) == len(steps)
        for step, line in zip(steps, lines, strict=True):
            assert line.startswith(step.id)
            assert all(f"{name} " in line for name in step.parameters)
            assert ("(both)" in line) == step.both


def test_long_captions_are_wrapped_and_cut_with_a_word(portrait):
    sample = Sample(portrait, tuple(f"line {number}" for number in range(9)))
    few, many = (contact_sheet([sample], 1, 256, lines).shape[0] for lines in (3, 9))
    assert many - few == 6 * 13
    long = contact_sheet([Sample(portrait, ("word " * 40,))], 1, 256)
    assert long.shape[0] > few
    with pytest.raises(ValueError, match="found 0 samples"):
        contact_sheet([])


def test_masks_are_shown_in_red_where_they_are(portrait):
    pair = apply(portrait, draw(shipped("strokes"), 1, "k", 0))
    shown = with_mask(pair)
    assert (shown[pair.mask > 0][:, 0] > shown[pair.mask > 0][:, 1]).all()
    assert np.array_equal(shown[pair.mask == 0], pair.image[pair.mask == 0])
    plain = apply(portrait, draw(shipped("vqfr"), 1, "k", 0))
    assert with_mask(plain) is plain.image
