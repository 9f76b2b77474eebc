import io

import numpy as np
import pytest
from PIL import Image

from operators.images.decode import decode
from operators.images.encode import Change, EncodeOptions, encode
from operators.images.raster import Raster
from operators.sealing.content import Content, content_of, pixels_digest, put_back
from operators.sealing.errors import TamperedError
from operators.sealing.jpeg import JpegBlocks, blocks_between

WINDOWS = [(8, 16, 40, 48), (30, 40, 64, 70)]


def picture(kind, bands=3, side=96):
    rng = np.random.default_rng(7)
    top = np.iinfo(kind).max
    smooth = np.add.outer(np.arange(side), np.arange(side))[..., None] * (top / (2 * side))
    return np.clip(smooth + rng.normal(0, top / 40, (side, side, bands)), 0, top).astype(kind)


def jpeg(**options):
    out = io.BytesIO()
    Image.fromarray(picture(np.uint8)).save(out, "JPEG", quality=88, **options)
    return out.getvalue()


def changed(source, options=None):
    """A derivative with other pixels in both windows, and the windows as they were."""
    raster = decode(source)
    changes = []
    for left, top, right, bottom in WINDOWS:
        corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]]) - 0.5
        changes.append(Change.to_come(raster, corners, (left, top, right, bottom)))
    for left, top, right, bottom in WINDOWS:
        raster.pixels[top + 4 : bottom - 4, left + 4 : right - 4] = 77
    derivative = encode(raster, source, options or EncodeOptions(), changes).data
    return derivative, [(change.window, change.before) for change in changes]


def lossless(raster, kind):
    return encode(raster, None, EncodeOptions(format=kind)).data


SOURCES = {
    "png": lambda: lossless(Raster(picture(np.uint8), "rgb"), "png"),
    "png with opacity": lambda: lossless(Raster(picture(np.uint8, 4), "rgb", alpha=True), "png"),
    "16-bit tiff": lambda: lossless(Raster(picture(np.uint16, 1), "gray"), "tiff"),
    "16-bit colour png": lambda: lossless(Raster(picture(np.uint16), "rgb"), "png"),
    "cmyk tiff": lambda: lossless(Raster(picture(np.uint8, 4), "cmyk"), "tiff"),
    "lossless webp": lambda: lossless(Raster(picture(np.uint8), "rgb"), "webp"),
    "jpeg 2000": lambda: lossless(Raster(picture(np.uint8), "rgb"), "jp2"),
    "jpeg": lambda: jpeg(subsampling=2),
    "progressive jpeg": lambda: jpeg(progressive=True, subsampling=0),
    "gray jpeg": lambda: encode(Raster(picture(np.uint8, 1), "gray"), None, EncodeOptions(format="jpeg")).data,
}


@pytest.mark.parametrize("name", SOURCES)
def test_every_pixel_comes_back_bit_for_bit(name):
    source = SOURCES[name]()
    original = decode(source)
    derivative, before = changed(source)
    assert not np.array_equal(decode(derivative).pixels, original.pixels)
    content = content_of(source, pixels_digest(original), before, derivative)
    again = Content.unpacked(content.packed())
    back = decode(put_back(again, derivative))
    assert back.pixels.dtype == original.pixels.dtype
    assert np.array_equal(back.pixels, original.pixels)


@pytest.mark.parametrize(
    ("source", "options", "form"),
    [
        ("png", EncodeOptions(), "pixels"),
        ("16-bit tiff", EncodeOptions(), "pixels"),
        ("jpeg", EncodeOptions(), "coefficients"),
        ("jpeg", EncodeOptions(quality=60), "file"),
        ("png", EncodeOptions(format="jpeg"), "file"),
        ("png", EncodeOptions(format="webp", quality=80), "file"),
        ("png", EncodeOptions(format="tiff"), "pixels"),
    ],
)
def test_what_is_sealed_is_no_more_than_is_needed(source, options, form):
    data = SOURCES[source]()
    derivative, before = changed(data, options)
    content = content_of(data, pixels_digest(decode(data)), before, derivative)
    assert content.form == form
    assert np.array_equal(decode(put_back(content, derivative)).pixels, decode(data).pixels)
    if form == "file":
        assert put_back(content, derivative) == data
    else:
        assert len(content.packed()) < len(data)


def test_another_picture_is_not_taken_for_the_one_it_was_sealed_with():
    for name in ("png", "jpeg"):
        source = SOURCES[name]()
        derivative, before = changed(source)
        content = content_of(source, pixels_digest(decode(source)), before, derivative)
        raster = decode(source)
        raster.pixels[80:, 80:] = 0  # outside of all that was sealed
        with pytest.raises(TamperedError, match="not the original"):
            put_back(content, encode(raster, source, EncodeOptions()).data)


def test_blocks_of_files_that_are_no_versions_of_each_other():
    assert blocks_between(jpeg(), SOURCES["png"]()) is None
    assert blocks_between(jpeg(subsampling=0), jpeg(subsampling=2)) is None
    other = io.BytesIO()
    Image.fromarray(picture(np.uint8)).save(other, "JPEG", quality=50)
    assert blocks_between(jpeg(), other.getvalue()) is None


def test_blocks_are_packed_without_loss():
    rng = np.random.default_rng(1)
    chosen = (rng.random((5, 7)) < 0.4, rng.random((3, 4)) < 0.5)
    values = tuple(rng.integers(-1023, 1024, (int(one.sum()), 8, 8)).astype(np.int16) for one in chosen)
    about, body = JpegBlocks(chosen, values).packed()
    again = JpegBlocks.unpacked(about, body)
    assert all(np.array_equal(a, b) for a, b in zip(chosen + values, again.chosen + again.values, strict=True))


def test_a_digest_tells_size_depth_and_bands_apart():
    pixels = np.zeros((4, 6, 3), np.uint8)
    others = [
        Raster(pixels, "rgb"),
        Raster(np.zeros((6, 4, 3), np.uint8), "rgb"),
        Raster(np.zeros((4, 6, 3), np.uint16), "rgb"),
        Raster(np.zeros((4, 6, 4), np.uint8), "rgb", alpha=True),
        Raster(np.zeros((4, 6, 4), np.uint8), "cmyk"),
        Raster(np.eye(4, 6, dtype=np.uint8)[..., None] * np.ones(3, np.uint8), "rgb"),
    ]
    assert len({pixels_digest(one) for one in others}) == len(others)
