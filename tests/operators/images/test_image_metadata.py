"""Metadata: carried whole within a format, as far as possible across, and the change is marked."""

from __future__ import annotations

import io
import json
import shutil
import subprocess

import image_files as files
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from operators.images import exif as exif_tags
from operators.images.decode import decode
from operators.images.encode import encode
from operators.images.encoders.contract import EncodeOptions
from operators.images.formats import jpeg
from operators.images.metadata import read_metadata
from operators.images.probe import probe

MARK = "facejobs 0.1.0 run 1a2b: 3 faces restored (classic)"


def derive(data: bytes, target: str = "same", mark: str | None = MARK) -> tuple[bytes, tuple[str, ...]]:
    encoded = encode(decode(data), data, EncodeOptions(format=target, mark=mark))
    return encoded.data, encoded.notes


def test_jpeg_segments_are_carried_byte_for_byte() -> None:
    data = files.rich_jpeg()
    plain, notes = derive(data, mark=None)
    kept = [s for s in jpeg.segments(data) if s.marker >= 0xE0]
    assert kept == [s for s in jpeg.segments(plain) if s.marker >= 0xE0]
    assert notes == ()


def test_the_mark_leaves_the_rest_of_the_exif_block_where_it_is() -> None:
    data = files.rich_jpeg()
    marked, _ = derive(data)
    before, after = jpeg.exif_of(jpeg.segments(data)), jpeg.exif_of(jpeg.segments(marked))
    assert after[8 : len(before)] == before[8:]  # maker note and its offsets included
    assert exif_tags.text(after, exif_tags.PROCESSING_SOFTWARE) == MARK
    shown = Image.open(io.BytesIO(marked)).getexif()
    assert shown[0x0131] == "ScanSoft 4.2" and shown[0x010F].strip("\x00") == "Linhof" and shown[0x0112] == 6
    assert shown.get_ifd(0x8769)[0x927C] == b"NOTE4\x12\x00\x00tail"


def test_an_earlier_mark_is_kept() -> None:
    once, _ = derive(files.rich_jpeg(), mark="first")
    for target in ("same", "tiff", "png"):
        twice, _ = derive(once, target, mark="second")
        thrice, _ = derive(twice, mark="third")
        text = exif_tags.text(read_metadata(thrice, probe(thrice)).exif, exif_tags.PROCESSING_SOFTWARE)
        assert text == "first; second; third"


@pytest.mark.parametrize("target", ["jpeg", "png", "tiff", "webp", "jp2"])
@pytest.mark.parametrize("origin", ["jpeg", "tiff"])
def test_metadata_crosses_formats(origin: str, target: str) -> None:
    source = files.rich_jpeg() if origin == "jpeg" else files.rich_tiff()
    data, notes = derive(source, target)
    info, metadata = probe(data), read_metadata(data, probe(data))
    assert info.orientation == probe(source).orientation
    assert info.dpi == pytest.approx(probe(source).dpi, rel=1e-4)
    assert decode(data).icc == files.profile("srgb")
    assert metadata.xmp == files.XMP
    assert exif_tags.text(metadata.exif, exif_tags.PROCESSING_SOFTWARE) == MARK
    assert exif_tags.text(metadata.exif, 0x010F) == "Linhof"
    assert exif_tags.text(metadata.exif, 0x0131) == "ScanSoft 4.2"
    if target in ("png", "webp"):
        assert any("IPTC" in note for note in notes)
    else:
        assert metadata.iptc == files.IPTC


def test_tiff_tags_are_carried_private_ones_too() -> None:
    data, notes = derive(files.rich_tiff())
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        tags = {tag.code: tag.value for tag in file.pages[0].tags}
    assert (tags[270], tags[271], tags[305]) == ("Wedding, 1911", "Linhof", "ScanSoft 4.2")
    assert (tags[306], tags[315], tags[33432]) == ("1999:01:02 03:04:05", "A. Photographer", "public domain")
    assert (tags[274], tags[282], tags[296]) == (8, (600, 1), 2)
    assert (tags[50999], tags[11]) == ("private words", MARK)
    assert bytes(tags[34675]) == files.profile("srgb") and bytes(tags[700]) == files.XMP
    assert notes == ()


def test_exif_and_gps_directories_of_a_tiff_are_carried() -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({0x9003: "1911:06:01 12:00:00", 0x927C: b"MAKER"})
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 12.0, 0.0)})
    photo = files.pillow(files.rgb8(), "JPEG", exif=exif.tobytes())  # Pillow writes no sub-directories into TIFF
    source, _ = derive(photo, "tiff", mark=None)
    with tifffile.TiffFile(io.BytesIO(source)) as file:
        assert file.pages[0].tags[34665].value["DateTimeOriginal"] == "1911:06:01 12:00:00"
    for target in ("same", "jpeg", "png"):
        data, notes = derive(source, target)
        shown = Image.open(io.BytesIO(data)).getexif()
        assert shown.get_ifd(0x8769)[0x9003] == "1911:06:01 12:00:00"
        assert shown.get_ifd(0x8825)[1] == "N"
        assert any("maker note" in note for note in notes)


def test_a_big_endian_tiff_keeps_its_tags() -> None:
    data, _ = derive(files.rich_tiff(byteorder=">"))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        assert file.pages[0].tags[282].value == (600, 1)
        assert file.pages[0].tags[271].value == "Linhof"


def test_a_rotated_avif_is_not_rotated_twice() -> None:
    block = Image.Exif()
    block[0x0112] = 6
    source = files.pillow(files.rgb8(), "AVIF", exif=block.tobytes(), quality=90)
    data, _ = derive(source, "png")
    shown = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    upright = np.rot90(files.rgb8(), -1)
    assert shown.size == (upright.shape[1], upright.shape[0])
    assert np.abs(np.asarray(shown).astype(int) - upright).mean() < 5


