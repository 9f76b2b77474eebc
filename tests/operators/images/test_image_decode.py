"""Decoding: every format, space, depth and alpha comes back as stored."""

from __future__ import annotations

import io

import image_files as files
import numpy as np
import pytest
import tifffile
from PIL import Image

from operators.errors import OperatorError
from operators.images.decode import decode
from operators.images.libvips import vips
from operators.images.probe import probe


@pytest.mark.parametrize("name", sorted(files.exact_files()))
def test_lossless_files_decode_to_the_stored_values(name: str) -> None:
    data, pixels, image_format, space = files.exact_files()[name]
    info, raster = probe(data), decode(data)
    assert (info.format, info.space) == (image_format, space)
    assert (info.width, info.height) == (files.WIDTH, files.HEIGHT)
    assert (raster.space, info.depth) == (space, pixels.dtype.itemsize * 8)
    assert raster.alpha == info.alpha == (pixels.shape[2] in (2, 5) or (space == "rgb" and pixels.shape[2] == 4))
    assert raster.pixels.dtype == pixels.dtype
    assert raster.pixels.flags.writeable and raster.pixels.flags.c_contiguous
    np.testing.assert_array_equal(raster.pixels, pixels)


@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_decodes_near_the_original(progressive: bool) -> None:
    raster = decode(files.pillow(files.rgb8(), "JPEG", quality=97, subsampling=0, progressive=progressive))
    assert np.abs(raster.pixels.astype(int) - files.rgb8()).mean() < 2


def test_cmyk_jpeg_has_zero_as_no_ink_with_and_without_the_adobe_marker() -> None:
    inks = files.photo("cmyk")
    data = files.pillow(inks, "JPEG", "CMYK", quality=100, subsampling=0)
    at = data.index(b"\xff\xee")
    bare = data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]
    assert np.abs(decode(data).pixels.astype(int) - inks).max() <= 3
    np.testing.assert_array_equal(decode(bare).pixels, decode(data).pixels)


def test_white_is_zero_gray_is_turned_and_said() -> None:
    for depth in (8, 16):
        gray = files.photo("gray", depth)
        data = files.tiff(gray, "gray", photometric="miniswhite")
        np.testing.assert_array_equal(decode(data).pixels, np.iinfo(gray.dtype).max - gray)
        assert any("white-is-zero" in note for note in probe(data).notes)


def test_palettes_and_few_bits_are_expanded_and_said() -> None:
    indexed = Image.fromarray(files.rgb8()).quantize(16)
    for kind, settings in (("PNG", {"bits": 4}), ("TIFF", {})):
        out = io.BytesIO()
        indexed.save(out, kind, **settings)
        raster = decode(out.getvalue())
        np.testing.assert_array_equal(raster.pixels, np.asarray(indexed.convert("RGB")))
        assert probe(out.getvalue()).notes == ("palette expanded: the derivative is RGB",)


def test_four_bit_gray_png_is_expanded() -> None:
    image = vips().Image.new_from_array(files.photo("gray"))
    data = image.pngsave_buffer(bitdepth=4)
    raster = decode(data)
    assert set(np.unique(raster.pixels)) <= {17 * v for v in range(16)}
    assert len(np.unique(raster.pixels)) > 8
    assert "4-bit gray" in probe(data).notes[0]


def test_colour_key_transparency_becomes_alpha() -> None:
    data = files.pillow(files.rgb8(), "PNG", transparency=tuple(int(v) for v in files.rgb8()[3, 4]))
    raster = decode(data)
    assert raster.alpha and probe(data).alpha
    assert raster.pixels[3, 4, 3] == 0
    np.testing.assert_array_equal(raster.pixels[:, :, :3], files.rgb8())


def test_avif_decodes() -> None:
    raster = decode(files.avif())
    assert np.abs(raster.pixels.astype(int) - files.rgb8()).mean() < 6


def test_orientation_profile_and_resolution_are_read() -> None:
    data = files.rich_jpeg()
    info = probe(data)
    assert (info.orientation, info.icc, info.dpi) == (6, True, (300.0, 300.0))
    raster = decode(data)
    assert (raster.orientation, raster.icc) == (6, files.profile("srgb"))
    scan = files.rich_tiff()
    assert decode(scan).icc == files.profile("srgb")
    assert (probe(scan).orientation, probe(scan).dpi) == (8, (600.0, 600.0))


def test_reduced_pages_are_passed_over_and_a_full_second_page_is_refused() -> None:
    out = io.BytesIO()
    with tifffile.TiffWriter(out) as writer:
        writer.write(files.rgb8()[::4, ::4], photometric="rgb", subfiletype=1)
        writer.write(files.rgb8(), photometric="rgb")
    np.testing.assert_array_equal(decode(out.getvalue()).pixels, files.rgb8())
    assert probe(out.getvalue()).pages == 2
    out = io.BytesIO()
    with tifffile.TiffWriter(out) as writer:
        writer.write(files.rgb8(), photometric="rgb")
        writer.write(files.rgb8(), photometric="rgb")
    with pytest.raises(OperatorError, match="2 full pages") as caught:
        decode(out.getvalue())
    assert caught.value.code == "multi_page"


def test_a_tiff_of_one_large_strip_is_read() -> None:
    tall = np.random.default_rng(5).integers(0, 256, (6000, 4000, 3), np.uint8)
    data = files.tiff(tall, rowsperstrip=6000, compression="zlib", compressionargs={"level": 0})
    assert len(data) > 60_000_000  # libvips' own limit is 50 MiB
    np.testing.assert_array_equal(decode(data).pixels, tall)


def test_oddly_written_tiffs_are_read() -> None:
    data = bytearray(files.tiff(files.photo("gray"), "gray", metadata=None))
    start = int.from_bytes(data[4:8], "little")
    count = int.from_bytes(data[start : start + 2], "little")
    entries = [bytes(data[start + 2 + 12 * i : start + 14 + 12 * i]) for i in range(count)]
    data[start + 2 : start + 2 + 12 * count] = b"".join(reversed(entries))  # libtiff warns of unsorted tags
    np.testing.assert_array_equal(decode(bytes(data)).pixels, files.photo("gray"))


@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_with_stuffing_before_its_end_is_read(progressive: bool) -> None:
    data = files.pillow(files.rgb8(), "JPEG", progressive=progressive)
    stuffed = data[:-2] + b"\x12\x34" * 8 + data[-2:]  # of which libjpeg warns when the file is progressive
    np.testing.assert_array_equal(decode(stuffed).pixels, decode(data).pixels)


def test_results_of_different_files_never_mix() -> None:
    first, second = files.pillow(files.rgb8(), "PNG"), files.pillow(255 - files.rgb8(), "PNG")
    for _ in range(5):
        np.testing.assert_array_equal(decode(first).pixels, files.rgb8())
        np.testing.assert_array_equal(decode(second).pixels, 255 - files.rgb8())
    assert vips().cache_get_size() == 0
