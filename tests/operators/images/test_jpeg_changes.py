"""A JPEG written from a JPEG: what lies outside the changed squares decodes to the very same pixels."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import image_files as files
import jpeglib
import numpy as np
import pytest
import pyvips
from PIL import Image

from operators.faces.geometry import pixel_window
from operators.images.decode import decode
from operators.images.encode import Change, EncodeOptions, encode
from operators.images.encoders import jpeg_changes, jpeg_coefficients
from operators.images.encoders.jpeg_coefficients import Coefficients, CoefficientsError
from operators.images.formats import jpeg
from operators.images.probe import probe
from operators.images.raster import Raster

TILTED = np.array([[60.3, 20.1], [120.7, 33.8], [107.0, 94.2], [46.6, 80.5]])
UPRIGHT = np.array([[90.0, 70.0], [150.0, 70.0], [150.0, 130.0], [90.0, 130.0]])


def opencv_jpeg(sampling: int) -> bytes:
    return files.opencv(files.rgb8(), ".jpg", cv2.IMWRITE_JPEG_QUALITY, 90, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling)


def adobe_rgb() -> bytes:
    """RGB components that are named 1, 2, 3, so that only Adobe's segment tells them from YCbCr."""
    data = bytearray(files.pillow(files.rgb8(), "JPEG", keep_rgb=True, quality=90))
    for marker, first, step in ((b"\xff\xc0", 10, 3), (b"\xff\xda", 5, 2)):
        at = data.index(marker)
        for index in range(3):
            data[at + first + index * step] = index + 1
    adobe = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"
    kept = [s for s in jpeg.segments(bytes(data)) if s.marker == jpeg.APP14]
    return bytes(data) if kept else bytes(data[:2]) + adobe + bytes(data[2:])


def three_tables() -> bytes:
    """A file whose third component has a table of its own, twice as coarse."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.jpg"
        path.write_bytes(files.pillow(files.rgb8(), "JPEG", quality=90, subsampling=0))
        file = jpeglib.read_dct(str(path))
        file.load()
        file.Cr = (file.Cr // 2).astype(np.int16)
        file.qt = np.stack([file.qt[0], file.qt[1], file.qt[1] * 2])
        file.quant_tbl_no = np.array([0, 1, 2])
        file.write_dct(str(path))
        return path.read_bytes()


KINDS = {
    "gray": lambda: files.pillow(files.photo("gray"), "JPEG", quality=85),
    "444": lambda: files.pillow(files.rgb8(), "JPEG", quality=95, subsampling=0),
    "422": lambda: files.pillow(files.rgb8(), "JPEG", quality=85, subsampling=1),
    "420": lambda: files.pillow(files.rgb8(), "JPEG", quality=85, subsampling=2),
    "440": lambda: opencv_jpeg(cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440),
    "411": lambda: opencv_jpeg(cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411),
    "progressive": lambda: files.pillow(files.rgb8(), "JPEG", quality=85, subsampling=2, progressive=True),
    "progressive gray": lambda: files.pillow(files.photo("gray"), "JPEG", quality=85, progressive=True),
    "rgb": lambda: files.pillow(files.rgb8(), "JPEG", quality=90, keep_rgb=True),
    "adobe rgb": adobe_rgb,
    "three tables": three_tables,
    "finest": lambda: files.pillow(files.rgb8(), "JPEG", quality=100, subsampling=0),
    "coarse": lambda: files.pillow(files.rgb8(), "JPEG", quality=8, subsampling=2),
    "coarser than 8 bits": lambda: files.pillow(files.rgb8(), "JPEG", qtables=[[16] * 63 + [300]] * 2),
    "restarts": lambda: files.pillow(files.rgb8(), "JPEG", quality=85, restart_marker_rows=1),
    "rich": lambda: files.rich_jpeg(quality=85, subsampling=2),
}


def inside(corners: np.ndarray, height: int, width: int) -> np.ndarray:
    """Pixels whose centre lies in an outline, by OpenCV's own test and not by the code under test."""
    outline = corners.astype(np.float32).reshape(-1, 1, 2)
    found = [
        [cv2.pointPolygonTest(outline, (float(x), float(y)), False) >= 0 for x in range(width)] for y in range(height)
    ]
    return np.array(found)


