"""No second picture leaves with a file: wherever a writer may have put one, a marked thumbnail is looked for."""

import base64
import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
import tifftools
from PIL import Image, PngImagePlugin

from operators.images.decode import decode
from operators.images.formats import jp2, jpeg, photoshop, png
from operators.images.formats.boxes import box
from operators.images.only_picture import only_picture
from operators.images.previews import without_exif_pictures, without_iptc_pictures, without_xmp_pictures

MARK = b"THUMBNAIL-OF-A-FACE"
THUMBNAIL = b"\xff\xd8\xff\xe0" + MARK * 40 + b"\xff\xd9"
TITLE = b"Harbour, 1926"


def pixels():
    return np.random.default_rng(3).integers(0, 255, (40, 56, 3), dtype=np.uint8)


def written(kind, **options):
    out = io.BytesIO()
    Image.fromarray(pixels()).save(out, kind, **options)
    return out.getvalue()


def exif(*, thumbnail=True, maker=True):
    """A little-endian block with a title, a maker note and a second directory with a thumbnail, laid out by hand."""
    first = [(0x010E, 2, TITLE + b"\0")]
    exif_tags = [(0x9003, 2, b"1926:07:01 10:00:00\0")] + ([(0x927C, 7, b"maker" + THUMBNAIL)] if maker else [])
    heap, at = bytearray(), 8 + 2 + 12 * 2 + 4 + 2 + 12 * len(exif_tags) + 4 + 2 + 12 * 2 + 4

    def entry(tag, kind, value):
        place = at + len(heap)
        heap.extend(value + b"\0" * (len(value) % 2))
        return struct.pack("<HHII", tag, kind, len(value), place)

    exif_at = 8 + 2 + 24 + 4
    thumb_at = exif_at + 2 + 12 * len(exif_tags) + 4
    main = b"".join(entry(*one) for one in first) + struct.pack("<HHII", 0x8769, 4, 1, exif_at)
    inner = b"".join(entry(*one) for one in exif_tags)
    place = at + len(heap)
    heap.extend(THUMBNAIL)
    thumb = struct.pack("<HHII", 0x0201, 4, 1, place) + struct.pack("<HHII", 0x0202, 4, 1, len(THUMBNAIL))
    block = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 2) + main
    block += struct.pack("<I", thumb_at if thumbnail else 0)
    block += struct.pack("<H", len(exif_tags)) + inner + struct.pack("<I", 0)
    block += struct.pack("<H", 2) + thumb + struct.pack("<I", 0)
    return block + bytes(heap)


SMALL = written("JPEG", quality=30)
XMP = (
    b"<x:xmpmeta><dc:title>"
    + TITLE
    + b"</dc:title><xmpGImg:image>"
    + b"&#xA;".join([b"VEhVTUJOQUlMLU9GLUEtRkFDRQ" * 3] * 12)
    + b"</xmpGImg:image></x:xmpmeta>"
)
XMP_MARK = b"VEhVTUJOQUlMLU9GLUEtRkFDRQ"


def iptc():
    def dataset(record, number, value):
        return bytes([0x1C, record, number]) + len(value).to_bytes(2, "big") + value

    return (
        dataset(2, 5, TITLE) + dataset(2, 202, THUMBNAIL) + dataset(8, 10, THUMBNAIL) + dataset(2, 120, b"by the sea")
    )


def resources():
    def resource(number, value):
        return (
            b"8BIM"
            + number.to_bytes(2, "big")
            + b"\0\0"
            + len(value).to_bytes(4, "big")
            + value
            + b"\0" * (len(value) % 2)
        )

    return (
        resource(0x0404, iptc()) + resource(0x040C, THUMBNAIL) + resource(0x0409, THUMBNAIL) + resource(0x03ED, b"res")
    )


def with_segments(data, *segments, behind=b""):
    """A JPEG file with segments behind its start, and something behind its end."""
    blocks = [bytes([0xFF, marker]) + (len(payload) + 2).to_bytes(2, "big") + payload for marker, payload in segments]
    return data[:2] + b"".join(blocks) + data[2:] + behind


PLACES = {
    "EXIF": [(jpeg.APP1, jpeg.EXIF_PREFIX + exif())],
    "a second EXIF": [
        (jpeg.APP1, jpeg.EXIF_PREFIX + exif(thumbnail=False, maker=False)),
        (jpeg.APP1, jpeg.EXIF_PREFIX + exif()),
    ],
    "XMP": [(jpeg.APP1, jpeg.XMP_PREFIX + XMP)],
    "extended XMP": [(jpeg.APP1, jpeg.EXTENDED_XMP_PREFIX + b"0" * 40 + MARK)],
    "Photoshop": [(jpeg.APP13, jpeg.PHOTOSHOP_PREFIX + resources())],
    "JFXX": [(jpeg.APP0, b"JFXX\0\x10" + THUMBNAIL)],
    "JFIF": [(jpeg.APP0, b"JFIF\0\x01\x02\x01\x00\x48\x00\x48\x05\x05" + (MARK * 4)[:75])],
    "FlashPix": [(jpeg.APP2, b"FPXR\0" + THUMBNAIL)],
    "multi-picture index": [(jpeg.APP2, jpeg.MPF_PREFIX + MARK)],
    "a maker's own": [(0xE4, b"SAMSUNG" + THUMBNAIL), (0xEF, THUMBNAIL)],
}


