"""A whole picture through a network: its size, depth, colours, opacity and tone, and what lies on disk meanwhile."""

from __future__ import annotations

import errno
import os
import tempfile
from typing import Any

import cv2
import numpy as np
import psutil
import pytest
from PIL import Image
from skimage.data import astronaut

from operators.background import scratch
from operators.background import treat as treat_module
from operators.background.canvas import Canvas, Shown, window_of
from operators.background.resampled import resampled
from operators.background.scratch import room
from operators.background.tone import tone_of
from operators.background.treat import Treatment, treat
from operators.errors import OperatorError
from operators.faces.tone import colour_evidence
from operators.images.raster import Raster, Space

PHOTO = np.ascontiguousarray(astronaut()[20:170, 120:323])
HEIGHT, WIDTH = PHOTO.shape[:2]


def raster(space: Space = "rgb", depth: int = 8, alpha: bool = False, pixels: np.ndarray = PHOTO) -> Raster:
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[:, :, None]
    bands = {"rgb": pixels, "gray": gray, "cmyk": np.dstack([255 - pixels, gray // 3])}[space]
    if alpha:
        bands = np.dstack([bands, np.tile(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, 1))])
    if depth == 16:
        low = (np.arange(bands.size, dtype=np.uint32) * 7919 % 256).reshape(bands.shape).astype(np.uint16)
        bands = bands.astype(np.uint16) << 8 | low
    return Raster(np.ascontiguousarray(bands), space, alpha, orientation=6, icc=b"profile" if space == "rgb" else None)


def brighter(times: int, tile: int = 64) -> Any:
    """A network that repeats pixels and takes half the way to white, in tiles written from the last to the first."""

    def enlarge(source: Any, target: Any) -> None:
        height, width = source.shape[:2]
        assert target.shape == (height * times, width * times, 3)
        for top in reversed(range(0, height, tile)):
            for left in reversed(range(0, width, tile)):
                seen = source[top : top + tile, left : left + tile]
                made = (np.repeat(np.repeat(seen, times, 0), times, 1) + 1) / 2
                y, x = top * times, left * times
                target[y : y + made.shape[0], x : x + made.shape[1]] = made

    return enlarge


@pytest.mark.parametrize("size", [(406, 300), (609, 450), (203, 150), (101, 75), (305, 170)])
def test_windows_of_a_resampled_picture_are_parts_of_the_whole(size: tuple[int, int]) -> None:
    for dtype in (np.uint8, np.uint16):
        pixels = PHOTO.astype(dtype) * (257 if dtype == np.uint16 else 1)
        whole = np.stack(
            [
                np.asarray(Image.fromarray(pixels[..., band].astype(np.float32)).resize(size, Image.Resampling.LANCZOS))
                for band in range(3)
            ],
            axis=-1,
        )
        tolerance = 1e-5 * np.iinfo(dtype).max
        for window in ((0, 0, *size), (0, 0, 37, 21), (50, 30, 51, 31), (60, 40, size[0], size[1])):
            left, top, right, bottom = window
            part = resampled(pixels, size, window)
            assert part.shape == (bottom - top, right - left, 3)
            assert np.abs(part - whole[top:bottom, left:right]).max() < tolerance


@pytest.mark.parametrize("times", [2, 3, 4])
def test_a_pixel_lies_where_the_half_pixel_convention_puts_it(times: int) -> None:
    ramp = np.tile(np.arange(40, dtype=np.float32), (30, 1))[..., None]
    size = (40 * times, 30 * times)
    row = resampled(ramp, size, (0, 0, *size))[5, 8 * times : -8 * times, 0]
    expected = (np.arange(40 * times) + 0.5) / times - 0.5
    assert row == pytest.approx(expected[8 * times : -8 * times], abs=0.02)


@pytest.mark.parametrize("space", ["rgb", "gray", "cmyk"])
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("alpha", [False, True])
def test_depth_space_and_opacity_are_those_of_the_source(space: Space, depth: int, alpha: bool) -> None:
    source = raster(space, depth, alpha)
    before = source.pixels.copy()
    made = treat(source, brighter(2), 2, Treatment()).raster
    assert (source.pixels == before).all()
    assert (made.width, made.height) == (2 * WIDTH, 2 * HEIGHT)
    assert (made.space, made.alpha, made.orientation, made.icc) == (space, alpha, 6, source.icc)
    assert made.pixels.dtype == source.pixels.dtype
    full = source.full_scale
    if space != "cmyk":
        bands = 3 if space == "rgb" else 1
        exact = np.repeat(np.repeat((source.pixels[..., :bands] / full + 1) / 2 * full, 2, 0), 2, 1)
        assert np.abs(made.pixels[..., :bands] - exact).max() <= 0.5 + full * 1e-6
    if depth == 16:
        assert len(np.unique(made.pixels[..., 0] & 255)) > 100  # the low byte is in use
    if alpha:
        plain = resampled(source.pixels[..., -1:], (2 * WIDTH, 2 * HEIGHT), (0, 0, 2 * WIDTH, 2 * HEIGHT))
        assert (made.pixels[..., -1:] == np.clip(np.rint(plain), 0, full)).all()
        assert made.pixels[..., -1].min() == 0 and made.pixels[..., -1].max() == full


def test_inks_show_what_the_network_made() -> None:
    source = raster("cmyk", 16)
    made = treat(source, brighter(2), 2, Treatment()).raster
    wanted = np.repeat(np.repeat((Shown(source)[:, :] + 1) / 2, 2, 0), 2, 1)
    assert np.abs(Shown(made)[:, :] - wanted).mean() < 0.01
    plain = treat(source, brighter(2), 2, Treatment(strength=0.0)).raster.pixels
    assert (plain == np.clip(np.rint(resampled(source.pixels, (406, 300), (0, 0, 406, 300))), 0, 65535)).all()


def test_strength_leads_from_the_plain_picture_to_the_networks() -> None:
    source = raster()
    plain = np.clip(np.rint(resampled(PHOTO, (406, 300), (0, 0, 406, 300))), 0, 255)
    none, half, full = (
        treat(source, brighter(2), 2, Treatment(strength=strength)).raster.pixels.astype(float)
        for strength in (0.0, 0.5, 1.0)
    )
    assert (none == plain).all()
    assert np.abs(half - (plain + full) / 2).max() <= 1.0
    assert np.abs(full - plain).mean() > 20


@pytest.mark.parametrize("scale", [1.0, 2.0, 3.0, 2.5])
def test_a_smaller_scale_reduces_what_the_network_made(scale: float) -> None:
    source = raster()
    made = treat(source, brighter(4), 4, Treatment(scale=scale)).raster.pixels
    size = (round(WIDTH * scale), round(HEIGHT * scale))
    assert made.shape == (size[1], size[0], 3)
    whole = ((np.repeat(np.repeat(PHOTO / 255, 4, 0), 4, 1) + 1) / 2 * 255).astype(np.float32)
    expected = np.stack(
        [np.asarray(Image.fromarray(whole[..., band]).resize(size, Image.Resampling.LANCZOS)) for band in range(3)], -1
    )
    assert np.abs(made - np.clip(expected, 0, 255)).max() <= 1.0


@pytest.mark.parametrize("scale", [0.5, 4.5])
def test_a_scale_beyond_the_networks_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match=r"expected 1 to 4"):
        treat(raster(), brighter(4), 4, Treatment(scale=scale))


@pytest.mark.parametrize("scale", [None, 1.5])
def test_what_lies_on_disk_comes_out_the_same_and_leaves_nothing_behind(
    scale: float | None, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for space in ("rgb", "gray"):
        source = raster(space, 16, alpha=True)
        held = treat(source, brighter(2), 2, Treatment(scale=scale)).raster.pixels
        kept = treat(source, brighter(2), 2, Treatment(scale=scale, memory=1000)).raster.pixels
        assert not isinstance(held, np.memmap) and isinstance(kept, np.memmap)
        assert (held == kept).all()
        kept[:5] = 7  # it can be written to, as pasting does
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("scale", [None, 2.0])
def test_memory_does_not_grow_with_what_lies_on_disk(scale: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "RESIDENT_BYTES", 2**21)
    source = Raster(np.ascontiguousarray(np.tile(PHOTO, (5, 4, 1))), "rgb")
    seen: list[int] = []
    process = psutil.Process()

    class Watched(Canvas):
        def write(self, window: Any, made: np.ndarray) -> None:
            super().write(window, made)
            seen.append(process.memory_info().rss)

    monkeypatch.setattr(treat_module, "Canvas", Watched)
    treat(raster(), brighter(4), 4, Treatment(scale=scale, memory=0))  # what is loaded on the first time
    seen.clear()
    before = process.memory_info().rss
    kept = treat(source, brighter(4), 4, Treatment(scale=scale, memory=0)).raster.pixels
    assert isinstance(kept, np.memmap) and kept.nbytes > 6 * 2**20
    # Measured 6 and 38 MiB; 27 and 80 where nothing is let go of.
    assert max(seen) - before < (16 if scale is None else 58) * 2**20


def test_a_full_disk_is_an_error_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match=r"no room for 1\.0 GiB.*TMPDIR") as caught:
        room((1024, 1024, 1024), np.uint8)
    assert caught.value.errno == errno.ENOSPC


def sepia(stain: bool = False) -> np.ndarray:
    luma = cv2.cvtColor(PHOTO, cv2.COLOR_RGB2GRAY)[..., None] / 255.0
    tone = np.array([1.0, 0.86, 0.68])
    if stain:
        x = np.linspace(0, 1, WIDTH)[None, :, None]
        tone = tone * (1 - x) + np.array([1.0, 0.93, 0.86]) * x
    return np.rint(255 * np.clip(luma * tone, 0, 1)).astype(np.uint8)


def tinted(times: int) -> Any:
    """A network that paints everything it sees a little red."""

    def enlarge(source: Any, target: Any) -> None:
        for top in range(0, source.shape[0], 50):
            for left in range(0, source.shape[1], 70):
                made = np.repeat(np.repeat(source[top : top + 50, left : left + 70], times, 0), times, 1)
                y, x = top * times, left * times
                target[y : y + made.shape[0], x : x + made.shape[1]] = made * [1.0, 0.7, 0.7]

    return enlarge


@pytest.mark.parametrize("stain", [False, True], ids=["even", "stained"])
def test_a_picture_of_one_tone_keeps_it_unless_asked(stain: bool) -> None:
    source = raster(pixels=sepia(stain))
    made = treat(source, tinted(2), 2, Treatment())
    free = treat(source, tinted(2), 2, Treatment(keep_tone=False))
    assert (made.toned, free.toned) == (True, False)
    assert colour_evidence(made.raster.pixels) < 1.0
    plain = resampled(source.pixels, (406, 300), (0, 0, 406, 300))
    # Red to green and blue to green, place by place: what the tone is whatever the light.
    each_one = plain, made.raster.pixels, free.raster.pixels
    tones = [cv2.blur(np.asarray(each, np.float32), (41, 41)) for each in each_one]
    ratios = [each[..., ::2] / each[..., 1:2] for each in tones]
    kept, changed = (np.abs(each - ratios[0]).max(axis=(0, 2)) for each in ratios[1:])
    # Column by column: a stain goes across the picture and must not begin anew in each tile.
    assert kept.max() < 0.1
    assert changed.min() > 0.2


def test_gray_in_three_bands_stays_gray_and_colour_stays_colour() -> None:
    gray = raster(pixels=np.repeat(cv2.cvtColor(PHOTO, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2))
    made = treat(gray, tinted(2), 2, Treatment()).raster.pixels
    assert (made[..., 0] == made[..., 1]).all() and (made[..., 0] == made[..., 2]).all()
    colour = treat(raster(), tinted(2), 2, Treatment())
    assert not colour.toned
    assert colour.raster.pixels[..., 1].mean() < 0.8 * PHOTO[..., 1].mean()


def test_a_gray_file_stays_gray_or_takes_colours_where_asked() -> None:
    source = raster("gray", alpha=True)
    kept = treat(source, tinted(2), 2, Treatment()).raster
    free = treat(source, tinted(2), 2, Treatment(keep_tone=False)).raster
    luma = 0.299 + 0.7 * (0.587 + 0.114)
    assert kept.space == "gray" and kept.pixels[..., 0].mean() == pytest.approx(
        luma * source.pixels[..., 0].mean(), rel=0.01
    )
    assert free.space == "rgb" and free.alpha
    assert free.pixels[..., 0].mean() > 1.3 * free.pixels[..., 1].mean()


def test_a_tone_is_the_same_in_any_cut_of_the_picture() -> None:
    tone = tone_of(sepia(stain=True))
    assert tone is not None
    size = (WIDTH, HEIGHT)
    made = np.asarray(PHOTO / 255, np.float32)
    whole = tone.put_on(made, (0, 0, *size), size)
    for window in ((0, 0, 50, 40), (120, 90, 203, 150), (61, 7, 62, 8)):
        left, top, right, bottom = window
        part = tone.put_on(made[top:bottom, left:right], window, size)
        assert np.abs(part - whole[top:bottom, left:right]).max() < 1e-4


def test_a_network_that_makes_no_numbers_is_found() -> None:
    def broken(_: Any, target: Any) -> None:
        target[0:4, 0:4] = np.full((4, 4, 3), np.nan, np.float32)

    for wanted in (Treatment(), Treatment(scale=1.0)):
        with pytest.raises(OperatorError, match="NaN") as caught:
            treat(raster(), broken, 2, wanted)
        assert caught.value.code == "not_finite"


def test_only_windows_can_be_looked_at_and_written() -> None:
    shown = Shown(raster())
    assert shown.shape == (HEIGHT, WIDTH, 3)
    assert shown[:, :].shape == shown.shape
    assert shown[10:20, 5:9].shape == (10, 4, 3)
    assert shown[10:20, 5:9].max() <= 1.0
    canvas = Canvas(raster(), np.zeros_like(PHOTO))
    for index in ((slice(0, 8, 2), slice(None)), (3, slice(None)), (slice(None), slice(None), 1)):
        with pytest.raises(IndexError):
            canvas[index] = np.zeros((4, 4, 3), np.float32)
    assert window_of((slice(2, 5), slice(None), slice(None)), shown.shape) == (0, 2, WIDTH, 5)