def test_photoshop_layers_are_dropped_and_said() -> None:
    layers = b"Adobe Photoshop Document Data Block\x00" * 4
    source = files.tiff(files.rgb8(), extratags=[(37724, "B", len(layers), layers, True)])
    data, notes = derive(source)
    assert b"Document Data Block" not in data
    assert any("layers" in note for note in notes)


def test_a_derivative_states_no_resolution_that_its_source_does_not() -> None:
    for target in ("tiff", "png", "jpeg"):
        data, _ = derive(files.pillow(files.rgb8(), "PNG"), target)
        assert probe(data).dpi is None


def test_png_chunks_are_carried_or_named() -> None:
    texts = PngInfo()
    texts.add_text("Author", "A. Photographer")
    texts.add_itxt("Title", "Hochzeit", "de", "Titel")
    texts.add(b"tIME", b"\x07\xcf\x01\x02\x03\x04\x05")
    source = files.pillow(files.rgb8(), "PNG", pnginfo=texts, dpi=(300, 300), icc_profile=files.profile("srgb"))
    data, notes = derive(source)
    shown = Image.open(io.BytesIO(data))
    shown.load()
    assert (shown.text["Author"], shown.text["Title"]) == ("A. Photographer", "Hochzeit")
    assert shown.info["icc_profile"] == files.profile("srgb")
    assert shown.info["dpi"][0] == pytest.approx(300, abs=0.1)
    assert any("tIME" in note for note in notes)
    assert any("2 PNG text entries" in note for note in derive(source, "jpeg")[1])


def test_exif_that_outgrows_jpeg_is_kept_unmarked_and_said() -> None:
    exif = files.exif() + bytes(65533 - 6 - len(files.exif()))
    bare = files.pillow(files.rgb8(), "JPEG")
    source = bare[:2] + b"\xff\xe1" + (len(exif) + 8).to_bytes(2, "big") + b"Exif\x00\x00" + exif + bare[2:]
    data, notes = derive(source)
    assert jpeg.exif_of(jpeg.segments(data)) == exif
    assert any("without the mark" in note for note in notes)


def test_an_unreadable_exif_block_is_said() -> None:
    bare = files.pillow(files.rgb8(), "JPEG")
    source = bare[:2] + b"\xff\xe1\x00\x14Exif\x00\x00not a block." + bare[2:]
    data, notes = derive(source)
    assert any("unreadable" in note for note in notes)
    assert exif_tags.text(jpeg.exif_of(jpeg.segments(data)), exif_tags.PROCESSING_SOFTWARE) == MARK


def test_files_without_metadata_gain_nothing_but_the_mark() -> None:
    for kind in ("JPEG", "PNG", "TIFF", "WEBP", "JPEG2000"):
        source = files.pillow(files.rgb8(), kind, **({"lossless": True} if kind == "WEBP" else {}))
        assert read_metadata(derive(source, mark=None)[0], probe(source)).xmp is None
        assert MARK.encode() not in derive(source, mark=None)[0]
        assert derive(source)[0].count(MARK.encode()) == 1


def test_marks_outside_ascii_do_no_harm() -> None:
    data, _ = derive(files.rich_jpeg(), mark="restauriert für Köln")
    text = exif_tags.text(jpeg.exif_of(jpeg.segments(data)), exif_tags.PROCESSING_SOFTWARE)
    assert text == "restauriert f?r K?ln"


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_editing_works_in_both_byte_orders(order: str) -> None:
    block = Image.Exif()
    block[0x0131] = "ab"
    block.endian = order
    raw = block.tobytes()[6:]
    edited = exif_tags.with_tags(raw, {0x0112: 3, 0x000B: "xyz, longer than four", 0x011A: (300, 1)})
    edited = exif_tags.with_tags(edited, {0x0112: 5, 0x011B: (300, 1), 0x0128: 2})
    assert (exif_tags.orientation(edited), exif_tags.text(edited, 0x0131)) == (5, "ab")
    assert exif_tags.dpi(edited) == (300, 300)
    assert exif_tags.text(edited, 0x000B) == "xyz, longer than four"
    with pytest.raises(ValueError, match="cannot be read"):
        exif_tags.with_tags(b"nonsense, at length", {0x0112: 1})


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool (libimage-exiftool-perl) is not installed")
@pytest.mark.parametrize("target", ["jpeg", "png", "tiff", "webp", "jp2"])
@pytest.mark.parametrize("origin", ["jpeg", "tiff"])
def test_exiftool_reads_everything_without_complaint(origin: str, target: str, tmp_path) -> None:
    data, _ = derive(files.rich_jpeg() if origin == "jpeg" else files.rich_tiff(), target)
    path = tmp_path / f"derivative.{target}"
    path.write_bytes(data)
    output = subprocess.run(["exiftool", "-j", "-n", str(path)], capture_output=True, text=True, check=True).stdout
    tags = json.loads(output)[0]
    assert tags["ProcessingSoftware"] == MARK
    assert (tags["Make"], tags["Software"]) == ("Linhof", "ScanSoft 4.2")
    assert tags["Orientation"] == (6 if origin == "jpeg" else 8)
    assert "sRGB" in tags["ProfileDescription"]
    assert "Error" not in tags
    assert "maker" in tags.get("Warning", "maker").lower()  # the test's own maker note is of no known make
    if target in ("jpeg", "tiff", "jp2"):
        assert tags["Caption-Abstract"] == "At the beach"


def test_decoded_pixels_do_not_depend_on_metadata() -> None:
    np.testing.assert_array_equal(decode(files.rich_jpeg()).pixels, decode(files.pillow(files.rgb8(), "JPEG")).pixels)
