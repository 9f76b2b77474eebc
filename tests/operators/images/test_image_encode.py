"""Encoding: lossless targets give every pixel back, the rest is refused or said."""

from __future__ import annotations

import io

import image_files as files
import numpy as np
import pytest
import tifffile
from PIL import Image

from operators.errors import OperatorError
from operators.images.decode import decode
from operators.images.encode import encode, target_extension
from operators.images.encoders.contract import EncodeOptions
from operators.images.probe import probe
from operators.images.raster import Raster

MARK = "facejobs 0.1.0 run 1a2b: 3 faces restored (classic)"


def refusal(raster: Raster, source: bytes | None, target: str) -> str:
    with pytest.raises(OperatorError) as caught:
        encode(raster, source, EncodeOptions(format=target))
    assert caught.value.code == "unsupported_target"
    return caught.value.message


@pytest.mark.parametrize("name", sorted(files.exact_files()))
def test_the_same_lossless_format_gives_every_pixel_back(name: str) -> None:
    data = files.exact_files()[name][0]
    raster = decode(data)
    raster.pixels[30:50, 60:90] //= 2
    for mark in (None, MARK):
        encoded = encode(raster, data, EncodeOptions(mark=mark))
        back = decode(encoded.data)
        np.testing.assert_array_equal(back.pixels, raster.pixels)
        assert (back.space, back.alpha, probe(encoded.data).format) == (raster.space, raster.alpha, probe(data).format)
        assert encoded.data == encode(raster, data, EncodeOptions(mark=mark)).data


@pytest.mark.parametrize("target", ["tiff", "png", "jp2", "webp", "jpeg"])
@pytest.mark.parametrize("space", ["gray", "rgb", "cmyk"])
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("alpha", [False, True])
def test_every_raster_is_written_whole_or_refused(target: str, space: str, depth: int, alpha: bool) -> None:
    raster = Raster(files.photo(space, depth, alpha), space, alpha=alpha)
    holds = {
        "tiff": True,
        "png": space != "cmyk",
        "jp2": space != "cmyk" and not (space == "gray" and depth == 16 and alpha),
        "webp": space != "cmyk" and depth == 8,
        "jpeg": depth == 8 and not alpha,
    }[target]
    if not holds:
        assert "cannot hold" in refusal(raster, None, target)
        return
    back = decode(encode(raster, None, EncodeOptions(format=target)).data)
    if target == "jpeg":
        assert np.abs(back.pixels.astype(int) - raster.pixels).mean() < 2
    elif target == "webp" and space == "gray":
        assert (back.pixels[:, :, :1] == raster.pixels[:, :, :1]).all() and (
            np.ptp(back.pixels[:, :, :3], 2) == 0
        ).all()
    else:
        assert back.space == space
        np.testing.assert_array_equal(back.pixels, raster.pixels)


@pytest.mark.parametrize("quality", [40, 75, 96])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_jpeg_keeps_the_sources_tables_subsampling_and_order(quality: int, subsampling: int) -> None:
    data = files.rich_jpeg(quality=quality, subsampling=subsampling, progressive=quality == 75)
    first, again = (Image.open(io.BytesIO(d)) for d in (data, encode(decode(data), data).data))
    assert first.quantization == again.quantization
    assert [layer[1:3] for layer in first.layer] == [layer[1:3] for layer in again.layer]
    assert first.info.get("progressive") == again.info.get("progressive")
    assert np.abs(np.asarray(first).astype(int) - np.asarray(again)).mean() < 1


def test_gray_and_cmyk_jpegs_stay_so() -> None:
    for space, mode in (("gray", None), ("cmyk", "CMYK")):
        data = files.pillow(files.photo(space), "JPEG", mode, quality=92)
        raster = decode(data)
        back = decode(encode(raster, data, EncodeOptions(mark=MARK)).data)
        assert back.space == space
        assert np.abs(back.pixels.astype(int) - raster.pixels).mean() < 1.5


def test_a_stated_quality_overrides_the_sources() -> None:
    data = files.rich_jpeg(quality=95)
    raster = decode(data)
    assert len(encode(raster, data, EncodeOptions(quality=30)).data) < 0.6 * len(encode(raster, data).data)