def expect(raster: Raster, outlines: Sequence[np.ndarray]) -> list[Change]:
    windows = [pixel_window(corners, raster.width, raster.height) for corners in outlines]
    return [Change.to_come(raster, c, w) for c, w in zip(outlines, windows, strict=True)]


def repaint(raster: Raster, outlines: Sequence[np.ndarray]) -> np.ndarray:
    """Change every pixel inside, most in the middle, and return which they are."""
    allowed = np.zeros((raster.height, raster.width), bool)
    for corners in outlines:
        allowed |= inside(corners, raster.height, raster.width)
        y, x = np.mgrid[0 : raster.height, 0 : raster.width]
        middle, side = corners.mean(axis=0), np.hypot(*(corners[1] - corners[0]))
        strength = 1 + 60 * np.exp(-((np.hypot(x - middle[0], y - middle[1]) / side * 3.5) ** 2))
        bands = np.array([1.0, 0.8, 0.6, 0.9])[: raster.pixels.shape[2]]
        sign = np.where(raster.pixels > 127, -1, 1)
        moved = np.clip(raster.pixels + sign * strength[..., None] * bands, 0, 255).round().astype(np.uint8)
        raster.pixels[...] = np.where(inside(corners, raster.height, raster.width)[..., None], moved, raster.pixels)
    return allowed


def with_pillow(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def with_opencv(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def with_libvips(data: bytes) -> np.ndarray:
    return pyvips.Image.new_from_buffer(data, "").numpy()


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / max(((one.astype(float) - other) ** 2).mean(), 1e-9)))


@pytest.mark.parametrize("outlines", [[TILTED], [UPRIGHT], [TILTED, UPRIGHT]], ids=["tilted", "upright", "overlapping"])
@pytest.mark.parametrize("kind", KINDS)
def test_outside_nothing_changes_and_inside_is_as_good_as_a_fresh_encoding(
    kind: str, outlines: list[np.ndarray]
) -> None:
    data = KINDS[kind]()
    raster = decode(data)
    changes = expect(raster, outlines)
    allowed = repaint(raster, outlines)
    encoded = encode(raster, data, None, changes)
    fresh = encode(raster, data)
    assert encoded.notes == ()
    for read in (with_pillow, with_opencv, with_libvips):
        before, after = read(data), read(encoded.data)
        assert np.array_equal(before[~allowed], after[~allowed]), read.__name__
    got, plain = decode(encoded.data).pixels, decode(fresh.data).pixels
    # The core that no block at the outline reaches.
    core = cv2.erode(allowed.astype(np.uint8), np.ones((35, 35), np.uint8)).astype(bool)
    assert core.sum() > 200
    # A fresh encoding of unusual subsampling has none. From 48 dB on, what differs is the rounding to whole levels.
    aim = 0 if fresh.notes else min(psnr(plain[core], raster.pixels[core]) - 0.5, 48)
    assert psnr(got[core], raster.pixels[core]) > aim
    assert psnr(got[core], raster.pixels[core]) > psnr(decode(data).pixels[core], raster.pixels[core]) + 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_raster_gives_the_sources_own_coefficients(kind: str) -> None:
    data = KINDS[kind]()
    raster = decode(data)
    encoded = encode(raster, data, EncodeOptions(mark="seen"), expect(raster, [TILTED]))
    assert probe(encoded.data).compression.split()[1] in (probe(data).compression.split()[1], "extended", "baseline")
    assert probe(encoded.data).compression.endswith("progressive") == probe(data).compression.endswith("progressive")
    one, other = (Coefficients(d, probe(d).compression) for d in (data, encoded.data))
    assert one.sampling == other.sampling
    for mine, theirs in zip(one.planes + one.tables, other.planes + other.tables, strict=True):
        assert np.array_equal(mine, theirs)
    assert np.array_equal(with_pillow(data), with_pillow(encoded.data))


def test_without_knowing_what_changed_the_whole_picture_is_encoded_afresh() -> None:
    data = KINDS["420"]()
    encoded = encode(decode(data), data)
    assert not np.array_equal(with_pillow(data), with_pillow(encoded.data))
    assert encoded.notes == ()


def test_a_stated_quality_encodes_afresh() -> None:
    data = KINDS["420"]()
    raster = decode(data)
    written = encode(raster, data, EncodeOptions(quality=30), expect(raster, [TILTED])).data
    assert Image.open(io.BytesIO(written)).quantization != Image.open(io.BytesIO(data)).quantization