@pytest.mark.parametrize("place", PLACES)
def test_a_jpeg_loses_every_other_picture_and_nothing_of_its_own(place):
    data = with_segments(written("JPEG", quality=90), *PLACES[place])
    assert MARK in data or XMP_MARK in data
    alone = only_picture(data)
    assert MARK not in alone and XMP_MARK not in alone
    assert np.array_equal(decode(alone).pixels, decode(data).pixels)
    assert only_picture(alone) == alone
    if any(TITLE in payload for _, payload in PLACES[place]):
        assert TITLE in alone, "words stay"


def test_what_lies_behind_a_jpeg_goes():
    for kind in ({}, {"progressive": True}):
        data = written("JPEG", quality=90, **kind)
        assert only_picture(data + THUMBNAIL) == only_picture(data)
        assert np.array_equal(decode(only_picture(data + THUMBNAIL)).pixels, decode(data).pixels)


def between_scans(data, *segments):
    """A progressive JPEG with segments of (marker, payload) before the second scan's tables."""
    at = data.index(b"\xff\xc4", data.index(b"\xff\xda"))
    return data[:at] + with_segments(b"\xff\xd8", *segments)[2:] + data[at:]


@pytest.mark.parametrize("marker", [0xE1, 0xE5, jpeg.APP13])
def test_what_lies_between_a_jpeg_s_scans_goes(marker):
    data = written("JPEG", quality=90, progressive=True)
    assert only_picture(between_scans(data, (marker, THUMBNAIL))) == only_picture(data)


def test_an_end_that_is_none_does_not_cut_a_jpeg_off():
    data = between_scans(written("JPEG", quality=90, progressive=True), (jpeg.COM, b"no end: \xff\xd9, nor here"))
    assert only_picture(data + THUMBNAIL) == data


def test_what_no_directory_of_a_tiff_points_to_goes():
    for kind in ({}, {"compression": "tiff_lzw"}):
        data = written("TIFF", **kind)
        alone = only_picture(data + THUMBNAIL * 40)
        assert MARK not in alone and np.array_equal(decode(alone).pixels, decode(data).pixels)
        assert only_picture(alone) == alone


@pytest.mark.parametrize("hidden", [SMALL, base64.b64encode(SMALL)], ids=["as it is", "base 64"])
def test_a_small_picture_among_words_goes(hidden):
    comment = with_segments(written("JPEG", quality=90), (jpeg.COM, hidden))
    tags = [(65000, 7, len(hidden), hidden, True), (65002, 1, len(hidden), hidden, True)]
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.zeros((20, 30, 3), np.uint8), photometric="rgb", extratags=tags)
    caption = Image.Exif()
    caption[0x9286], caption[0x010E] = b"ASCII\0\0\0" + hidden, base64.b64encode(SMALL).decode()
    for data in (comment, buffer.getvalue(), written("JPEG", exif=caption)):
        assert hidden in data
        alone = only_picture(data)
        assert hidden not in alone and base64.b64encode(SMALL) not in alone
        assert np.array_equal(decode(alone).pixels, decode(data).pixels)


def test_a_small_picture_in_a_png_s_compressed_text_goes():
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", base64.b64encode(SMALL).decode(), zip=True)
    info.add_itxt("Description", base64.b64encode(SMALL).decode(), zip=True)
    info.add_text("Title", "by the sea " * 40, zip=True)
    chunks = [chunk.name for chunk in png.chunks(only_picture(written("PNG", pnginfo=info)))]
    assert chunks.count(b"zTXt") == 1 and b"iTXt" not in chunks, "words stay"


def test_words_colours_and_the_captions_of_iptc_stay():
    icc = b"profile" * 300
    data = with_segments(
        written("JPEG", icc_profile=icc),
        (jpeg.APP13, jpeg.PHOTOSHOP_PREFIX + resources()),
        (jpeg.COM, b"found in box 2"),
    )
    alone = jpeg.segments(only_picture(data))
    assert jpeg.icc_of(alone) == icc
    assert jpeg.COM in {segment.marker for segment in alone}
    left = photoshop.iptc_of(b"".join(jpeg.payloads(alone, jpeg.APP13, jpeg.PHOTOSHOP_PREFIX)))
    assert left is not None and TITLE in left and b"by the sea" in left


def test_an_exif_block_that_cannot_be_read_goes_whole():
    assert without_exif_pictures(b"II*\0\xff\xff\xff\xff" + THUMBNAIL) is None
    assert without_exif_pictures(THUMBNAIL) is None
    assert without_exif_pictures(None) is None


