"""Small images of every format and variant that is read, each with a face; what damage is done to."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from typing import Any

import cv2
import numpy as np
import pyvips
import tifffile
from PIL import Image
from skimage.data import astronaut

SIDE = 96
EXIF = b"II*\x00\x08\x00\x00\x00\x02\x00" + (
    b"\x12\x01\x03\x00\x01\x00\x00\x00\x01\x00\x00\x00\x31\x01\x02\x00\x04\x00\x00\x00ab\x00\x00\x00\x00\x00\x00"
)


@cache
def rgb() -> np.ndarray:
    """A face of about 40 pixels between the eyes, somewhat grainy."""
    face = cv2.resize(astronaut()[20:270, 100:350], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    noise = np.random.default_rng(11).normal(0, 5, face.shape)
    return np.clip(face + noise, 0, 255).astype(np.uint8)


@cache
def gray() -> np.ndarray:
    return cv2.cvtColor(rgb(), cv2.COLOR_RGB2GRAY)


def deep(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.uint16) * 257


def pillow(pixels: np.ndarray, kind: str, mode: str = "", **settings: Any) -> bytes:
    image = Image.fromarray(pixels)
    out = io.BytesIO()
    (image.convert(mode) if mode else image).save(out, kind, **settings)
    return out.getvalue()


def vips(pixels: np.ndarray, suffix: str, **settings: Any) -> bytes:
    data: bytes = pyvips.Image.new_from_array(pixels).write_to_buffer(suffix, **settings)
    return data


def tiff(pixels: np.ndarray, **settings: Any) -> bytes:
    out = io.BytesIO()
    tifffile.imwrite(out, pixels, metadata=None, **settings)
    return out.getvalue()


def opencv(pixels: np.ndarray, suffix: str) -> bytes:
    return bytes(cv2.imencode(suffix, pixels[..., ::-1])[1].tobytes())


def profile(name: str) -> bytes:
    return bytes(pyvips.Image.profile_load(name))


def with_alpha() -> np.ndarray:
    return np.dstack([rgb(), np.full((SIDE, SIDE), 200, np.uint8)])


MAKERS: dict[str, Callable[[], bytes]] = {
    "jpeg/baseline.jpg": lambda: pillow(rgb(), "JPEG", quality=88, exif=EXIF, icc_profile=profile("srgb")),
    "jpeg/progressive.jpg": lambda: pillow(rgb(), "JPEG", quality=88, progressive=True),
    "jpeg/gray.jpg": lambda: pillow(gray(), "JPEG", quality=80, restart_marker_blocks=4),
    "jpeg/cmyk.jpg": lambda: pillow(rgb(), "JPEG", "CMYK", quality=88),
    "png/rgb.png": lambda: pillow(rgb(), "PNG", exif=EXIF, icc_profile=profile("srgb")),
    "png/deep.png": lambda: opencv(deep(rgb()), ".png"),
    "png/alpha.png": lambda: pillow(with_alpha(), "PNG"),
    "png/palette.png": lambda: pillow(rgb(), "PNG", "P"),
    "png/interlaced.png": lambda: vips(rgb(), ".png", interlace=True),
    "tiff/plain.tif": lambda: tiff(rgb(), description="Wedding", resolution=(600, 600)),
    "tiff/deep.tif": lambda: tiff(deep(gray()), byteorder=">"),
    "tiff/lzw.tif": lambda: vips(rgb(), ".tif", compression="lzw", predictor="horizontal"),
    "tiff/tiled.tif": lambda: vips(rgb(), ".tif", compression="deflate", tile=True, tile_width=32, tile_height=32),
    "tiff/packbits.tif": lambda: vips(gray(), ".tif", compression="packbits"),
    "tiff/jpeg.tif": lambda: vips(rgb(), ".tif", compression="jpeg"),
    "tiff/big.tif": lambda: vips(deep(rgb()), ".tif", bigtiff=True),
    "webp/lossy.webp": lambda: pillow(rgb(), "WEBP", quality=85, exif=EXIF),
    "webp/lossless.webp": lambda: pillow(rgb(), "WEBP", lossless=True),
    "jp2/rgb.jp2": lambda: pillow(rgb(), "JPEG2000"),
    "jp2/deep.jp2": lambda: opencv(deep(rgb()), ".jp2"),
    "jp2/gray.j2k": lambda: pillow(gray(), "JPEG2000", no_jp2=True, irreversible=True, quality_layers=[8]),
    "heif/photo.avif": lambda: vips(rgb(), ".avif", Q=80),
}


@cache
def healthy() -> dict[str, bytes]:
    """Name to bytes, in a fixed order."""
    return {name: make() for name, make in MAKERS.items()}
