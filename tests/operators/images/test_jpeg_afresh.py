"""Hidden faces in JPEG files: nothing of a block's coefficients is left, and no block is left out at the edge."""

import io

import numpy as np
import pytest
from PIL import Image

from operators.images.decode import decode
from operators.images.encode import Change, EncodeOptions, encode
from operators.images.encoders.jpeg_coefficients import Coefficients
from operators.images.probe import probe

REACH = 40
FACE = np.s_[61:139, 75:142]


def source(seed, **options):
    """Two of them differ in the middle only, wherever no block of the rest can reach."""
    rng = np.random.default_rng(1)
    picture = np.clip(rng.normal(128, 40, (200, 216, 3)), 0, 255)
    picture[FACE] = np.clip(np.random.default_rng(seed).normal(128, 90, picture[FACE].shape), 0, 255)
    out = io.BytesIO()
    image = Image.fromarray(picture.astype(np.uint8))
    (image.convert("L") if options.pop("gray", False) else image).save(out, "JPEG", quality=90, **options)
    return out.getvalue()


def covered(data, *, afresh=True):
    """The file with a smooth patch over the middle, a little larger than it as a cover with its feather is."""
    raster = decode(data)
    rows, columns = FACE
    window = (columns.start - REACH, rows.start - REACH, columns.stop + REACH, rows.stop + REACH)
    left, top, right, bottom = window
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]]) - 0.5
    change = Change.to_come(raster, corners, window)
    change = Change(change.corners, change.window, change.before, afresh)
    raster.pixels[rows.start - 17 : rows.stop + 17, columns.start - 17 : columns.stop + 17] = 90
    return encode(raster, data, EncodeOptions(), [change]).data, raster


KINDS = [
    {"subsampling": 0},
    {"subsampling": 1},
    {"subsampling": 2},
    {"progressive": True, "subsampling": 2},
    {"gray": True},
]


@pytest.mark.parametrize("kind", KINDS)
def test_two_faces_under_one_cover_give_one_file(kind):
    first, second = (covered(source(seed, **dict(kind)))[0] for seed in (5, 6))
    one, two = (Coefficients(data, probe(data).compression) for data in (first, second))
    for ours, theirs in zip(one.planes, two.planes, strict=True):
        assert np.array_equal(ours, theirs)
    assert np.array_equal(decode(first).pixels, decode(second).pixels)


def test_a_difference_alone_would_leave_something():
    """Why it is so: what clipping and chroma of half the size hide from the pixels stays in the coefficients."""
    first, second = (covered(source(seed, subsampling=2), afresh=False)[0] for seed in (5, 6))
    one, two = (Coefficients(data, "jpeg baseline") for data in (first, second))
    assert any(not np.array_equal(ours, theirs) for ours, theirs in zip(one.planes, two.planes, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_it_looks_as_it_was_covered_and_the_rest_as_it_was(kind):
    data = source(5, **dict(kind))
    written, raster = covered(data)
    shown = decode(written).pixels.astype(int)
    assert np.abs(shown[FACE] - 90).max() <= 3
    far = np.ones(shown.shape[:2], bool)
    far[61 - REACH : 139 + REACH, 75 - REACH : 142 + REACH] = False
    assert np.array_equal(shown[far], decode(data).pixels[far])
    assert np.abs(shown - raster.pixels).mean() < 4
