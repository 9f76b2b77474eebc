"""Files that cost little to send and much to read: they are refused by their header, and honest ones like them pass."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib

import image_files as files
import numpy as np
import pytest
from PIL import Image

from operators.errors import OperatorError
from operators.images.decode import decode
from operators.images.encode import encode
from operators.images.formats import tiff, tiff_guard
from operators.images.limits import Limits
from operators.images.metadata import read_metadata
from operators.images.probe import probe


def code_of(data: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(OperatorError) as caught:
        probe(data, limits)
    return caught.value.code


def peak_of(data: bytes) -> int:
    tracemalloc.start()
    probe(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def pages(count: int, reduced: bool = True) -> bytes:
    out = io.BytesIO()
    import tifffile

    with tifffile.TiffWriter(out) as writer:
        writer.write(files.rgb8(), metadata=None)
        for _ in range(count - 1):
            writer.write(files.rgb8()[:40, :40], subfiletype=int(reduced), metadata=None)
    return out.getvalue()


def test_pages_are_counted_no_further_than_the_limit() -> None:
    data = pages(30)
    assert probe(data).pages == 30
    assert probe(data, Limits(max_frames=30)).pages == 30
    assert code_of(data, Limits(max_frames=29)) == "too_many_frames"
    assert tiff_guard.count_pages(data, 1000) == 30
    assert tiff_guard.count_pages(data, 7) == 8
    assert code_of(pages(3, reduced=False)) == "multi_page"
    frames = [Image.fromarray(np.full((40, 40, 3), shade, np.uint8)) for shade in range(0, 250, 10)]
    out = io.BytesIO()
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:])
    assert code_of(out.getvalue()) == "multi_page"
    assert code_of(out.getvalue(), Limits(max_frames=24)) == "too_many_frames"


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_a_large_value_of_bytes_is_kept_as_a_block_and_carried(order: str, big: bool) -> None:
    note = bytes(range(256)) * 12_000
    data = files.tiff(files.rgb8(), byteorder=order, bigtiff=big, extratags=[(700, 1, len(note), note, True)])
    assert peak_of(data) < 3 * len(note)
    info = probe(data)
    assert read_metadata(data, info).xmp == note
    raster = decode(data)
    raster.pixels[20, 20] ^= 1
    again = encode(raster, data).data
    assert tiff.raw(tiff.find_page(again).directory, tiff.XMP) == note


def test_numbers_by_the_million_are_refused_and_many_strips_are_not() -> None:
    tall = np.zeros((60_000, 16), np.uint8)
    assert probe(files.tiff(tall[:, :, None], "gray", rowsperstrip=1)).height == 60_000
    lots = files.tiff(files.photo("gray"), "gray", extratags=[(50_000, 3, 4_100_000, np.zeros(4_100_000, "<u2"), True)])
    assert code_of(lots) == "corrupt"


def test_a_strip_that_inflates_to_more_than_its_pixels() -> None:
    data = files.tiff(files.photo("gray"), "gray", compression="zlib", metadata=None, rowsperstrip=files.HEIGHT)
    directory = tiff.find_page(data).directory
    offset, length = (tiff.numbers(directory, tag)[0] for tag in (tiff.STRIP_OFFSETS, tiff.STRIP_BYTES))
    pixels = zlib.decompress(data[offset : offset + length])
    for extra, fits in ((100, True), (1 << 20, False)):
        stream = zlib.compress(pixels + bytes(extra), 9)
        entry = directory["tags"][tiff.STRIP_BYTES]["datapos"]
        kind = struct.unpack_from("<H", data, entry - 6)[0]
        swollen = bytearray(data + bytes(len(data) % 2) + stream)
        struct.pack_into("<I" if kind == 4 else "<H", swollen, entry, len(stream))
        struct.pack_into("<I", swollen, directory["tags"][tiff.STRIP_OFFSETS]["datapos"], len(swollen) - len(stream))
        if fits:
            np.testing.assert_array_equal(decode(bytes(swollen)).pixels, files.photo("gray"))
        else:
            with pytest.raises(OperatorError, match="inflates to more"):
                decode(bytes(swollen))


def test_text_that_inflates_without_end_and_text_that_does_not() -> None:
    def with_chunk(name: bytes, payload: bytes) -> bytes:
        plain = files.pillow(files.rgb8(), "PNG")
        chunk = struct.pack(">I", len(payload)) + name + payload + struct.pack(">I", zlib.crc32(name + payload))
        return plain[:33] + chunk + plain[33:]

    heads = {
        b"zTXt": b"note\x00\x00",
        b"iCCP": b"profile\x00\x00",
        b"iTXt": b"XML:com.adobe.xmp\x00\x01\x00en\x00translated\x00",
    }
    swelling = zlib.compress(bytes(65 << 20), 9)
    for name, head in heads.items():
        probe(with_chunk(name, head + zlib.compress(b"Wedding, 1911" * 100_000)))
        assert code_of(with_chunk(name, head + swelling)) == "corrupt"
        assert peak_of_refusal(with_chunk(name, head + swelling)) < 4 << 20
    # Not compressed, so what follows is text, whatever it looks like.
    probe(with_chunk(b"iTXt", b"note\x00\x00\x00\x00\x00" + swelling))


def peak_of_refusal(data: bytes) -> int:
    tracemalloc.start()
    code_of(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_markers_and_chunks_and_boxes_by_the_million() -> None:
    jpeg, png, jp2 = files.rich_jpeg(), files.pillow(files.rgb8(), "PNG"), files.pillow(files.rgb8(), "JPEG2000")
    webp = files.pillow(files.rgb8(), "WEBP")
    assert code_of(jpeg[:2] + b"\xff\xfe\x00\x02" * 100_001 + jpeg[2:]) == "corrupt"
    assert code_of(jpeg[:2] + b"\xff\xd0" * 100_001 + jpeg[2:]) == "corrupt"
    assert probe(jpeg[:2] + b"\xff" * 1_000_000 + jpeg[2:]).width == files.WIDTH  # fill bytes, as the standard allows
    empty = bytes(4) + b"teSt" + struct.pack(">I", zlib.crc32(b"teSt"))
    assert code_of(png[:33] + empty * 500_001 + png[33:]) == "corrupt"
    assert code_of(jp2[:12] + b"\x00\x00\x00\x08free" * 100_001 + jp2[12:]) == "corrupt"
    grown = webp + b"note\x00\x00\x00\x00" * 100_001
    assert code_of(grown[:4] + struct.pack("<I", len(grown) - 8) + grown[8:]) == "corrupt"


def test_a_progressive_jpeg_of_many_scans() -> None:
    data = files.rich_jpeg(progressive=True)
    assert decode(data).width == files.WIDTH
    last = data.rindex(b"\xff\xda")
    assert code_of(data[:-2] + data[last:-2] * 100 + data[-2:]) == "corrupt"
    # Another picture behind the first one's end is none of its scans.
    assert probe(data + data * 20).width == files.WIDTH


def test_jpeg2000_in_ordinary_tiles_and_precincts_is_read() -> None:
    for settings in (
        {"tile_size": (64, 64)},
        {"precinct_size": (64, 64)},
        {"tile_size": (64, 64), "precinct_size": (32, 32), "num_resolutions": 3},
        {"codeblock_size": (16, 16), "precinct_size": (128, 128)},
    ):
        data = files.pillow(files.rgb8(), "JPEG2000", **settings)
        np.testing.assert_array_equal(decode(data).pixels, files.rgb8())


def test_what_the_decoder_sees_is_held_against_the_header() -> None:
    data = files.pillow(files.rgb8(), "JPEG2000")
    at = data.index(b"ihdr") + 4
    forged = data[:at] + struct.pack(">II", 50_000, 50_000) + data[at + 8 :]
    assert probe(forged).width == files.WIDTH  # by the codestream, which most decoders go by
    with pytest.raises(OperatorError, match="the decoder sees 50000 x 50000") as caught:
        decode(forged)
    assert caught.value.code == "corrupt"


def test_dimensions_that_no_image_has() -> None:
    png = bytearray(files.pillow(files.rgb8(), "PNG"))
    png[16:20] = bytes(4)
    assert code_of(bytes(png)) == "corrupt"
