"""Last stage: faces pasted back, the image encoded with its metadata, its record written beside it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from jobs.opencv import settle_opencv
from jobs.per_thread import PerThread
from jobs.restore.background_record import background_mark
from jobs.restore.hide import Hider, sealed_record
from jobs.restore.missing import opaque
from jobs.restore.placing import on_picture
from jobs.restore.recall import raster_of, source_bytes
from jobs.restore.record import Origin, Written, image_record, to_json
from jobs.restore.samples import SCORED_SIDE, VIEW_SIDE, Sampler, fitted
from jobs.restore.settings import RestoreSettings
from jobs.restore.work import FaceWork, ImageWork
from operators.faces.geometry import invert, pixel_window, square_corners, transform
from operators.faces.mask import face_mask
from operators.faces.paste import Patch, paste
from operators.images.colour import to_rgb
from operators.images.encode import Change, encode
from operators.images.raster import Raster
from operators.images.reduce import reduce_raster
from operators.scoring.scorer import Scorer
from operators.sealing.content import Content
from pipeline.records import Artifact, Item, Record
from pipeline.stage import UnitContext


class Compose:
    """Makes the derivative. An image that no face changes is copied byte for byte where its format stays."""

    name = "compose"

    def __init__(self, settings: RestoreSettings, origin: Origin, sampler: Sampler) -> None:
        self._settings = settings
        self._origin = origin
        self._sampler = sampler
        self._scorer = Scorer(settings.score)
        self._hiders = PerThread(lambda: Hider(settings)) if settings.anonymity is not None else None

    def setup(self) -> None:
        """Nothing to load: whole images are scored without networks."""
        settle_opencv()
        if self._hiders is not None:
            self._hiders.get()

    def process(self, item: Item, context: UnitContext) -> None:
        """Put the image and its record; afterwards the item holds only what the ledger wants of it."""
        work: ImageWork = item.payload
        record = item.record
        data = source_bytes(record, work, context)
        name = self._settings.name(record)
        content = None
        if self._hiders is not None:
            image, notes, content = self._hidden(record, work, data, context, self._hiders.get())
        else:
            image, notes = self._derivative(record, work, data, context)
            for face in work.faces:
                face.shape = self._shape(face)
        target = work.info.format if self._settings.encode.format == "same" else self._settings.encode.format
        work.row = image_record(record, work, self._origin, Written(name, image, target, notes))
        row = work.row
        if content is not None and self._settings.anonymity is not None and self._settings.anonymity.passcode:
            row = sealed_record(row, content, self._settings.anonymity.passcode)
        context.put(record, [Artifact(name, "image", image), Artifact(f"{name}.json", "record", to_json(row))])
        work.release()
        if work.background is not None:
            work.background.raster = None
        for face in work.faces:
            face.crop = face.restored = face.mask = None

    def _hidden(
        self, record: Record, work: ImageWork, data: bytes, context: UnitContext, hider: Hider
    ) -> tuple[bytes, tuple[str, ...], Content | None]:
        """The same of a picture in which faces are hidden, and what its seal holds. No sample shows how it was."""
        mark = None
        if work.faces and self._settings.mark:
            restorer = self._origin.restorer
            mark = f"facejobs {self._origin.version}: faces hidden by {restorer.name} {restorer.version}"
        hidden = hider.hide(record, work, data, context, replace(self._settings.encode, mark=mark))
        if hidden.view is not None:
            work.after = self._scorer.score_image(fitted(hidden.view, SCORED_SIDE))
        return hidden.data, hidden.notes, hidden.content

    def _derivative(
        self, record: Record, work: ImageWork, data: bytes, context: UnitContext
    ) -> tuple[bytes, tuple[str, ...]]:
        """The derivative's bytes, and what could not be carried over."""
        if work.made is not None:
            return self._over(work.made, record, work, data, context)
        pasted = [face for face in work.faces if face.status in ("restored", "flagged")]
        same = self._settings.encode.format in ("same", work.info.format)
        if not pasted and same:
            return data, ()
        raster = raster_of(record, work, context, self._settings.limits)
        if pasted and self._settings.colours and raster.space == "gray":
            raster = to_rgb(raster)
        scale = min(1.0, VIEW_SIDE / max(raster.width, raster.height))
        sampled = bool(pasted) and self._sampler.wants(record.key)
        before = reduce_raster(raster, scale).pixels if sampled else None
        changes = _changes(raster, pasted)
        if pasted and not self._paste(raster, pasted):
            _settle_unchanged(pasted)
            pasted = []
            if same:
                return data, ()
        if pasted:
            after = reduce_raster(raster, scale).pixels
            work.after = self._scorer.score_image(fitted(after, SCORED_SIDE))
            if before is not None:
                self._sampler.keep(record.key, work, before, after, context)
        encoded = encode(raster, data, replace(self._settings.encode, mark=self._mark(pasted)), changes)
        return encoded.data, encoded.notes

    def _over(
        self, made: Raster, record: Record, work: ImageWork, data: bytes, context: UnitContext
    ) -> tuple[bytes, tuple[str, ...]]:
        """The same where the whole picture was made anew: restored faces are pasted over that."""
        restored = [face for face in work.faces if face.status in ("restored", "flagged")]
        pasted = [face for face in restored if self._settings.strength > 0.0 and _differs(face)]
        _settle_unchanged([face for face in restored if face not in pasted])
        if pasted and self._settings.colours and made.space == "gray":
            made = to_rgb(made)
        if pasted:
            self._paste(made, [on_picture(face, made, work.to_made) for face in pasted])
        after = reduce_raster(made, min(1.0, VIEW_SIDE / max(made.width, made.height))).pixels
        work.after = self._scorer.score_image(fitted(after, SCORED_SIDE))
        if self._sampler.wants(record.key):
            source = raster_of(record, work, context, self._settings.limits)
            before = reduce_raster(source, min(1.0, VIEW_SIDE / max(source.width, source.height))).pixels
            self._sampler.keep(record.key, work, before, after, context)
        mark = background_mark(work, pasted, self._origin) if self._settings.mark else None
        encoded = encode(made, data, replace(self._settings.encode, mark=mark))
        return encoded.data, encoded.notes

    def _paste(self, raster: Raster, faces: list[FaceWork]) -> int:
        """Paste faces; returns how many pixels are others than before."""
        patches = []
        for face in faces:
            assert face.crop is not None and face.restored is not None and face.landmarks is not None
            mask = self._mask(face) * np.float32(self._settings.strength)
            patches.append(Patch(face.crop, face.restored, mask, face.within))
        missing = self._settings.missing
        # What is missing has no fine detail of its own that should stay.
        changed = paste(raster, patches, "auto" if missing is None else "replace").changed_pixels
        if changed and missing is not None and missing.source == "alpha":
            opaque(raster, faces)
        return changed

    def _mask(self, face: FaceWork) -> NDArray[np.float32]:
        """Where the restored crop takes the place of the original: (S, S) float32 in [0, 1]."""
        assert face.crop is not None and face.landmarks is not None
        if face.mask is not None:
            return np.asarray(face.mask / np.float32(255), np.float32)
        if self._settings.shape == "whole":
            return np.ones((face.crop.size, face.crop.size), np.float32)
        return face_mask(face.landmarks, face.crop.size)

    def _shape(self, face: FaceWork) -> str:
        """What the mask of a restored face follows; a face whose shape was not seen got the oval."""
        if face.restored is None:
            return ""
        return "landmarks" if self._settings.shape == "parsing" and face.mask is None else self._settings.shape

    def _mark(self, pasted: list[FaceWork]) -> str | None:
        """What a changed image says of itself; nothing that differs between two runs of the same job."""
        if not pasted or not self._settings.mark:
            return None
        count = f"{len(pasted)} face{'s' if len(pasted) > 1 else ''}"
        restorer = self._origin.restorer
        return f"facejobs {self._origin.version}: {count} restored by {restorer.name} {restorer.version}"


def _differs(face: FaceWork) -> bool:
    """Whether the restorer made anything of a face."""
    assert face.crop is not None and face.restored is not None
    return not np.array_equal(face.crop.pixels, face.restored)


def _settle_unchanged(faces: list[FaceWork]) -> None:
    """Say of faces whose restoration came to nothing (`none`, strength 0, nothing to improve) that they were kept."""
    for face in faces:
        face.status, face.reason = "kept", "no_change"


def _changes(raster: Raster, faces: list[FaceWork]) -> list[Change]:
    """Note the squares of the faces' crops as they are before pasting."""
    changes = []
    for face in faces:
        assert face.crop is not None
        corners = transform(square_corners(face.crop.size), invert(face.crop.affine))
        changes.append(Change.to_come(raster, corners, pixel_window(corners, raster.width, raster.height)))
    return changes
