"""Makes the image files that these tests read, with other writers than the code under test uses where there are any."""

from __future__ import annotations

import io
import struct
from functools import cache

import cv2
import numpy as np
import pyvips
import skimage.data
import tifffile
from PIL import Image

HEIGHT, WIDTH = 150, 203  # odd on purpose


@cache
def rgb8() -> np.ndarray:
    return np.ascontiguousarray(skimage.data.astronaut()[20 : 20 + HEIGHT, 120 : 120 + WIDTH])


@cache
def photo(space: str = "rgb", depth: int = 8, alpha: bool = False) -> np.ndarray:
    """(H, W, C) pixels of a face in any space; 16-bit values use their low byte too."""
    bands = {
        "rgb": rgb8(),
        "gray": cv2.cvtColor(rgb8(), cv2.COLOR_RGB2GRAY)[:, :, None],
        "cmyk": np.dstack([255 - rgb8(), cv2.cvtColor(255 - rgb8(), cv2.COLOR_RGB2GRAY) // 3]),
    }[space]
    if alpha:
        ramp = np.tile(np.linspace(40, 255, WIDTH).astype(np.uint8), (HEIGHT, 1))
        bands = np.dstack([bands, ramp])
    if depth == 16:
        low = (np.arange(bands.size, dtype=np.uint32) * 7919 % 256).reshape(bands.shape)
        bands = (bands.astype(np.uint16) << 8) | low.astype(np.uint16)
    return np.ascontiguousarray(bands)


def pillow(pixels: np.ndarray, kind: str, mode: str | None = None, **settings: object) -> bytes:
    flat = pixels[:, :, 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(flat), mode).save(out, kind, **settings)
    return out.getvalue()


def tiff(pixels: np.ndarray, space: str = "rgb", alpha: str | None = None, **settings: object) -> bytes:
    photometric = {"rgb": "rgb", "gray": "minisblack", "cmyk": "separated"}[space]
    settings.setdefault("photometric", photometric)
    extra = {"extrasamples": [alpha]} if alpha else {}
    flat = pixels[:, :, 0] if pixels.shape[2] == 1 else pixels
    if pixels.shape[2] == 2:
        settings["planarconfig"] = "contig"
    out = io.BytesIO()
    tifffile.imwrite(out, flat, **extra, **settings)
    return out.getvalue()


def vips_tiff(pixels: np.ndarray, **settings: object) -> bytes:
    return pyvips.Image.new_from_array(pixels).tiffsave_buffer(**settings)


def opencv(pixels: np.ndarray, extension: str, *settings: int) -> bytes:
    order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[pixels.shape[2]]
    return cv2.imencode(extension, np.ascontiguousarray(pixels[:, :, order]), list(settings))[1].tobytes()


def deep_jp2(pixels: np.ndarray) -> bytes:
    return opencv(pixels, ".jp2", cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000)


def png_gray_alpha_16(pixels: np.ndarray) -> bytes:
    return pyvips.Image.new_from_array(pixels, interpretation="grey16").pngsave_buffer()


def avif() -> bytes:
    return pyvips.Image.new_from_array(rgb8()).heifsave_buffer(compression="av1", Q=90)


@cache
def profile(name: str) -> bytes:
    """An ICC profile that libvips brings: `srgb` or `cmyk`."""
    return bytes(pyvips.Image.profile_load(name))


@cache
def exif(orientation: int = 6, software: str = "ScanSoft 4.2") -> bytes:
    """An EXIF block with a maker note that holds an offset from the start of the block."""
    make, program, note = b"Linhof\x00\x00", software.encode() + b"\x00", b"NOTE" + struct.pack("<I", 0x1234) + b"tail"
    start = 8 + 2 + 12 * 5 + 4
    sub = start + len(make) + len(program)
    sub += sub % 2
    note_at = sub + 2 + 12 + 4
    head = b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", 5)
    head += struct.pack("<HHII", 0x010F, 2, 7, start)
    head += struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    head += struct.pack("<HHII", 0x0131, 2, len(program), start + len(make))
    head += struct.pack("<HHIHH", 0x0213, 3, 1, 1, 0)
    head += struct.pack("<HHII", 0x8769, 4, 1, sub)
    head += bytes(4)
    body = (head + make + program).ljust(sub, b"\x00")
    return body + struct.pack("<HHHII", 1, 0x927C, 7, len(note), note_at) + bytes(4) + note


XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF/></x:xmpmeta>'
IPTC = b"\x1c\x02\x78\x00\x0cAt the beach"
RESOURCES = b"8BIM\x04\x04\x00\x00" + len(IPTC).to_bytes(4, "big") + IPTC + bytes(len(IPTC) % 2)


def rich_jpeg(orientation: int = 6, **settings: object) -> bytes:
    """A JPEG with EXIF, XMP, IPTC, ICC, comment, an unknown segment and 300 dpi."""
    bare = pillow(rgb8(), "JPEG", icc_profile=profile("srgb"), dpi=(300, 300), comment=b"box 12", **settings)
    segments = b""
    for marker, payload in (
        (0xE1, b"Exif\x00\x00" + exif(orientation)),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + XMP),
        (0xED, b"Photoshop 3.0\x00" + RESOURCES),
        (0xE9, b"ARCHIVE\x00shelf 7"),
    ):
        segments += bytes([0xFF, marker]) + (len(payload) + 2).to_bytes(2, "big") + payload
    after_jfif = 4 + int.from_bytes(bare[4:6], "big")
    return bare[:after_jfif] + segments + bare[after_jfif:]


def rich_tiff(**settings: object) -> bytes:
    """A TIFF with descriptive and private tags, ICC, XMP, IPTC and 600 dpi."""
    tags = [
        (271, "s", 0, "Linhof", True),
        (315, "s", 0, "A. Photographer", True),
        (33432, "s", 0, "public domain", True),
        (700, "B", len(XMP), XMP, True),
        (33723, "B", len(IPTC), IPTC, True),
        (50999, "s", 0, "private words", True),
        (34675, "B", len(profile("srgb")), profile("srgb"), True),
        (274, "H", 1, 8, True),
    ]
    return tiff(
        rgb8(),
        extratags=tags,
        resolution=(600, 600),
        resolutionunit="INCH",
        description="Wedding, 1911",
        software="ScanSoft 4.2",
        datetime="1999:01:02 03:04:05",
        metadata=None,
        **settings,
    )


# Every format x space x depth x alpha that is read exactly: name -> (file, its pixels, format, space).
@cache
def exact_files() -> dict[str, tuple[bytes, np.ndarray, str, str]]:
    files: dict[str, tuple[bytes, np.ndarray, str, str]] = {}
    for space in ("gray", "rgb", "cmyk"):
        for depth in (8, 16):
            for alpha in (False, True):
                name = f"{space}{depth}{'a' if alpha else ''}"
                pixels = photo(space, depth, alpha)
                data = tiff(pixels, space, "unassalpha" if alpha else None)
                files[f"tiff-{name}"] = (data, pixels, "tiff", space)
                if space == "cmyk":
                    continue
                if depth == 8:
                    files[f"png-{name}"] = (pillow(pixels, "PNG"), pixels, "png", space)
                    files[f"jp2-{name}"] = (pillow(pixels, "JPEG2000"), pixels, "jp2", space)
                elif space == "gray" and alpha:
                    files[f"png-{name}"] = (png_gray_alpha_16(pixels), pixels, "png", space)
                else:
                    files[f"png-{name}"] = (opencv(pixels, ".png"), pixels, "png", space)
                    files[f"jp2-{name}"] = (deep_jp2(pixels), pixels, "jp2", space)
                if space == "rgb" and depth == 8:
                    data = pillow(pixels, "WEBP", lossless=True, exact=True)
                    files[f"webp-{name}"] = (data, pixels, "webp", space)
    files["tiff-big-endian"] = (tiff(photo("rgb", 16), byteorder=">"), photo("rgb", 16), "tiff", "rgb")
    files["tiff-bigtiff"] = (tiff(photo(), bigtiff=True), photo(), "tiff", "rgb")
    files["tiff-planar"] = (
        tiff(np.ascontiguousarray(photo().transpose(2, 0, 1)), planarconfig="separate"),
        photo(),
        "tiff",
        "rgb",
    )
    files["tiff-lzw-tiled"] = (
        vips_tiff(photo(), compression="lzw", tile=True, tile_width=64, tile_height=64),
        photo(),
        "tiff",
        "rgb",
    )
    files["tiff-multiplied-alpha"] = (tiff(photo(alpha=True), alpha="assocalpha"), photo(alpha=True), "tiff", "rgb")
    files["png-interlaced"] = (
        pyvips.Image.new_from_array(photo()).pngsave_buffer(interlace=True),
        photo(),
        "png",
        "rgb",
    )
    return files
