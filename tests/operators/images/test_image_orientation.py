"""Orientations: the affines agree with the rotated pixels and with Pillow."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageOps

from operators.images.orientation import (
    apply_affine,
    rotate_upright,
    stored_to_upright,
    upright_size,
    upright_to_stored,
)

STORED = np.arange(5 * 7, dtype=np.uint8).reshape(5, 7, 1)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_rotation_is_what_pillow_shows(orientation: int) -> None:
    image = Image.fromarray(STORED[:, :, 0])
    image.getexif()[0x0112] = orientation
    shown = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(rotate_upright(STORED, orientation)[:, :, 0], shown)


@pytest.mark.parametrize("turns", range(-1, 5))
@pytest.mark.parametrize("orientation", range(1, 9))
def test_affines_carry_every_pixel_to_its_place(orientation: int, turns: int) -> None:
    shown = rotate_upright(STORED, orientation, turns)
    assert upright_size(7, 5, orientation, turns) == (shown.shape[1], shown.shape[0])
    ys, xs = np.indices((5, 7))
    points = np.dstack([xs, ys]).reshape(-1, 2)
    places = apply_affine(stored_to_upright(7, 5, orientation, turns), points)
    assert (places == np.rint(places)).all()
    x, y = places.astype(int).T
    np.testing.assert_array_equal(shown[y, x, 0], STORED[points[:, 1], points[:, 0], 0])
    np.testing.assert_allclose(apply_affine(upright_to_stored(7, 5, orientation, turns), places), points)


@pytest.mark.parametrize("orientation", [0, 9, -1])
def test_other_values_are_refused(orientation: int) -> None:
    with pytest.raises(ValueError, match="1 to 8"):
        stored_to_upright(7, 5, orientation)