def test_random_squares_of_any_size_at_any_place_keep_to_themselves() -> None:
    random = np.random.default_rng(7)
    kinds = ["420", "411", "444", "gray"]
    for index in range(24):
        data = KINDS[kinds[index % 4]]()
        raster = decode(data)
        side, angle = random.uniform(3, 110), random.uniform(0, np.pi)
        centre = random.uniform([-10, -10], [raster.width + 10, raster.height + 10])
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * side / 2
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) @ turn.T + centre
        corners = corners[::-1] if index % 3 == 0 else corners  # as a mirrored crop gives them
        changes = expect(raster, [corners])
        allowed = repaint(raster, [corners])
        encoded = encode(raster, data, None, changes)
        assert encoded.notes == ()
        assert np.array_equal(with_pillow(data)[~allowed], with_pillow(encoded.data)[~allowed]), (index, corners)


@pytest.mark.parametrize("kind", ["444", "420"])
def test_a_change_of_the_whole_picture_reaches_all_its_edges(kind: str) -> None:
    data = KINDS[kind]()
    raster = decode(data)
    right, bottom = raster.width - 0.5, raster.height - 0.5
    changes = expect(raster, [np.array([[-0.5, -0.5], [right, -0.5], [right, bottom], [-0.5, bottom]])])
    raster.pixels[...] = cv2.GaussianBlur(raster.pixels, (0, 0), 2) // 2 + 90
    got, fresh = decode(encode(raster, data, None, changes).data).pixels, decode(encode(raster, data).data).pixels
    for edge in (np.s_[:3], np.s_[-3:], np.s_[:, :3], np.s_[:, -3:], np.s_[:]):
        # What the source's chroma had finer than decoders show stays in the samples, so this is a little below.
        assert psnr(got[edge], raster.pixels[edge]) > psnr(fresh[edge], raster.pixels[edge]) - 4.5


def test_a_mirrored_outline_holds_the_same_pixels() -> None:
    data = KINDS["420"]()
    raster = decode(data)
    changes, mirrored = expect(raster, [TILTED]), expect(raster, [TILTED[::-1]])
    repaint(raster, [TILTED])
    written = encode(raster, data, None, changes).data
    assert written != encode(decode(data), data, None, changes).data
    assert encode(raster, data, None, mirrored).data == written


