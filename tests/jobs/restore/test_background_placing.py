"""Faces between the source's grid and that of a picture made from it; and workers that keep whole pictures together."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from jobs.restore.placing import cut_from, in_source, on_picture
from jobs.restore.recall import recall_crops
from jobs.restore.work import BackgroundWork, FaceWork, ImageWork
from operators.faces.align import cut
from operators.faces.face import Detection
from operators.faces.geometry import compose, magnification, scaling, transform, translation
from operators.faces.within import Within
from operators.images.info import ImageInfo
from operators.images.limits import Limits
from operators.images.raster import Raster
from pipeline.errors import RunnerError
from pipeline.records import Record
from pipeline.runners.pools import Room, pools_for
from pipeline.stage import Resources, Segment, UnitContext, Workflow

PHOTO = np.ascontiguousarray(astronaut()[:256, :256])
SMALL = Raster(cv2.resize(PHOTO, (128, 128), interpolation=cv2.INTER_AREA), "rgb")
LARGE = Raster(PHOTO, "rgb")
TO_LARGE = scaling(2.0)
TURNED = compose(translation(-60, -50), np.array([[0.8, 0.6, 0.0], [-0.6, 0.8, 0.0]]), translation(32, 32))
"""From pixels of the small picture to those of a crop, at its own scale."""
FOUND = Detection((0.0, 0.0, 9.0, 9.0), np.zeros((5, 2)), 0.9)
CONTEXT = UnitContext(read=lambda record: b"", put=lambda record, artifacts: None, keep_sample=lambda name, data: None)


def test_a_crop_of_the_larger_picture_shows_the_same_square() -> None:
    small, large = cut_from(SMALL, TURNED, 64, None), cut_from(LARGE, TURNED, 64, TO_LARGE)
    assert (small.pixels == cut(SMALL, TURNED, 64).pixels).all()
    for crop in (small, large):
        assert (crop.affine == TURNED).all() and crop.size == 64
        assert crop.reduction == pytest.approx(1 / magnification(TURNED))
    # The small picture is the large one averaged over 2 x 2, so that their crops differ in sharpness alone: a shift of
    # half a pixel would be six times as much.
    shifted = cut(SMALL, compose(translation(0.5, 0.5), TURNED), 64)
    near = np.abs(cv2.GaussianBlur(large.pixels, (0, 0), 1) - cv2.GaussianBlur(small.pixels, (0, 0), 1)).mean()
    far = np.abs(cv2.GaussianBlur(shifted.pixels, (0, 0), 1) - cv2.GaussianBlur(small.pixels, (0, 0), 1)).mean()
    assert near < far / 6


def test_a_face_found_in_the_larger_picture_is_told_in_the_sources_pixels() -> None:
    landmarks = np.array([[40.0, 50], [60, 50], [50, 60], [42, 70], [58, 70]])
    found = Detection((30.0, 35.0, 70.0, 90.0), landmarks, 0.9, 2)
    box = transform(np.array([[30.0, 35.0], [70.0, 90.0]]), TO_LARGE).ravel()
    there = Detection(tuple(box.tolist()), transform(landmarks, TO_LARGE), 0.9, 2)
    back = in_source(there, TO_LARGE)
    assert back.landmarks == pytest.approx(landmarks)
    assert back.box == pytest.approx(found.box)
    assert (back.confidence, back.turn) == (0.9, 2)


def test_what_is_pasted_knows_what_the_larger_picture_shows_there() -> None:
    face = FaceWork(FOUND, crop=cut(SMALL, TURNED, 64))
    placed = on_picture(face, LARGE, TO_LARGE)
    assert placed.crop is not None
    assert (placed.crop.pixels == cut_from(LARGE, TURNED, 64, TO_LARGE).pixels).all()
    corner = np.array([[10.0, 20.0]])
    assert transform(transform(corner, TO_LARGE), placed.crop.affine) == pytest.approx(transform(corner, TURNED))
    assert face.crop is not None and (face.crop.affine == TURNED).all()


def test_crops_that_were_let_go_of_are_cut_out_of_the_same_picture_again() -> None:
    crop = cut_from(LARGE, TURNED, 64, TO_LARGE)
    work = ImageWork(ImageInfo("png", 128, 128, 8, "rgb", False), "", 0, raster=SMALL)
    work.background = BackgroundWork((256, 256), first=True, raster=LARGE)
    work.faces = [FaceWork(FOUND, crop=crop, restored=crop.pixels)]
    work.release()
    assert work.made is LARGE and work.raster is None
    assert work.faces[0].crop is not None and work.faces[0].crop.pixels.size == 0
    recall_crops(Record("a", "a", "1"), work, CONTEXT, Limits())
    assert (work.faces[0].crop.pixels == crop.pixels).all()
    work.background.first = False
    work.release()
    assert work.made is None


@pytest.mark.parametrize("times", [1.0, 2.0, 3.0, 1.5])
def test_pixels_that_may_be_written_grow_with_the_picture(times: float) -> None:
    region = np.random.default_rng(4).random((20, 30)) > 0.6
    face = FaceWork(FOUND, crop=cut(SMALL, TURNED, 64))
    face = replace(face, within=Within.of(region, (50, 40, 80, 60)))
    side = round(128 * times)
    picture = Raster(np.zeros((side, side, 3), np.uint8), "rgb")
    placed = on_picture(face, picture, scaling(times))
    assert placed.within is not None
    mask = placed.within.inside((0, 0, side, side))
    whole = np.zeros((128, 128), np.bool_)
    whole[40:60, 50:80] = region
    source = np.floor((np.arange(side) + 0.5) / times).astype(int)
    assert (mask == whole[np.ix_(source, source)]).all()


def workflow(together: bool) -> Workflow:
    gpu = Segment("middle", (), Resources(gpus=1.0))
    plain = Segment("plain", (), Resources())
    return Workflow(plain, gpu, plain, lambda item: {}, lambda item: {}, {}, together)


def test_workers_that_hand_on_whole_pictures_are_one() -> None:
    room = Room(cpus=32, gpus=1)
    assert len(pools_for(workflow(False), "auto", room, None, 9)) == 3
    (fused,) = pools_for(workflow(True), "auto", room, None, 9)
    assert fused.segments == (0, 1, 2)
    with pytest.raises(RunnerError, match="auto or fused"):
        pools_for(workflow(True), "staged", room, None, 9)
