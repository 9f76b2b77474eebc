"""Finds the faces of an image: on a reduced view first, then each one in full resolution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from operators.faces.face import Detection
from operators.faces.geometry import compose, invert, scaling
from operators.faces.pyramid import mapped, same_face, search, suppress
from operators.faces.refine import refine
from operators.faces.yunet import YuNet
from operators.images.orientation import rotate_upright, stored_to_upright
from operators.images.raster import Raster

_SEEN_EYES = 10.0
"""Pixels between the eyes at which YuNet misses none of 45 portraits (confidence 0.77 or more)."""
_SMALL_IMAGE = 2_000_000
"""Pixels up to which an image is looked at in full: it costs a tenth of a second."""
_CLEAR = 0.915
"""Confidence that settles a face's turn: of 67 portraits 4 had less upright, and none more in any other turn."""
_UNCLEAR = 0.88
"""A single face below this is looked for in other turns even where most of the image's faces are clear."""
_CANDIDATE = 0.5
"""Confidence that makes a candidate of the reduced view; the job's own threshold is for the second look."""
_EYES_SLACK = 0.75
"""First landmarks may be this much too narrow; the job's own limit is for the refined ones."""


@dataclass(frozen=True)
class DetectOptions:
    """What counts as a face.

    Attributes:
        min_confidence: of the second look in full resolution, in [0, 1].
        min_eye_distance: source pixels between the eyes; smaller faces are left alone. It decides how far the image
            may be reduced for the search.
        max_faces: the largest faces that are kept.
        quarter_turns: `when_unclear` also searches the image turned by 90, 180 and 270 degrees when it shows no face
            upright or one that is not clear, and takes each face in the turn in which it is clearest (YuNet takes many
            an upside-down face for an upright one); `never` takes every face as upright.
        turned_confidence: what a face found in another turn needs, where it is more than `min_confidence`.
    """

    min_confidence: float = 0.7
    min_eye_distance: float = 16.0
    max_faces: int = 1000
    quarter_turns: Literal["never", "when_unclear"] = "when_unclear"
    turned_confidence: float = 0.85

    def __post_init__(self) -> None:
        for name in ("min_confidence", "turned_confidence"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} {getattr(self, name)}: expected a number from 0 to 1")
        if not self.min_eye_distance > 0.0:
            raise ValueError(f"min_eye_distance {self.min_eye_distance}: expected a positive number of pixels")
        if self.max_faces < 1:
            raise ValueError(f"max_faces {self.max_faces}: expected 1 or more")
        if self.quarter_turns not in ("never", "when_unclear"):
            raise ValueError(f"quarter_turns {self.quarter_turns!r}: expected 'never' or 'when_unclear'")


class Detector:
    """Finds faces with YuNet. Holds a network that threads cannot share: make one detector for each thread."""

    def __init__(self, options: DetectOptions | None = None) -> None:
        self.options = options or DetectOptions()
        self._network = YuNet()

    def needed_scale(self, width: int, height: int) -> float:
        """Return by how much an image may be reduced so that no wanted face is lost; 1.0 is not at all.

        Args:
            width: of the source.
            height: of the source.
        """
        if width * height <= _SMALL_IMAGE:
            return 1.0
        return min(_SEEN_EYES / self.options.min_eye_distance, 1.0)

    def find(
        self, full: Callable[[], Raster], view: NDArray[np.uint8], scale: tuple[float, float], orientation: int = 1
    ) -> list[Detection]:
        """Find the faces of an image.

        Args:
            full: gives the image in full resolution; called once at most, and only where the view shows a candidate.
            view: (h, w, 3) uint8 RGB, the same image reduced to about `needed_scale`, as stored (not turned upright).
            scale: view pixels per source pixel, across and down.
            orientation: EXIF value 1..8 of the source.

        Returns:
            the faces in source pixels as stored, the largest (between the eyes) first.
        """
        full = cache(full)
        found = self._refined(full, self.detect(view, scale, orientation))
        if self.options.quarter_turns == "when_unclear" and not _settled(found):
            clear = [face for face in found if face.confidence >= _CLEAR]
            for turn in (1, 2, 3):
                candidates = self.detect(view, scale, orientation, turn)
                new = [face for face in candidates if not any(same_face(face, other) for other in clear)]
                found = [*found, *self._refined(full, new)]
            found = suppress(found)
        return sorted(found, key=lambda face: (-face.eye_distance, face.box))[: self.options.max_faces]

    def detect(
        self, view: NDArray[np.uint8], scale: tuple[float, float], orientation: int = 1, turn: int = 0
    ) -> list[Detection]:
        """Find candidates on a reduced view.

        Args:
            view: as in `find`.
            scale: as in `find`.
            orientation: EXIF value 1..8 of the source.
            turn: quarter turns clockwise by which the upright view is turned before the search.

        Returns:
            candidates in source pixels as stored, the most confident first: weaker and smaller ones than wanted among
            them, which `refine` decides on.
        """
        height, width = view.shape[:2]
        faces = search(rotate_upright(view, orientation, turn), lambda tile: self._network.detect(tile, _CANDIDATE))
        to_source = compose(
            invert(stored_to_upright(width, height, orientation, turn)), scaling(1.0 / scale[0], 1.0 / scale[1])
        )
        placed = [replace(mapped(face, to_source), turn=turn) for face in faces]
        return [face for face in placed if face.eye_distance >= _EYES_SLACK * self.options.min_eye_distance]

    def refine(self, raster: Raster, candidates: Sequence[Detection]) -> list[Detection]:
        """Look at candidates again in full resolution and keep the faces that are wanted.

        Args:
            raster: the image in full resolution.
            candidates: from `detect`.

        Returns:
            each face once, with refined landmarks, where it passes the options; the most confident first.
        """
        refined = []
        for face in candidates:
            upright = stored_to_upright(raster.width, raster.height, raster.orientation, face.turn)
            refined.append(refine(raster, face, upright, self._network))
        return suppress([face for face in refined if self._wanted(face)])

    def _refined(self, full: Callable[[], Raster], candidates: Sequence[Detection]) -> list[Detection]:
        return self.refine(full(), candidates) if candidates else []

    def _wanted(self, face: Detection) -> bool:
        threshold = self.options.min_confidence
        if face.turn:
            threshold = max(threshold, self.options.turned_confidence)
        return face.confidence >= threshold and face.eye_distance >= self.options.min_eye_distance


def _settled(faces: Sequence[Detection]) -> bool:
    """Tell whether faces found upright show that the image is upright, and each of them with it."""
    confidences = [face.confidence for face in faces]
    return bool(confidences) and float(np.median(confidences)) >= _CLEAR and min(confidences) >= _UNCLEAR
