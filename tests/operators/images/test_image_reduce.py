"""The reduced view: where its pixels lie, what it shows, and how little memory it takes."""

from __future__ import annotations

import subprocess
import sys

import cv2
import image_files as files
import numpy as np
import pytest

from operators.images.decode import decode
from operators.images.reduce import decode_reduced, reduce_raster


def spot_files() -> dict[str, bytes]:
    """Files of a soft white spot on black whose centre lies at (117, 68)."""
    ys, xs = np.indices((203, 301))
    spot = 255 * np.exp(-((xs - 117) ** 2 + (ys - 68) ** 2) / (2 * 16.0**2))
    pixels = np.repeat(np.rint(spot).astype(np.uint8)[:, :, None], 3, axis=2)
    deep = pixels.astype(np.uint16) * 257
    inks = np.dstack([255 - pixels, np.zeros_like(pixels[:, :, :1])])
    return {
        "jpeg": files.pillow(pixels, "JPEG", quality=95),
        "jpeg-cmyk": files.pillow(inks, "JPEG", "CMYK", quality=95),
        "png": files.pillow(pixels, "PNG"),
        "png-16": files.opencv(deep, ".png"),
        "png-alpha": files.pillow(np.dstack([pixels, pixels[:, :, :1]]), "PNG"),
        "tiff-gray-16": files.tiff(deep[:, :, :1], "gray"),
        "tiff-cmyk-16": files.tiff(inks.astype(np.uint16) * 257, "cmyk"),
        "webp": files.pillow(pixels, "WEBP", quality=95),
        "jp2": files.pillow(pixels, "JPEG2000"),
        "jp2-lossy": files.pillow(pixels, "JPEG2000", irreversible=True, quality_mode="dB", quality_layers=[45]),
        "jp2-gray-16": files.pillow(deep[:, :, :1], "JPEG2000"),
        "jp2-16": files.deep_jp2(deep),
    }


@pytest.mark.parametrize("min_scale", [1.0, 0.6, 0.5, 0.34, 0.25, 0.2, 0.13])
@pytest.mark.parametrize("name", sorted(spot_files()))
def test_the_view_shows_things_where_its_scale_says(name: str, min_scale: float) -> None:
    view = decode_reduced(spot_files()[name], min_scale)
    assert view.pixels.dtype == np.uint8 and view.pixels.shape[2] == 3
    assert min(view.scale_x, view.scale_y) >= min_scale - 0.01
    assert view.scale_x <= 1
    if min_scale > 0.5:
        assert view.scale_x == view.scale_y == 1
    else:
        assert view.scale_x < 2.2 * min_scale
    gray = view.pixels.astype(float).mean(axis=2)
    gray -= np.median(gray)  # ink is not quite black
    gray[gray < 0.05 * gray.max()] = 0  # what lossy codecs leave on the black
    ys, xs = np.indices(gray.shape)
    x, y = (gray * xs).sum() / gray.sum(), (gray * ys).sum() / gray.sum()
    assert (x + 0.5) / view.scale_x - 0.5 == pytest.approx(117, abs=0.35)
    assert (y + 0.5) / view.scale_y - 0.5 == pytest.approx(68, abs=0.35)


@pytest.mark.parametrize("name", sorted(files.exact_files()))
def test_the_view_of_a_file_equals_the_view_of_its_raster(name: str) -> None:
    data = files.exact_files()[name][0]
    view, other = decode_reduced(data, 0.25), reduce_raster(decode(data), 0.25)
    assert view.pixels.shape == other.pixels.shape or name.startswith(("webp", "jp2"))
    if view.pixels.shape == other.pixels.shape:
        difference = np.abs(view.pixels.astype(int) - other.pixels).mean()
        # Wavelet and libwebp's own filters are no box filters.
        assert difference <= (6 if name.startswith(("webp", "jp2")) else 0)


def test_the_box_filter_is_the_mean_of_what_it_covers() -> None:
    view = decode_reduced(files.pillow(files.rgb8()[:148, :200], "PNG"), 0.25)
    mean = files.rgb8()[:148, :200].reshape(37, 4, 50, 4, 3).mean(axis=(1, 3))
    assert np.abs(view.pixels - mean).max() <= 1


def test_gray_is_replicated_and_sixteen_bits_are_scaled() -> None:
    view = decode_reduced(files.tiff(files.photo("gray", 16), "gray"), 1.0)
    assert (np.ptp(view.pixels, axis=2) == 0).all()
    np.testing.assert_array_equal(view.pixels[:, :, 0], np.rint(files.photo("gray", 16)[:, :, 0] / 257))


def test_cmyk_is_shown_in_rgb() -> None:
    inks = np.zeros((32, 32, 4), np.uint8)
    inks[16:, :, 1:3] = 255  # magenta and yellow are red
    view = decode_reduced(files.tiff(inks, "cmyk"), 1.0)
    assert (view.pixels[4, 4] > 250).all()
    red, green, blue = view.pixels[28, 4].astype(int)
    assert red > 200 and green < 80 and blue < 80


def test_the_stored_orientation_is_kept() -> None:
    view = decode_reduced(files.rich_jpeg(orientation=6), 1.0)
    assert view.pixels.shape[:2] == (files.HEIGHT, files.WIDTH)


@pytest.mark.parametrize("min_scale", [0.0, -0.5, 1.5])
def test_a_scale_that_makes_no_sense_is_refused(min_scale: float) -> None:
    with pytest.raises(ValueError, match="min_scale"):
        decode_reduced(files.pillow(files.rgb8(), "PNG"), min_scale)


def test_tiny_scales_end_at_one_pixel() -> None:
    view = decode_reduced(files.pillow(files.rgb8(), "PNG"), 1e-6)
    assert min(view.pixels.shape[:2]) == 1


MEMORY_PROGRAM = """
import re, sys
from pathlib import Path
from operators.images.reduce import decode_reduced
def peak():  # of this process alone: getrusage(2) begins with what its parent had
    return int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
decode_reduced(Path(sys.argv[2]).read_bytes(), 0.5)  # what imports and libraries cost
data = Path(sys.argv[1]).read_bytes()
before = peak()
view = decode_reduced(data, 0.1)
print(peak() - before, view.pixels.shape[1])
"""


@pytest.mark.parametrize("kind", ["jpeg", "tiff-deflate", "png"])
def test_a_large_scan_is_never_held_whole(kind: str, tmp_path) -> None:
    large = cv2.resize(files.rgb8(), (6000, 5000), interpolation=cv2.INTER_LINEAR)  # 90 MB decoded
    writers = {
        "jpeg": lambda p: files.pillow(p, "JPEG"),
        "tiff-deflate": lambda p: files.vips_tiff(p, compression="deflate", level=1),
        "png": lambda p: files.pillow(p, "PNG", compress_level=1),
    }
    (tmp_path / "large").write_bytes(writers[kind](large))
    (tmp_path / "small").write_bytes(writers[kind](files.rgb8()))
    command = [sys.executable, "-c", MEMORY_PROGRAM, str(tmp_path / "large"), str(tmp_path / "small")]
    words = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert int(words[1]) in (600, 750)
    assert int(words[0]) < 45_000  # KiB, half of the decoded image