def test_a_plain_exif_block_keeps_its_bytes_and_orphans_go():
    plain = exif(thumbnail=False, maker=False)[: -len(THUMBNAIL)]
    assert without_exif_pictures(plain) == plain
    orphaned = exif(thumbnail=False, maker=False) + THUMBNAIL * 3  # no directory points to them any more
    assert MARK not in (without_exif_pictures(orphaned) or b"")


def test_words_of_xmp_are_no_picture():
    words = (
        b"<dc:description>" + b"The harbour as it was before the war, seen from the north. " * 40 + b"</dc:description>"
    )
    assert without_xmp_pictures(words) == words
    assert XMP_MARK not in without_xmp_pictures(XMP) and TITLE in without_xmp_pictures(XMP)


def test_iptc_that_is_damaged_ends_where_it_is():
    assert without_iptc_pictures(iptc()[:30] + b"\xff" + THUMBNAIL).count(MARK) == 0


def chunk(name, payload):
    return struct.pack(">I", len(payload)) + name + payload + struct.pack(">I", zlib.crc32(name + payload))


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        (b"eXIf", exif()),
        (b"tEXt", b"Raw profile type exif\0" + MARK),
        (b"zTXt", b"Raw profile type APP1\0\0" + zlib.compress(MARK) + MARK),
        (b"iTXt", png.XMP_KEYWORD + bytes(5) + XMP),
        (b"iTXt", png.XMP_KEYWORD + b"\0\1\0\0\0" + zlib.compress(XMP) + MARK),
        (b"tEXt", b"Comment\0" + MARK * 400),
        (b"prVt", THUMBNAIL),
        (b"fdAT", THUMBNAIL),
    ],
)
def test_a_png_likewise(name, payload):
    plain = written("PNG")
    data = plain[:33] + chunk(name, payload) + plain[33:]
    alone = only_picture(data)
    assert MARK not in alone and XMP_MARK not in alone
    assert np.array_equal(decode(alone).pixels, pixels())


def test_short_words_of_a_png_stay():
    plain = written("PNG")
    data = plain[:33] + chunk(b"tEXt", b"Title\0" + TITLE) + plain[33:]
    assert only_picture(data) == data


def test_a_tiff_loses_further_pages_reduced_pictures_and_layers():
    out = io.BytesIO()
    Image.fromarray(pixels()).save(out, "TIFF")
    info = tifftools.read_tiff(io.BytesIO(out.getvalue()))
    small = io.BytesIO()
    Image.fromarray(np.tile(np.frombuffer(MARK, np.uint8), (19, 4))).save(small, "TIFF")
    second = tifftools.read_tiff(io.BytesIO(small.getvalue()))["ifds"][0]
    second["tags"][254] = {"datatype": 4, "data": [1]}  # a reduced picture
    main = info["ifds"][0]
    main["tags"][270] = {"datatype": 2, "data": TITLE.decode()}
    main["tags"][330] = {"datatype": 13, "ifds": [[second]]}
    main["tags"][37724] = {"datatype": 7, "data": THUMBNAIL}
    main["tags"][34377] = {"datatype": 1, "data": resources()}
    main["tags"][50000] = {"datatype": 7, "data": THUMBNAIL * 10}
    with_all = io.BytesIO()
    tifftools.write_tiff([main, second], with_all)
    data = with_all.getvalue()
    assert data.count(MARK) > 20
    alone = only_picture(data)
    assert MARK not in alone and TITLE in alone
    assert np.array_equal(decode(alone).pixels, pixels())
    assert only_picture(alone) == alone


def test_a_webp_likewise():
    data = written("WEBP", lossless=True, exif=exif(), xmp=XMP)
    assert MARK in data
    alone = only_picture(data)
    assert MARK not in alone and XMP_MARK not in alone and TITLE in alone
    assert np.array_equal(decode(alone).pixels, pixels())
    broken = written("WEBP", lossless=True, exif=b"II*\0\xff\xff\xff\xff" + THUMBNAIL)
    assert MARK not in only_picture(broken)
    assert np.array_equal(decode(only_picture(broken)).pixels, pixels())


def test_a_jpeg_2000_likewise():
    behind = [
        box(b"uuid", jp2.EXIF_UUID + exif()),
        box(b"uuid", jp2.XMP_UUID + XMP),
        box(b"uuid", b"?" * 16 + THUMBNAIL),
    ]
    data = written("JPEG2000", irreversible=False) + b"".join(behind) + box(b"jp2c", THUMBNAIL)
    alone = only_picture(data)
    assert MARK not in alone and XMP_MARK not in alone and TITLE in alone
    assert np.array_equal(decode(alone).pixels, pixels())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "JPEG2000"])
def test_a_file_with_nothing_to_lose_keeps_its_bytes(kind):
    data = written(kind)
    assert only_picture(data) == data