@pytest.mark.parametrize("compression", ["none", "lzw", "deflate", "packbits"])
def test_tiff_keeps_the_sources_compression(compression: str) -> None:
    data = files.vips_tiff(files.rgb8(), compression=compression)
    assert probe(data).compression == compression
    assert probe(encode(decode(data), data).data).compression == compression
    other = encode(decode(data), data, EncodeOptions(compression="lzw")).data
    assert probe(other).compression == "lzw"
    np.testing.assert_array_equal(decode(other).pixels, files.rgb8())


def test_tiff_keeps_tiles_and_bigtiff() -> None:
    data = files.vips_tiff(files.rgb8(), compression="lzw", tile=True, tile_width=64, tile_height=32, bigtiff=True)
    with tifffile.TiffFile(io.BytesIO(encode(decode(data), data).data)) as file:
        assert file.is_bigtiff
        assert (file.pages[0].tilewidth, file.pages[0].tilelength) == (64, 32)


def test_lossy_compression_in_tiff_is_not_repeated() -> None:
    data = files.vips_tiff(files.rgb8(), compression="jpeg")
    raster = decode(data)
    encoded = encode(raster, data)
    assert probe(encoded.data).compression == "deflate"
    assert any("jpeg compression was replaced by deflate" in note for note in encoded.notes)
    np.testing.assert_array_equal(decode(encoded.data).pixels, raster.pixels)


def test_multiplied_alpha_stays_so_in_tiff_and_goes_nowhere_else() -> None:
    data = files.exact_files()["tiff-multiplied-alpha"][0]
    raster = decode(data)
    with tifffile.TiffFile(io.BytesIO(encode(raster, data).data)) as file:
        assert file.pages[0].extrasamples == (tifffile.EXTRASAMPLE.ASSOCALPHA,)
    assert "multiplied" in refusal(raster, data, "png")


def test_lossy_webp_and_jpeg2000_are_said() -> None:
    lossy = files.pillow(files.rgb8(), "WEBP", quality=80)
    assert any("quality 90" in note for note in encode(decode(lossy), lossy).notes)
    wavelet = files.pillow(files.rgb8(), "JPEG2000", irreversible=True, quality_mode="dB", quality_layers=[40])
    raster, encoded = decode(wavelet), encode(decode(wavelet), wavelet)
    assert any("50 dB" in note for note in encoded.notes)
    assert not probe(encoded.data).lossless
    error = np.mean((decode(encoded.data).pixels.astype(float) - raster.pixels) ** 2)
    assert 10 * np.log10(255**2 / error) > 45


def test_a_bare_codestream_stays_bare() -> None:
    data = files.pillow(files.rgb8(), "JPEG2000", no_jp2=True)
    encoded = encode(decode(data), data, EncodeOptions(mark=MARK))
    assert encoded.data[:4] == b"\xff\x4f\xff\x51" and encoded.extension == ".j2k"
    assert any("no place for the mark" in note for note in encoded.notes)
    np.testing.assert_array_equal(decode(encoded.data).pixels, files.rgb8())


def test_what_can_only_be_read_says_what_to_write() -> None:
    data = files.avif()
    assert "png or tiff" in refusal(decode(data), data, "same")
    assert "needs a source" in refusal(decode(data), None, "same")
    np.testing.assert_array_equal(
        decode(encode(decode(data), data, EncodeOptions(format="png")).data).pixels, decode(data).pixels
    )


@pytest.mark.parametrize(
    ("name", "target", "expected"),
    [
        ("a/b.TIF", "same", ".TIF"),
        ("a/b.jpeg", "jpeg", ".jpeg"),
        ("a/b.JPG", "jpeg", ".JPG"),
        ("a/b.jpg", "tiff", ".tif"),
        ("a/b.v2.png", "webp", ".webp"),
        ("a.d/b", "png", ".png"),
        ("a.d/b", "same", ""),
    ],
)
def test_extensions(name: str, target: str, expected: str) -> None:
    assert target_extension(name, target) == expected


def test_an_unknown_target_is_refused() -> None:
    with pytest.raises(ValueError, match="expected same or one of"):
        target_extension("a.jpg", "gif")
