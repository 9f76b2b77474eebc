"""Refusals: what cannot be read whole, or truly, is refused by name."""

from __future__ import annotations

import io
import struct
import zlib

import image_files as files
import numpy as np
import pytest
from PIL import Image

from operators.errors import OperatorError
from operators.images.decode import decode
from operators.images.limits import Limits
from operators.images.probe import probe
from operators.images.reduce import decode_reduced


def code_of(data: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(OperatorError) as caught:
        decode(data, limits)
    return caught.value.code


def whole_files() -> dict[str, bytes]:
    tiled = {"tile": True, "tile_width": 64, "tile_height": 64}
    return {
        "jpeg": files.rich_jpeg(),
        "jpeg-progressive": files.rich_jpeg(progressive=True),
        "png": files.pillow(files.rgb8(), "PNG"),
        "tiff": files.tiff(files.rgb8()),
        "tiff-deflate": files.tiff(files.rgb8(), compression="zlib"),
        "tiff-lzw": files.vips_tiff(files.rgb8(), compression="lzw"),
        "tiff-lzw-tiled": files.vips_tiff(files.rgb8(), compression="lzw", **tiled),
        "tiff-jpeg": files.vips_tiff(files.rgb8(), compression="jpeg"),
        "webp": files.pillow(files.rgb8(), "WEBP"),
        "webp-lossless": files.pillow(files.rgb8(), "WEBP", lossless=True),
        "jp2": files.pillow(files.rgb8(), "JPEG2000"),
        "jp2-deep": files.deep_jp2(files.photo("rgb", 16)),
        "j2k": files.pillow(files.rgb8(), "JPEG2000", no_jp2=True),
        "avif": files.avif(),
    }


@pytest.mark.parametrize("name", sorted(whole_files()))
def test_a_file_cut_anywhere_never_gives_an_image(name: str) -> None:
    data = whole_files()[name]
    decode(data)
    cuts = [*range(1, 12), *np.linspace(12, len(data) - 1, 40).astype(int), len(data) - 2, len(data) - 3]
    codes = []
    for cut in cuts:
        codes.append(code_of(data[:cut]))
        with pytest.raises(OperatorError):
            decode_reduced(data[:cut], 0.5)
    assert set(codes) <= {"not_an_image", "truncated", "corrupt"}
    assert codes.count("truncated") >= len(cuts) * 2 // 3


@pytest.mark.parametrize("name", ["png", "tiff-deflate", "jp2"])
def test_zeroed_blocks_are_noticed(name: str) -> None:
    data = bytearray(whole_files()[name])
    middle = len(data) // 2
    data[middle : middle + 300] = bytes(300)
    if name == "jp2":  # no checksums: only damage to lengths can be seen
        start = data.index(b"\xff\x90")
        data[start + 6 : start + 10] = (77).to_bytes(4, "big")
    assert code_of(bytes(data)) in ("corrupt", "truncated")


def test_deflate_damage_that_still_inflates_is_noticed_by_its_checksum() -> None:
    data = files.vips_tiff(files.rgb8(), compression="deflate", tile=True, tile_width=64, tile_height=64)
    rng = np.random.default_rng(2)
    low, high = 200, len(data) - 600
    for _ in range(40):
        damaged = bytearray(data)
        damaged[int(rng.integers(low, high))] ^= 1 << int(rng.integers(8))
        try:
            pixels = decode(bytes(damaged)).pixels
        except OperatorError as error:
            assert error.code in ("corrupt", "truncated", "unsupported_colour", "unsupported_format")
        else:
            np.testing.assert_array_equal(pixels, files.rgb8())


def test_damaged_lzw_tiles_are_noticed() -> None:
    data = bytearray(whole_files()["tiff-lzw-tiled"])
    for at in range(2000, len(data) - 2000, 400):
        data[at : at + 40] = b"\xff" * 40
    assert code_of(bytes(data)) == "corrupt"


def test_random_bytes_never_end_in_another_exception() -> None:
    rng = np.random.default_rng(9)
    for data in whole_files().values():
        for _ in range(12):
            damaged = bytearray(data)
            for at in rng.integers(0, min(len(data), 900), 4):
                damaged[at] = int(rng.integers(256))
            try:
                decode(bytes(damaged))
            except OperatorError as error:
                assert error.code and error.message


def test_what_is_no_image_says_what_it_looks_like() -> None:
    assert code_of(b"") == "empty_file"
    with pytest.raises(OperatorError, match="is text and starts with 'Dear archive") as caught:
        probe(b"Dear archive,\nplease find enclosed the photographs." * 4)
    assert caught.value.code == "not_an_image"
    with pytest.raises(OperatorError, match="starts with zero bytes"):
        probe(bytes(4000))
    with pytest.raises(OperatorError, match="de ad be ef"):
        probe(bytes.fromhex("deadbeef00112233") * 20)
    assert code_of(files.pillow(files.rgb8(), "GIF")) == "unsupported_format"
    assert code_of(files.pillow(files.rgb8(), "BMP")) == "unsupported_format"


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (lambda: files.tiff(files.photo("gray").astype(np.float32), "gray"), "32-bit floating point"),
        (lambda: files.tiff(files.photo("gray").astype(np.uint32), "gray"), "32 bits"),
        (lambda: files.tiff(files.photo("gray").astype(np.int16), "gray"), "16-bit signed"),
        (lambda: files.tiff(files.rgb8(), photometric="cielab"), r"CIE L\*a\*b\*"),
        (lambda: files.tiff(np.dstack([files.rgb8()] * 2), planarconfig="contig"), "6 bands"),
        (lambda: files.pillow(files.rgb8()[:, :, 0] > 99, "TIFF"), "1-bit"),
        (lambda: files.pillow(files.rgb8()[:, :, 0] > 99, "PNG"), "1-bit"),
    ],
)
def test_colours_that_are_not_supported_are_named(data, word: str) -> None:
    with pytest.raises(OperatorError, match=word) as caught:
        decode(data())
    assert caught.value.code == "unsupported_colour"