def test_coefficients_stay_within_what_huffman_codes_can_say() -> None:
    """Waves so high that decoding cuts them off, made steeper still."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.jpg"
        path.write_bytes(files.pillow(np.full((64, 64, 1), 128, np.uint8), "JPEG", quality=100))
        file = jpeglib.read_dct(str(path))
        file.load()
        file.Y[:, :, 0, 1] = 1023
        file.write_dct(str(path))
        data = path.read_bytes()
    raster = decode(data)
    changes = expect(raster, [np.array([[-0.5, -0.5], [63.5, -0.5], [63.5, 63.5], [-0.5, 63.5]])])
    raster.pixels[...] = np.where(np.arange(64) % 8 < 4, 255, 0).astype(np.uint8)[None, :, None]
    encoded = encode(raster, data, None, changes)
    assert encoded.notes == ()
    assert psnr(decode(encoded.data).pixels, raster.pixels) > 20


def test_the_order_of_faces_and_the_height_of_strips_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    data = KINDS["420"]()
    raster = decode(data)
    changes = expect(raster, [TILTED, UPRIGHT])
    repaint(raster, [TILTED, UPRIGHT])
    written = encode(raster, data, None, changes).data
    assert encode(raster, data, None, changes[::-1]).data == written
    monkeypatch.setattr(jpeg_changes, "_STRIP_PIXELS", 1)
    assert encode(raster, data, None, changes).data == written


def test_threads_do_not_mix_files_up() -> None:
    names = list(KINDS)
    sources = {name: KINDS[name]() for name in names}  # made here: some come from jpeglib, which serves one at a time

    def write(name: str) -> bytes:
        data = sources[name]
        raster = decode(data)
        changes = expect(raster, [UPRIGHT])
        raster.pixels[75:125, 95:145] //= 2
        return encode(raster, data, EncodeOptions(mark=name), changes).data

    alone = [write(name) for name in names]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(write, names)) == alone


@pytest.mark.parametrize("kind", ["rich", "adobe rgb"])
def test_segments_stay_in_their_order(kind: str) -> None:
    data = KINDS[kind]()
    raster = decode(data)
    changes = expect(raster, [TILTED])
    repaint(raster, [TILTED])
    written = encode(raster, data, EncodeOptions(mark="facejobs"), changes).data

    def kept(one: bytes) -> list[tuple[int, bytes]]:
        found = [(s.marker, s.payload) for s in jpeg.segments(one) if 0xE0 <= s.marker <= 0xEF or s.marker == jpeg.COM]
        return [(marker, payload) for marker, payload in found if not payload.startswith(jpeg.EXIF_PREFIX)]

    assert kept(written) == kept(data)
    assert b"facejobs" in (jpeg.exif_of(jpeg.segments(written)) or b"")


def test_more_segments_than_jpeglib_takes() -> None:
    data = KINDS["420"]()
    comments = b"".join(b"\xff\xfe\x00\x06" + f"{index:04}".encode() for index in range(90))
    data = data[:2] + comments + b"\xff\xff" + data[2:]
    raster = decode(data)
    encoded = encode(raster, data, None, expect(raster, [TILTED]))
    assert encoded.notes == ()
    assert [s.payload for s in jpeg.segments(encoded.data) if s.marker == jpeg.COM][89] == b"0089"


def arithmetic() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.jpg"
        path.write_bytes(KINDS["420"]())
        with jpeglib.version("turbo210"):
            file = jpeglib.read_dct(str(path))
            file.load()
            file.write_dct(str(path), flags=["+ARITH_CODE"])
        return path.read_bytes()


def test_what_cannot_be_kept_is_said_and_written_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def notes(data: bytes) -> str:
        raster = decode(data)
        encoded = encode(raster, data, None, expect(raster, [TILTED]))
        assert psnr(decode(encoded.data).pixels, raster.pixels) > 30
        return " / ".join(encoded.notes)

    cmyk = files.pillow(files.photo("cmyk"), "JPEG", "CMYK", quality=90)
    assert "encoded afresh: it has 4 components" in notes(cmyk)
    coded = arithmetic()
    assert b"\xff\xc9" in coded[:800]
    assert "is not a sequential or progressive Huffman JPEG" in notes(coded)
    scans = KINDS["progressive"]()
    table = next(s.payload for s in jpeg.segments(scans) if s.marker == 0xDB)
    second = scans.index(b"\xff\xc4", scans.index(b"\xff\xda"))
    again = b"\xff\xdb\x00\x43" + bytes([table[0]]) + bytes(64 * [7])
    assert "tables change between scans" in notes(scans[:second] + again + scans[second:])
    with monkeypatch.context() as patch:
        patch.setattr(jpeg_coefficients, "_MOST_SAMPLES", 40_000)
        assert "samples, more than the 40000" in notes(KINDS["420"]())
    with monkeypatch.context() as patch:
        patch.setattr(jpeg_coefficients, "jpeglib", None)
        assert "jpeglib is not installed" in notes(KINDS["420"]())


def test_what_follows_the_picture_and_lies_between_its_scans_does_no_harm() -> None:
    data = KINDS["progressive"]()
    second = data.index(b"\xff\xc4", data.index(b"\xff\xda"))
    data = data[:second] + b"\xff\xfe\x00\x06card" * 30 + data[second:] + KINDS["444"]()
    raster = decode(data)
    changes = expect(raster, [TILTED])
    allowed = repaint(raster, [TILTED])
    encoded = encode(raster, data, None, changes)
    assert encoded.notes == ()
    assert np.array_equal(with_pillow(data)[~allowed], with_pillow(encoded.data)[~allowed])
    assert not np.array_equal(with_pillow(data), with_pillow(encoded.data))


def test_a_file_that_does_not_hold_what_it_should_is_not_handed_out() -> None:
    data = KINDS["420"]()
    coefficients = Coefficients(data, "jpeg baseline")
    coefficients.planes = tuple(plane + np.int16(1) for plane in coefficients.planes)  # of which jpeglib knows nothing
    with pytest.raises(CoefficientsError, match="other coefficients"):
        coefficients.write()


def test_nothing_is_left_in_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    data = KINDS["progressive"]()
    raster = decode(data)
    assert encode(raster, data, None, expect(raster, [TILTED])).notes == ()
    assert list(tmp_path.iterdir()) == []
