"""First stage: from a file's bytes to faces and their crops."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

from jobs.opencv import settle_opencv
from jobs.per_thread import PerThread
from jobs.restore.aligned import aligned_face
from jobs.restore.holes import hole_of
from jobs.restore.placing import cut_from, in_source
from jobs.restore.samples import SCORED_SIDE, fitted
from jobs.restore.settings import RestoreSettings
from jobs.restore.work import FaceWork, ImageWork
from operators.faces.align import align, choose_size
from operators.faces.detect import Detector
from operators.faces.face import Affine, Detection
from operators.faces.geometry import compose, magnification, transform
from operators.faces.tone import colour_evidence
from operators.images.decode import decode
from operators.images.info import ImageInfo
from operators.images.limits import Limits
from operators.images.orientation import stored_to_upright
from operators.images.probe import probe
from operators.images.raster import Raster
from operators.images.reduce import Reduced, decode_reduced, reduce_raster
from operators.restorers.contract import RestorerInfo
from operators.scoring.scorer import Scorer
from pipeline.records import Item
from pipeline.stage import UnitContext

DIRECT_BYTES = 48 * 2**20
"""Decoded size up to which an image is decoded once and reduced in memory, rather than first as a reduced view."""


class Examine:
    """Reads, decodes, finds faces, cuts crops. A large image in which no face is found is never decoded in full."""

    name = "examine"

    def __init__(self, settings: RestoreSettings, info: RestorerInfo) -> None:
        self._settings = settings
        self._info = info
        self._detectors = PerThread(lambda: Detector(settings.detect))
        self._scorer = Scorer(settings.score)

    def setup(self) -> None:
        """Keep OpenCV to one thread: workers are processes, and results must not depend on the machine's size."""
        settle_opencv()

    def process(self, item: Item, context: UnitContext) -> None:
        """Set the item's payload to an `ImageWork` with its faces."""
        work = opened(item, context, self._settings.limits)
        info = work.info
        view = self._view(work)
        self._find(work, view)
        if self._settings.holes is not None and any(face.crop is not None for face in work.faces):
            key = item.record.key
            mask = self._settings.holes.read(key, info, self._settings.limits, context.waiting(key))
            work.mask = {"uri": mask.uri, "sha256": mask.sha256} if mask is not None else None
            for face in work.faces:
                if face.crop is not None:
                    face.hole = hole_of(mask, face.crop, info)
        if self._settings.missing is not None:
            self._settings.missing.mark(item.record, work, self._settings.limits, context.waiting)
        if self._settings.networks is not None and work.space != "gray" and any(face.crop for face in work.faces):
            work.colour = colour_evidence(fitted(view.pixels, SCORED_SIDE))
        if work.found_in is not None:
            assert work.raster is not None
            view = self._reduced(work.raster)
        work.before = work.after = self._scorer.score_image(fitted(view.pixels, SCORED_SIDE))
        item.payload = work

    def _view(self, work: ImageWork) -> Reduced:
        """What candidates are looked for in."""
        if work.found_in is not None:
            return self._reduced(work.found_in)
        info = work.info
        scale = self._detectors.get().needed_scale(info.width, info.height)
        if scale >= 1.0 or info.width * info.height * info.bytes_per_pixel <= DIRECT_BYTES:
            assert work.data is not None
            work.raster = work.raster or decode(work.data, self._settings.limits)
            return reduce_raster(work.raster, scale)
        assert work.data is not None
        return decode_reduced(work.data, scale, self._settings.limits)

    def _reduced(self, raster: Raster) -> Reduced:
        return reduce_raster(raster, self._detectors.get().needed_scale(raster.width, raster.height))

    def _find(self, work: ImageWork, view: Reduced) -> None:
        """Candidates on the view, the rest in full resolution, decoded only when there is something to look at."""
        picture = work.found_in
        info = work.info if picture is None else replace(work.info, width=picture.width, height=picture.height)

        def full() -> Raster:
            if picture is not None:
                return picture
            if work.raster is None:
                assert work.data is not None
                work.raster = decode(work.data, self._settings.limits)
            return work.raster

        if self._settings.aligned:
            work.faces.append(self._cut(*aligned_face(info, self._info), full, work.to_found_in))
            return
        scale = (view.scale_x, view.scale_y)
        for found in self._detectors.get().find(full, view.pixels, scale, work.info.orientation):
            work.faces.append(self._cut(found, *self._placed(found, info), full, work.to_found_in))

    def _placed(self, found: Detection, info: ImageInfo) -> tuple[Affine, int]:
        """Where the face's crop lies, and its side."""
        template, landmarks = self._info.template, found.landmarks
        upright = stored_to_upright(info.width, info.height, info.orientation, found.turn)
        size = choose_size(self._info.sizes, landmarks, template, upright)
        return align(landmarks, template, size, upright), size

    def _cut(
        self, found: Detection, affine: Affine, size: int, full: Callable[[], Raster], to_picture: Affine | None
    ) -> FaceWork:
        """Cut the crop, unless the face is larger than the restorer may shrink it; all is told in source pixels."""
        if to_picture is not None:
            found, affine = in_source(found, to_picture), compose(to_picture, affine)
        face = FaceWork(found)
        if self._settings.guard.decide(1.0 / magnification(affine)) == "keep_larger":
            face.status, face.reason = "kept", "larger_than_model"
            return face
        face.crop = cut_from(full(), affine, size, to_picture)
        face.landmarks = transform(found.landmarks, affine)
        return face


def opened(item: Item, context: UnitContext, limits: Limits) -> ImageWork:
    """What is known of an item's image so far; of one that no stage has looked at, what its header says."""
    if isinstance(item.payload, ImageWork):
        return item.payload
    data = context.read(item.record)
    return ImageWork(probe(data, limits), hashlib.sha256(data).hexdigest(), len(data), data=data)
