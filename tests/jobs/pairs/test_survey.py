"""What a survey finds in an image, and how samples are cut."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps
from skimage import data as pictures

from jobs.pairs import sample
from jobs.pairs.sample import Sample, cut_sample
from jobs.pairs.survey import stage
from jobs.pairs.survey.rows import Surveyed, rows
from jobs.pairs.survey.settings import SurveySettings
from jobs.pairs.survey.stage import Look
from jobs.spec.samples import FaceSamples, ImageSamples, TileSamples
from operators.faces.detect import DetectOptions
from operators.images.decode import decode
from operators.images.limits import Limits
from operators.images.orientation import rotate_upright
from pipeline.errors import RecordError
from pipeline.records import Artifact, Item, Record
from pipeline.stage import UnitContext

FACE = pictures.astronaut()[10:290, 90:370]


def file(pixels: np.ndarray, orientation: int = 1, **options: Any) -> bytes:
    buffer, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(buffer, format=options.pop("format", "PNG"), exif=exif, **options)
    return buffer.getvalue()


def looked(data: bytes, samples: FaceSamples | ImageSamples | TileSamples, *, people: bool = False) -> Surveyed:
    def put(record: Record, artifacts: Sequence[Artifact]) -> None:
        raise AssertionError("a survey puts nothing")

    look = Look(SurveySettings(Limits(), samples, DetectOptions(), people))
    look.setup()
    item = Item(Record("a.png", "/a.png", "1"))
    look.process(item, UnitContext(lambda record: data, put, lambda name, data: None))
    assert isinstance(item.payload, Surveyed)
    return item.payload


def test_a_face_is_measured_and_known_again() -> None:
    first = looked(file(FACE), FaceSamples(size=128), people=True)
    second = looked(file(np.ascontiguousarray(FACE[:, ::-1])), FaceSamples(size=128), people=True)
    (one,), (other,) = first.candidates, second.candidates
    assert one.sample is not None
    assert one.feature is not None
    assert other.feature is not None
    assert one.left_out == ""
    assert one.sample.kind == "face"
    assert float(one.feature @ other.feature) > 0.6
    assert np.linalg.norm(one.feature) == pytest.approx(1.0, abs=1e-5)
    assert 0.02 < (one.sharpness or 0) < 0.5


def test_whose_a_face_is_does_not_depend_on_the_size_of_the_sample() -> None:
    (small,), (large,) = (
        looked(file(FACE), FaceSamples(size=size, max_enlargement=2.0), people=True).candidates for size in (48, 256)
    )
    assert small.feature is not None
    assert large.feature is not None
    assert float(small.feature @ large.feature) > 0.99


@pytest.mark.parametrize(
    ("pixels", "samples", "reason"),
    [
        (pictures.coffee()[:200, :200], FaceSamples(size=128), "no_face"),
        (FACE, FaceSamples(size=1024), "too_small"),
        (FACE[60:], FaceSamples(size=64, min_coverage=0.97), "not_covered"),
        (pictures.coffee()[:100, :200], ImageSamples(kind="images", size=128), "too_small"),
        (pictures.coffee()[:100, :200], TileSamples(kind="tiles", size=128, step=64), "too_small"),
    ],
)
def test_why_a_sample_is_no_target(pixels: np.ndarray, samples: Any, reason: str) -> None:
    found = looked(file(pixels), samples)
    assert [candidate.left_out for candidate in found.candidates] == [reason]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_windows_lie_in_the_upright_image(orientation: int) -> None:
    data = file(np.ascontiguousarray(pictures.coffee()[:90, :130]), orientation)
    raster = decode(data, Limits())
    whole = looked(data, ImageSamples(kind="images"))
    (candidate,) = whole.candidates
    assert candidate.sample is not None
    assert (whole.width, whole.height) == (candidate.sample.width, candidate.sample.height)
    shown = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))
    assert np.array_equal(cut_sample(raster, candidate.sample), shown)
    tiles = looked(data, TileSamples(kind="tiles", size=64, step=40)).candidates
    for tile in tiles:
        assert tile.sample is not None
        assert tile.sample.window is not None
        left, top, right, bottom = tile.sample.window
        assert np.array_equal(cut_sample(raster, tile.sample), shown[top:bottom, left:right])


def test_a_tile_turns_no_more_than_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    raster = decode(file(np.ascontiguousarray(pictures.coffee()[:200, :300]), 6), Limits())
    turned: list[tuple[int, ...]] = []

    def seen(pixels: np.ndarray, orientation: int) -> np.ndarray:
        turned.append(pixels.shape[:2])
        return rotate_upright(pixels, orientation)

    monkeypatch.setattr(sample, "rotate_upright", seen)
    assert cut_sample(raster, Sample("tile", 0, 64, 48, window=(10, 20, 74, 68))).shape == (48, 64, 3)
    assert turned == [(64, 48)]


def test_tiles_say_that_somebody_is_in_the_image_who_cannot_be_named() -> None:
    tiles = TileSamples(kind="tiles", size=200, step=80)
    blurred = np.asarray(Image.fromarray(FACE).filter(ImageFilter.GaussianBlur(3)))
    for pixels, known, somebody in ((FACE, True, True), (blurred, False, True), (pictures.coffee(), False, False)):
        surveyed = looked(file(np.ascontiguousarray(pixels[:280, :280])), tiles, people=True)
        written = rows(Item(Record("a.png", "/a.png", "1"), surveyed))["candidates"]
        assert {row["feature"] is not None for row in written} == {known}
        assert {row["confidence"] is not None for row in written} == {somebody}


def test_an_image_of_endless_tiles_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "MOST_TILES", 24)
    tiles = TileSamples(kind="tiles", size=32, step=16)
    assert len(looked(file(pictures.coffee()[:80, :112]), tiles).candidates) == 4 * 6
    with pytest.raises(RecordError, match="128 x 80 pixels make 28 tiles of 32 pixels with a step of 16"):
        looked(file(pictures.coffee()[:80, :128]), tiles)


def test_landmarks_of_a_whole_image_lie_in_the_sample() -> None:
    for orientation, stored in ((1, FACE), (6, np.rot90(FACE))):
        data = file(np.ascontiguousarray(stored), orientation)
        (found,) = looked(data, ImageSamples(kind="images", size=140), people=True).candidates
        (reference,) = looked(file(FACE), FaceSamples(size=64), people=True).candidates
        assert found.sample is not None
        assert reference.sample is not None
        assert reference.sample.affine is not None
        affine = np.array(reference.sample.affine)
        aligned = np.array(reference.sample.landmarks)
        there = (aligned - affine[:, 2]) @ np.linalg.inv(affine[:, :2]).T
        expected = (there + 0.5) * 0.5 - 0.5
        assert np.abs(np.array(found.sample.landmarks) - expected).max() < 2.0


def test_perceptual_hashes_do_not_see_the_orientation() -> None:
    upright = looked(file(FACE), ImageSamples(kind="images"))
    turned = looked(file(np.ascontiguousarray(np.rot90(FACE)), 6), ImageSamples(kind="images"))
    assert (upright.perceptual_hash ^ turned.perceptual_hash).bit_count() <= 2


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "I;16", "CMYK"])
def test_every_kind_of_pixels_becomes_rgb(mode: str) -> None:
    if mode == "I;16":
        pixels = Image.fromarray((np.asarray(Image.fromarray(FACE).convert("L")).astype(np.uint16)) * 257)
    else:
        pixels = (
            Image.fromarray(FACE).convert("L").convert(mode) if mode == "LA" else Image.fromarray(FACE).convert(mode)
        )
    buffer = io.BytesIO()
    pixels.save(buffer, format="TIFF")
    (found,) = looked(buffer.getvalue(), ImageSamples(kind="images", size=64)).candidates
    assert found.sample is not None
    cut = cut_sample(decode(buffer.getvalue(), Limits()), found.sample)
    assert cut.shape == (64, 64, 3)
    assert cut.dtype == np.uint8
    grey = np.asarray(Image.fromarray(FACE).convert("L").resize((64, 64), Image.Resampling.BOX), np.float32)
    # Without a profile, inks stand for the colours of a common press, which are duller than a screen's.
    assert np.abs(cut.mean(axis=2) - grey).mean() < (40 if mode == "CMYK" else 8)


def test_samples_survive_json() -> None:
    (found,) = looked(file(FACE), FaceSamples(size=96)).candidates
    assert found.sample is not None
    assert Sample.from_dict(json.loads(json.dumps(found.sample.to_dict()))) == found.sample
    with pytest.raises(ValueError, match="either an affine or a window"):
        Sample.from_dict({**found.sample.to_dict(), "affine": None})


def test_a_window_outside_the_image_is_refused() -> None:
    raster = decode(file(FACE), Limits())
    with pytest.raises(ValueError, match="lies outside the image of 280 x 280"):
        cut_sample(raster, Sample("tile", 0, 64, 64, window=(230, 0, 294, 64)))