def test_twelve_bit_jpeg2000_is_refused_and_not_shifted() -> None:
    data = bytearray(files.pillow(files.photo("gray", 16), "JPEG2000", no_jp2=True))
    at = data.index(b"\xff\x51")
    assert data[at + 40] == 15
    data[at + 40] = 11
    assert code_of(bytes(data)) == "unsupported_colour"


def test_animations_are_refused() -> None:
    frames = [Image.fromarray(files.rgb8()), Image.fromarray(255 - files.rgb8())]
    for kind in ("WEBP", "PNG"):
        out = io.BytesIO()
        frames[0].save(out, kind, save_all=True, append_images=frames[1:])
        assert code_of(out.getvalue()) == "multi_page"


def test_limits() -> None:
    data = files.pillow(files.rgb8(), "PNG")
    assert code_of(data, Limits(max_pixels=1000)) == "too_large"
    assert code_of(data, Limits(max_side=200)) == "too_large"
    assert code_of(data, Limits(min_side=151)) == "too_small"
    assert code_of(files.pillow(files.rgb8()[:3], "PNG")) == "too_small"
    decode(data, Limits(max_pixels=files.WIDTH * files.HEIGHT, max_side=files.WIDTH, min_side=files.HEIGHT))


def test_a_decompression_bomb_is_refused_by_its_header() -> None:
    def chunk(name: bytes, payload: bytes) -> bytes:
        return struct.pack(">I", len(payload)) + name + payload + struct.pack(">I", zlib.crc32(name + payload))

    header = struct.pack(">IIBBBBB", 30000, 30000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(9999)))
    bomb += chunk(b"IEND", b"")
    with pytest.raises(OperatorError, match="claim to hold 2700000000 bytes") as caught:
        probe(bomb)
    assert caught.value.code == "too_large"


def test_directories_that_form_a_loop_end() -> None:
    data = bytearray(files.tiff(files.photo("gray"), "gray", metadata=None))
    start = int.from_bytes(data[4:8], "little")
    count = int.from_bytes(data[start : start + 2], "little")
    following = start + 2 + 12 * count
    data[following : following + 4] = start.to_bytes(4, "little")
    with pytest.raises(OperatorError, match="loop") as caught:
        probe(bytes(data))
    assert caught.value.code == "corrupt"


def test_camera_raw_in_tiff_clothes_is_refused() -> None:
    assert code_of(files.tiff(files.rgb8(), subfiletype=1)) == "unsupported_format"
