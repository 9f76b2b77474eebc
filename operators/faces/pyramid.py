"""Looks at an image of any size through a detector that likes moderate views: levels and overlapping tiles.

A level half as fine follows each level until the image is small, so a face larger than the detector can see on one
level is in reach on a coarser one. A level that is too large for one look is cut into tiles that overlap by more
than the largest face taken from that level, and each face is taken from the one tile whose core holds its centre,
so no face is taken half.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.faces.face import Affine, Detection
from operators.faces.geometry import bounds, scaling, transform, translation

View = NDArray[np.uint8]
Look = Callable[[View], list[Detection]]

TILE = 1536
"""Largest side of a view that the detector is shown; about 100 MB of the network's memory."""
OVERLAP = 192
"""Pixels that neighbouring tiles share."""
LARGEST_EYES = 64.0
"""Distance between the eyes above which a face is left to the next coarser level; it is about 190 pixels high."""
COARSEST = 320
"""Longest side at which the halving stops: a face that fills such a view has its eyes about 140 pixels apart."""
_SAME_UNION = 0.3
_SAME_CONTAINED = 0.6


def mapped(face: Detection, affine: Affine) -> Detection:
    """Bring a detection into other pixel coordinates; its box becomes the upright box around the mapped one."""
    x0, y0, x1, y1 = face.box
    corners = transform(np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]), affine)
    return replace(face, box=bounds(corners), landmarks=transform(face.landmarks, affine))


def search(view: View, look: Look) -> list[Detection]:
    """Find faces on all levels and tiles of a view.

    Args:
        view: (h, w, 3) uint8 RGB, upright.
        look: finds the faces of a small view, in its own pixels.

    Returns:
        each face once, in pixels of `view`, the most confident first.
    """
    found: list[Detection] = []
    for level, affine, coarsest in _levels(view):
        largest = np.inf if coarsest else LARGEST_EYES
        for tile in _tiles(level.shape[1], level.shape[0]):
            faces = look(np.ascontiguousarray(level[tile.top : tile.bottom, tile.left : tile.right]))
            placed = [mapped(face, translation(tile.left, tile.top)) for face in faces]
            found += [mapped(face, affine) for face in placed if tile.owns(face) and face.eye_distance <= largest]
    return suppress(found)


def same_face(a: Detection, b: Detection) -> bool:
    """Tell whether two boxes are of one face.

    They are when their intersection is above 0.3 of their union, or above 0.6 of the smaller: parts of a large face
    seen on a fine level lie inside it.
    """
    width = min(a.box[2], b.box[2]) - max(a.box[0], b.box[0])
    height = min(a.box[3], b.box[3]) - max(a.box[1], b.box[1])
    if width <= 0 or height <= 0:
        return False
    shared, areas = width * height, [(box[2] - box[0]) * (box[3] - box[1]) for box in (a.box, b.box)]
    return bool(shared > _SAME_UNION * (sum(areas) - shared) or shared > _SAME_CONTAINED * min(areas))


def suppress(faces: Sequence[Detection]) -> list[Detection]:
    """Keep the most confident of the detections of each face (`same_face`).

    Returns:
        the kept ones, the most confident first; ties by position, so that the order of `faces` does not matter.
    """
    kept: list[Detection] = []
    for face in sorted(faces, key=lambda one: (-one.confidence, one.box)):
        if not any(same_face(face, other) for other in kept):
            kept.append(face)
    return kept


def _levels(view: View) -> Iterator[tuple[View, Affine, bool]]:
    """Yield each level, the map from its pixels to the view's, and whether it is the coarsest."""
    height, width = view.shape[:2]
    while True:
        affine = scaling(width / view.shape[1], height / view.shape[0])
        coarsest = max(view.shape[:2]) <= COARSEST or min(view.shape[:2]) < 4
        yield view, affine, coarsest
        if coarsest:
            return
        size = ((view.shape[1] + 1) // 2, (view.shape[0] + 1) // 2)
        view = cv2.resize(view, size, interpolation=cv2.INTER_AREA)


@dataclass(frozen=True)
class _Tile:
    """A part of a level. Faces whose centre lies in `core` (left, top, right, bottom) are taken from it."""

    left: int
    top: int
    right: int
    bottom: int
    core: tuple[float, float, float, float]

    def owns(self, face: Detection) -> bool:
        x, y = (face.box[0] + face.box[2]) / 2.0, (face.box[1] + face.box[3]) / 2.0
        return self.core[0] <= x < self.core[2] and self.core[1] <= y < self.core[3]


def _tiles(width: int, height: int) -> Iterator[_Tile]:
    for top, bottom, core_top, core_bottom in _spans(height):
        for left, right, core_left, core_right in _spans(width):
            yield _Tile(left, top, right, bottom, (core_left, core_top, core_right, core_bottom))


def _spans(length: int) -> list[tuple[int, int, float, float]]:
    """Cut a side into equal overlapping spans: start, end, and start and end of its core; the cores join."""
    count = max(int(np.ceil((length - OVERLAP) / (TILE - OVERLAP))), 1)
    span = int(np.ceil((length + (count - 1) * OVERLAP) / count))
    starts = [round(index * (length - span) / max(count - 1, 1)) for index in range(count)]
    joints = [-np.inf, *[(starts[i] + span + starts[i + 1]) / 2.0 for i in range(count - 1)], np.inf]
    return [(start, start + span, joints[i], joints[i + 1]) for i, start in enumerate(starts)]
