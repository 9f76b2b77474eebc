"""A picture of another size than its source: what the file says of pixels and of resolution is true of the picture."""

from __future__ import annotations

import io
import struct
from fractions import Fraction

import image_files as files
import numpy as np
import pytest
import tifffile
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from operators.images.decode import decode
from operators.images.encode import encode
from operators.images.encoders.contract import EncodeOptions
from operators.images.formats import jpeg
from operators.images.formats.boxes import box
from operators.images.metadata import read_metadata
from operators.images.probe import probe
from operators.images.raster import Raster
from operators.images.resized import Resized, exif_resized, photoshop_resized, res_box_resized, xmp_resized

OLD, NEW = (files.WIDTH, files.HEIGHT), (2 * files.WIDTH, 2 * files.HEIGHT)
TWICE = Resized(OLD, NEW)
XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description '
    b'tiff:ImageWidth="203" tiff:XResolution="300/1"><exif:PixelYDimension>150</exif:PixelYDimension>'
    b"<photoshop:City>203</photoshop:City></rdf:Description></rdf:RDF></x:xmpmeta>"
)


def exif(**resolution: object) -> bytes:
    tags = Image.Exif()
    tags[0x010F] = "Linhof"
    tags[0x0112] = 6
    tags[0x011A] = resolution.get("x", IFDRational(300, 1))
    tags[0x011B] = IFDRational(300, 1)
    tags[0x0128] = resolution.get("unit", 2)
    tags.get_ifd(0x8769).update({0xA002: OLD[0], 0xA003: OLD[1], 0x9003: "1998:01:01 10:00:00"})
    return tags.tobytes()


def photoshop() -> bytes:
    info = struct.pack(">IHHIHH", 300 << 16, 1, 2, 300 << 16, 1, 2)
    return b"8BIM" + (0x03ED).to_bytes(2, "big") + b"\x00\x00" + len(info).to_bytes(4, "big") + info


def source(kind: str) -> bytes:
    if kind == "tiff":
        out = io.BytesIO()
        extra = [(700, 1, len(XMP), XMP, True), (34377, 1, len(photoshop()), photoshop(), True)]
        tifffile.imwrite(
            out, files.photo(), photometric="rgb", resolution=(300, 300), resolutionunit="INCH", extratags=extra
        )
        return out.getvalue()
    settings = {"dpi": (300, 300), "exif": exif()}
    data = files.pillow(files.photo(), kind.upper(), **settings, **({"xmp": XMP} if kind in ("jpeg", "webp") else {}))
    if kind == "jpeg":
        payload = jpeg.PHOTOSHOP_PREFIX + photoshop()
        data = data[:2] + data[2:20] + b"\xff\xed" + (len(payload) + 2).to_bytes(2, "big") + payload + data[20:]
    return data


def resized(data: bytes, times: int = 2, target: str = "same") -> bytes:
    raster = decode(data)
    pixels = np.repeat(np.repeat(raster.pixels, times, axis=0), times, axis=1)
    larger = Raster(np.ascontiguousarray(pixels), raster.space, raster.alpha, raster.orientation, raster.icc)
    return encode(larger, data, EncodeOptions(format=target)).data


@pytest.mark.parametrize("target", ["same", "jpeg", "png", "tiff", "webp", "jp2"])
@pytest.mark.parametrize("kind", ["jpeg", "png", "tiff", "webp"])
def test_resolution_grows_with_the_picture_and_sizes_are_its_own(kind: str, target: str) -> None:
    data = resized(source(kind), target=target)
    info = probe(data)
    assert (info.width, info.height) == NEW
    assert info.dpi == pytest.approx((600, 600), abs=0.1)
    shown = Image.open(io.BytesIO(data))
    block = shown.getexif() if info.format != "jp2" else read_exif(data)
    if kind != "tiff":
        inner = block.get_ifd(0x8769)
        assert (inner[0xA002], inner[0xA003]) == NEW
        assert inner[0x9003] == "1998:01:01 10:00:00"
        assert block[0x010F] == "Linhof"
        assert float(block[0x011A]) == pytest.approx(600, abs=0.01)
        assert info.orientation == 6
    metadata = read_metadata(data, info)
    if kind != "png":
        assert metadata.xmp is not None
        assert b'tiff:ImageWidth="406" tiff:XResolution="600/1"' in metadata.xmp
        assert b"PixelYDimension>300<" in metadata.xmp
        assert b"City>203<" in metadata.xmp
    if kind in ("jpeg", "tiff") and info.format in ("jpeg", "tiff"):
        assert metadata.photoshop is not None
        assert metadata.photoshop == photoshop_resized(photoshop(), TWICE) != photoshop()


