"""Before/after pictures of a few records, kept in the run's folder for the report."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from jobs.restore.work import FaceWork, ImageWork
from operators.images.orientation import rotate_upright
from pipeline.stage import UnitContext

VIEW_SIDE = 1600
"""Longer side, at least, of the view of a whole image from which its picture and its scores are taken."""
SCORED_SIDE = 1024
"""Longer side at which whole images are scored, before and after alike."""
FACE_SIDE = 512
IMAGE_SIDE = 1200
JPEG_QUALITY = 85


@dataclass(frozen=True)
class Sampler:
    """Chooses records by a hash of their key, so that every run of the job shows the same ones.

    Attributes:
        wanted: pictures the report has room for.
        records: planned records among which they are chosen.
    """

    wanted: int
    records: int

    def wants(self, key: str) -> bool:
        """Whether this record is among the sampled ones; about twice as many as wanted are, since many have no face."""
        if self.wanted <= 0:
            return False
        draw = int.from_bytes(hashlib.sha256(f"sample\0{key}".encode()).digest()[:8], "little") / 2**64
        return draw * self.records < 2 * self.wanted

    def keep(
        self, key: str, work: ImageWork, before: NDArray[np.uint8], after: NDArray[np.uint8], context: UnitContext
    ) -> None:
        """Store the whole image and, where there is one, its first changed face.

        Args:
            key: the record.
            work: its faces.
            before: (h, w, 3) uint8 RGB view before pasting, as stored.
            after: the same view after it.
            context: where to keep them.
        """
        name = hashlib.sha256(key.encode()).hexdigest()[:16]
        orientation = work.info.orientation
        views = [fitted(rotate_upright(view, orientation), IMAGE_SIDE) for view in (before, after)]
        if views[0].shape != views[1].shape:  # where the picture was made anew at another size
            height, width = views[1].shape[:2]
            views[0] = np.asarray(cv2.resize(views[0], (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
        self._store(f"{name}-image", "image", key, views, {"faces": len(work.faces)}, context)
        face = next((face for face in work.faces if face.status in ("restored", "flagged")), None)
        if face is None:
            return
        assert face.crop is not None and face.restored is not None
        pair = [_face_view(face.crop.pixels), _face_view(face.restored)]
        side = max(view.shape[0] for view in pair)  # a restorer may return another size than it was given
        pair = [_enlarged(view, side) for view in pair]
        self._store(f"{name}-face", "face", key, pair, _facts(face), context)

    def _store(
        self,
        name: str,
        kind: str,
        key: str,
        pair: list[NDArray[np.uint8]],
        facts: dict[str, object],
        context: UnitContext,
    ) -> None:
        height, width = pair[0].shape[:2]
        for side, view in zip(("before", "after"), pair, strict=True):
            data = _jpeg(view)
            with context.waiting(key):
                context.keep_sample(f"{name}-{side}.jpg", data)
        about = {"kind": kind, "key": key, "width": width, "height": height, "facts": facts}
        with context.waiting(key):
            context.keep_sample(f"{name}.json", json.dumps(about).encode())


def _facts(face: FaceWork) -> dict[str, object]:
    assert face.scores is not None
    facts: dict[str, object] = {"identity": face.scores.identity, "status": face.status}
    for measure in ("niqe", "noise", "sharpness"):
        values = getattr(face.scores.before, measure), getattr(face.scores.after, measure)
        if None not in values:
            facts[measure] = f"{values[0]:.3g} → {values[1]:.3g}"
    return facts


def _face_view(crop: NDArray[np.float32]) -> NDArray[np.uint8]:
    return fitted(np.rint(np.clip(crop, 0, 1) * 255).astype(np.uint8), FACE_SIDE)


def _enlarged(view: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    if view.shape[0] == side:
        return view
    return np.asarray(cv2.resize(view, (side, side), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def fitted(view: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Reduce a view to fit; never enlarge it."""
    scale = side / max(view.shape[:2])
    if scale >= 1.0:
        return view
    size = (max(1, round(view.shape[1] * scale)), max(1, round(view.shape[0] * scale)))
    return np.asarray(cv2.resize(view, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _jpeg(view: NDArray[np.uint8]) -> bytes:
    done, data = cv2.imencode(".jpg", view[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    assert done
    return bytes(data.tobytes())
