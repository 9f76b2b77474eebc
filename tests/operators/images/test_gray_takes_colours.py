"""A gray picture that is given colours: its values stay, in three bands, in every format."""

from __future__ import annotations

import io

import image_files as files
import numpy as np
import pytest
from PIL import Image

from operators.images.colour import to_rgb
from operators.images.decode import decode
from operators.images.encode import encode
from operators.images.encoders.contract import Change, EncodeOptions
from operators.images.probe import probe
from operators.images.raster import Raster

WINDOW = (10, 10, 40, 40)
# The header of an ICC profile names the colour space of the picture at byte 16 (ICC.1, 7.2.6).
GRAY_PROFILE = files.profile("srgb")[:16] + b"GRAY" + files.profile("srgb")[20:]


def gray_file(target: str, depth: int = 8, alpha: bool = False) -> bytes:
    raster = Raster(files.photo("gray", depth, alpha), "gray", alpha=alpha)
    return encode(raster, None, EncodeOptions(format=target)).data


def coloured(data: bytes) -> tuple[Raster, list[Change]]:
    raster = to_rgb(decode(data))
    left, top, right, bottom = WINDOW
    corners = np.array([[left, top], [right - 1, top], [right - 1, bottom - 1], [left, bottom - 1]], np.float64)
    changes = [Change.to_come(raster, corners, WINDOW)]
    raster.pixels[top:bottom, left:right, 0] = raster.full_scale
    return raster, changes


@pytest.mark.parametrize(
    ("target", "depth", "alpha"),
    [
        ("png", 8, False),
        ("png", 16, True),
        ("tiff", 8, True),
        ("tiff", 16, False),
        ("jp2", 8, False),
        ("jp2", 16, False),
        ("webp", 8, False),
    ],
)
def test_lossless_formats_keep_every_value(target: str, depth: int, alpha: bool) -> None:
    data = gray_file(target, depth, alpha)
    raster, changes = coloured(data)
    made = encode(raster, data, EncodeOptions(mark="coloured"), changes)
    back = decode(made.data)
    assert (back.space, back.alpha) == ("rgb", alpha)
    np.testing.assert_array_equal(back.pixels, raster.pixels)
    outside = np.ones(back.pixels.shape[:2], bool)
    outside[WINDOW[1] : WINDOW[3], WINDOW[0] : WINDOW[2]] = False
    source = decode(data)
    for band in range(3):
        np.testing.assert_array_equal(back.pixels[..., band][outside], to_rgb(source).pixels[..., band][outside])


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("adobe", [False, True])
def test_a_jpeg_keeps_its_luma_coefficients(progressive: bool, adobe: bool) -> None:
    out = io.BytesIO()
    picture = Image.fromarray(files.photo("gray")[..., 0])
    picture.save(out, "JPEG", quality=88, comment=b"plate 7", progressive=progressive)
    data = out.getvalue()
    if adobe:  # whose transform 0 would make three components RGB
        data = data[:2] + b"\xff\xee\x00\x0eAdobe" + bytes([0, 100, 0, 0, 0, 0, 0]) + data[2:]
    raster, changes = coloured(data)
    made = encode(raster, data, EncodeOptions(), changes)
    back = decode(made.data)
    assert (back.space, made.notes) == ("rgb", ())
    with Image.open(io.BytesIO(made.data)) as image:
        assert image.info["comment"] == b"plate 7"
        assert bool(image.info.get("progressive")) == progressive
    outside = np.ones(back.pixels.shape[:2], bool)
    outside[WINDOW[1] : WINDOW[3], WINDOW[0] : WINDOW[2]] = False
    np.testing.assert_array_equal(back.pixels[outside], raster.pixels[outside])
    assert back.pixels[20:30, 20:30, 0].mean() > back.pixels[20:30, 20:30, 1].mean() + 20


def test_a_jpeg_without_known_changes_is_encoded_afresh_in_colour() -> None:
    data = gray_file("jpeg")
    raster, _ = coloured(data)
    back = decode(encode(raster, data, EncodeOptions()).data)
    assert back.space == "rgb"
    assert np.abs(back.pixels[60:, 60:].astype(int) - raster.pixels[60:, 60:]).mean() < 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_a_gray_profile_goes_and_a_note_says_so(kind: str) -> None:
    out = io.BytesIO()
    Image.fromarray(files.photo("gray")[..., 0]).save(out, kind, icc_profile=GRAY_PROFILE)
    data = out.getvalue()
    assert probe(data).icc
    raster, changes = coloured(data)
    assert raster.icc is None
    made = encode(raster, data, EncodeOptions(), changes)
    assert not probe(made.data).icc
    assert any("gray ICC profile" in note for note in made.notes)


def test_rgb_stays_and_cmyk_is_refused() -> None:
    rgb = Raster(files.photo("rgb"), "rgb")
    assert to_rgb(rgb) is rgb
    with pytest.raises(ValueError, match="cmyk"):
        to_rgb(Raster(files.photo("cmyk"), "cmyk"))