def test_jfif_and_exif_say_the_same() -> None:
    (jfif,) = [s.payload for s in jpeg.segments(resized(source("jpeg"), 3)) if s.marker == jpeg.APP0]
    assert struct.unpack_from(">BHH", jfif, 7) == (1, 900, 900)


def read_exif(data: bytes) -> Image.Exif:
    block = Image.Exif()
    metadata = read_metadata(data, probe(data))
    assert metadata.exif is not None
    block.load(b"Exif\x00\x00" + metadata.exif)
    return block


def test_a_picture_of_the_same_size_says_what_it_said() -> None:
    for kind in ("jpeg", "png", "tiff", "webp"):
        data = source(kind)
        same = encode(decode(data), data).data
        assert probe(same).dpi == pytest.approx((300, 300), abs=0.1)
        assert read_metadata(same, probe(same)).xmp == read_metadata(data, probe(data)).xmp


def test_a_size_too_large_for_its_place_gets_a_larger_one_and_nothing_moves() -> None:
    block = bytearray(exif()[6:])
    order = "<" if block[:2] == b"II" else ">"
    at = block.find(struct.pack(order + "HHI", 0xA002, 3, 1))  # the size is a SHORT
    assert at > 0
    small = exif_resized(bytes(block), TWICE)
    assert struct.unpack_from(order + "HIHH", small, at + 2) == (3, 1, NEW[0], 0)
    huge = exif_resized(bytes(block), Resized(OLD, (70_000, 60_000)))
    assert struct.unpack_from(order + "HII", huge, at + 2) == (4, 1, 70_000)
    assert len(huge) == len(small) == len(block)


def test_two_tags_that_share_one_place_are_scaled_once() -> None:
    order = "<"
    entries = [(0x011A, 5, 1, 60), (0x011B, 5, 1, 60), (0x0128, 3, 1, 2)]
    block = bytearray(b"II*\x00" + struct.pack("<I", 8) + struct.pack("<H", len(entries)))
    for tag, kind, count, value in entries:
        block += struct.pack("<HHII", tag, kind, count, value)
    block = block.ljust(60, b"\x00") + struct.pack("<II", 300, 1)
    assert struct.unpack_from(order + "II", exif_resized(bytes(block), TWICE), 60) == (600, 1)


def test_a_resolution_without_unit_is_the_shape_of_pixels_and_stays() -> None:
    block = exif(unit=1)[6:]
    found = Image.Exif()
    found.load(b"Exif\x00\x00" + exif_resized(block, TWICE))
    assert float(found[0x011A]) == 300


@pytest.mark.parametrize("cut", range(0, 120, 3))
def test_damaged_blocks_are_left_alone(cut: int) -> None:
    block = exif()[6:][:cut]
    assert len(exif_resized(block, TWICE)) == len(block)


def test_jpeg_2000_resolution_is_scaled_within_its_sixteen_bits() -> None:
    inner = struct.pack(">4H2b", 11811, 1, 60000, 1, 0, 0)
    (y1, y2, x1, x2, y_power, x_power) = struct.unpack(
        ">4H2b", res_box_resized(box(b"resc", inner), Resized((100, 100), (200, 400)))[8:]
    )
    assert Fraction(y1, y2) * 10**y_power == pytest.approx(4 * 11811, rel=1e-3)
    assert Fraction(x1, x2) * 10**x_power == pytest.approx(2 * 60000, rel=1e-3)


def test_xmp_with_other_numbers_is_untouched() -> None:
    packet = b'<a xyztiff:ImageWidth="203" tiff:XResolution="300/0" exif:PixelXDimension="wide"/>'
    assert xmp_resized(packet, TWICE) == packet
