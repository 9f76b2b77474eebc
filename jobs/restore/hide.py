"""Pictures in which nobody may be recognised: faces covered, the finished file looked at again, the original sealed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.restore.judge import ready
from jobs.restore.recall import raster_of
from jobs.restore.settings import RestoreSettings
from jobs.restore.unlike import make_unlike
from jobs.restore.work import FaceWork, ImageWork
from operators.errors import OperatorError
from operators.faces.align import align, choose_size, cut
from operators.faces.detect import Detector
from operators.faces.face import Detection
from operators.faces.geometry import invert, transform
from operators.faces.resample import Window
from operators.images.decode import decode
from operators.images.encode import Change, EncodeOptions, encode
from operators.images.only_picture import only_picture
from operators.images.orientation import stored_to_upright
from operators.images.raster import Pixels, Raster
from operators.images.reduce import reduce_raster
from operators.restorers.anonymize.cover import Cover, cover
from operators.restorers.anonymize.region import FEATHER, Head, head_of
from operators.restorers.anonymize.restorer import LAST_STEP, SIZES, TEMPLATE
from operators.scoring.identity import IdentityModel
from operators.scoring.scorer import Scorer
from operators.sealing.content import Content, content_of, pixels_digest
from operators.sealing.keys import Kdf
from operators.sealing.seal import salt_of, sealed
from pipeline.records import Record
from pipeline.stage import UnitContext

ROUNDS = LAST_STEP + 3
"""Times a picture is finished: each face may have to become coarser, and covering one may bring another to light."""
REACH = 40
"""Pixels around what is covered that a JPEG may encode anew: its largest block of chroma, and what decoders blend."""
NO_PREVIEWS = "not carried: previews and other pictures inside the file, which could show the faces"


@dataclass(frozen=True)
class Hidden:
    """A picture with hidden faces.

    Attributes:
        data: of its file.
        notes: what could not be carried over.
        view: (h, w, 3) uint8 RGB, the finished picture reduced; None where no face was covered.
        content: what the seal has to hold; None where nothing is sealed.
    """

    data: bytes
    notes: tuple[str, ...]
    view: NDArray[np.uint8] | None = None
    content: Content | None = None


@dataclass
class _Finished:
    """One try: the file, the picture in it, the covers, and how the covered windows were before."""

    data: bytes
    notes: tuple[str, ...]
    picture: Raster
    covers: list[Cover]
    before: list[tuple[Window, Pixels]]
    digest: str
    view: NDArray[np.uint8] = field(default_factory=lambda: np.empty((0, 0, 3), np.uint8))


class Hider:
    """Covers faces. Holds networks that threads cannot share: one for each thread, and ready when it is made."""

    def __init__(self, settings: RestoreSettings) -> None:
        assert settings.anonymity is not None
        self._settings = settings
        self._anonymity = settings.anonymity
        self._detector = Detector(settings.detect)
        self._identity = IdentityModel()
        self._scorer: Scorer = ready(settings.score)

    def hide(
        self, record: Record, work: ImageWork, data: bytes, context: UnitContext, options: EncodeOptions
    ) -> Hidden:
        """Make the derivative of a picture; faces that only the second look finds join those of `work`.

        Args:
            record: the picture's.
            work: its faces, each with its crop and what is shown in its place. `checked` is set.
            data: the source file.
            context: where the source is read.
            options: of the file that is written.

        Raises:
            OperatorError: `face_left`; a face can still be found or recognised whatever was done.
        """
        if not work.faces:
            return self._without_faces(record, work, data, context, options)
        raster = raster_of(record, work, context, self._settings.limits)
        found = 0
        for _ in range(ROUNDS):
            finished = self._finish(raster, work, data, options)
            faces = self._faces_of(finished)
            found = len(faces)
            if not self._improve(work, finished, faces):
                return self._done(work, data, finished, found)
            raster = decode(data, self._settings.limits)
            work.raster = raster
        raise OperatorError("face_left", f"after {ROUNDS} tries {found} faces can be found in the finished picture")

    def _without_faces(
        self, record: Record, work: ImageWork, data: bytes, context: UnitContext, options: EncodeOptions
    ) -> Hidden:
        if options.format in ("same", work.info.format):
            alone = only_picture(data)
            return Hidden(alone, () if alone == data else (NO_PREVIEWS,))
        encoded = encode(raster_of(record, work, context, self._settings.limits), data, options, ())
        alone = only_picture(encoded.data)
        return Hidden(alone, encoded.notes if alone == encoded.data else (*encoded.notes, NO_PREVIEWS))

    def _finish(self, raster: Raster, work: ImageWork, data: bytes, options: EncodeOptions) -> _Finished:
        """Cover all faces in a raster that is as its source, and write it."""
        covers = [_cover_of(face, self._anonymity.options.margin) for face in work.faces]
        digest = pixels_digest(raster) if self._anonymity.passcode is not None else ""
        changes = [_change(raster, one) for one in covers]
        cover(raster, covers)
        encoded = encode(raster, data, options, changes)
        alone = only_picture(encoded.data)
        notes = encoded.notes if alone == encoded.data else (*encoded.notes, NO_PREVIEWS)
        before = [(change.window, change.before) for change in changes if change.before.size]
        return _Finished(alone, notes, decode(alone, self._settings.limits), covers, before, digest)

    def _faces_of(self, finished: _Finished) -> list[Detection]:
        picture = finished.picture
        view = reduce_raster(picture, self._detector.needed_scale(picture.width, picture.height))
        finished.view = view.pixels
        scale = (view.scale_x, view.scale_y)
        return self._detector.find(lambda: picture, view.pixels, scale, picture.orientation)

    def _improve(self, work: ImageWork, finished: _Finished, found: list[Detection]) -> bool:
        """Look at the finished picture; cover more where it shows too much, and say whether anything was done."""
        most = self._anonymity.max_identity
        worst = [self._likeness(face, finished.picture) for face in work.faces]
        for detection in found:
            index = _covered_by(detection, finished.covers)
            if index is not None:
                any_of_them = max(self._likeness(face, finished.picture, detection) for face in work.faces)
                worst[index] = max(worst[index], any_of_them)
        for face, value in zip(work.faces, worst, strict=True):
            face.hidden |= {"checked_identity": round(value, 5)}
        again = False
        for index, (face, value) in enumerate(zip(work.faces, worst, strict=True)):
            if value > most and face.hidden["step"] < LAST_STEP:
                make_unlike(
                    index, face, self._anonymity, self._settings.gate, self._scorer, int(face.hidden["step"]) + 1
                )
                again = True
            elif value > most and face.status != "flagged":
                raise OperatorError(
                    "face_left",
                    f"face {index}: identity {value:.3f} in the finished picture is above {most:g}, even as one colour",
                )
        for detection in found:
            if _covered_by(detection, finished.covers) is None:
                work.faces.append(self._late(len(work.faces), detection, finished.picture))
                again = True
        return again

    def _likeness(self, face: FaceWork, picture: Raster, at: Detection | None = None) -> float:
        """Identity of an original face and what the finished picture shows in its place, or of another face there."""
        assert face.crop is not None and face.landmarks is not None
        if at is None:
            seen, landmarks = cut(picture, face.crop.affine, face.crop.size).pixels, face.landmarks
        else:
            seen, landmarks = _crop(at, picture)
        value = self._identity.similarity(face.crop.pixels, seen, (face.landmarks, landmarks))
        return -1.0 if value is None else value

    def _late(self, index: int, detection: Detection, picture: Raster) -> FaceWork:
        """A face that only the finished picture has shown: its cells do not depend on the restorer."""
        face = FaceWork(detection, reason="second_look")
        upright = stored_to_upright(picture.width, picture.height, picture.orientation, detection.turn)
        size = choose_size(SIZES, detection.landmarks, TEMPLATE, upright)
        face.crop = cut(picture, align(detection.landmarks, TEMPLATE, size, upright), size)
        face.landmarks = transform(detection.landmarks, face.crop.affine)
        make_unlike(index, face, self._anonymity, self._settings.gate, self._scorer, least=1)
        return face

    def _done(self, work: ImageWork, data: bytes, finished: _Finished, found: int) -> Hidden:
        own = [float(face.hidden["checked_identity"]) for face in work.faces]
        late = sum(face.reason == "second_look" for face in work.faces)
        work.checked = {"faces_found": found, "faces_found_late": late, "max_identity": max(own)}
        content = None
        if self._anonymity.passcode is not None:
            content = content_of(data, finished.digest, finished.before, finished.data)
        return Hidden(finished.data, finished.notes, finished.view, content)


def sealed_record(row: Mapping[str, Any], content: Content, passcode: str) -> dict[str, Any]:
    """A picture's record with the original sealed in it, bound to all else that the record says.

    Raises:
        SealError: it is too large.
    """
    bound = json.loads(json.dumps(row))
    kdf = Kdf(salt_of(row["key"], row["source"]["sha256"]))
    packed = content.packed()
    about = {"form": content.form, "bytes": len(packed)}
    return {**row, "sealed": sealed(packed, passcode, kdf, bound, about)}


def _cover_of(face: FaceWork, margin: float) -> Cover:
    if face.status not in ("restored", "flagged") or face.crop is None or face.restored is None:
        raise OperatorError("face_left", f"a face was to be left as it is ({face.reason or face.status})")
    assert face.landmarks is not None
    head = head_of(face.landmarks, margin).moved(invert(face.crop.affine))
    return Cover(face.restored, face.crop.affine, face.crop.size, head)


def _change(raster: Raster, one: Cover) -> Change:
    """The rectangle in which a JPEG's blocks may change: all that have a covered pixel lie inside whole."""
    left, top, right, bottom = one.window(raster.width, raster.height)
    if left >= right:
        return Change.to_come(raster, np.zeros((4, 2)), (0, 0, 0, 0))
    window = (
        max(left - REACH, 0),
        max(top - REACH, 0),
        min(right + REACH, raster.width),
        min(bottom + REACH, raster.height),
    )
    x0, y0, x1, y1 = (float(side) for side in window)
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]) - 0.5
    return replace(Change.to_come(raster, corners, window), afresh=True)


def _covered_by(detection: Detection, covers: list[Cover]) -> int | None:
    """Which cover hides a face that was found: the one that holds all its landmarks; None when none does."""
    for index, one in enumerate(covers):
        if _farthest(detection, one.head) <= 1.0 + FEATHER:
            return index
    return None


def _farthest(detection: Detection, head: Head) -> float:
    return max(float(head.distance(point[:1], point[1:])[0, 0]) for point in detection.landmarks)


def _crop(detection: Detection, picture: Raster) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    upright = stored_to_upright(picture.width, picture.height, picture.orientation, detection.turn)
    affine = align(detection.landmarks, TEMPLATE, SIZES[-1], upright)
    return cut(picture, affine, SIZES[-1]).pixels, transform(detection.landmarks, affine)
