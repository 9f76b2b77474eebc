"""Middle stage: the faces of all images of a unit through the restorer, in batches of equal size."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from jobs.restore.work import FaceWork, ImageWork
from operators.errors import OperatorError
from operators.restorers.contract import FaceContext, Restorer
from pipeline.records import Item
from pipeline.stage import UnitContext

BATCH_PIXELS = 16 * 512 * 512
"""Crop pixels of one call: sixteen faces at 512."""


class Improve:
    """Restores crops. A face's result does not depend on which others share its batch."""

    name = "restore"

    def __init__(self, restorer: Restorer, seed: int) -> None:
        self._restorer = restorer
        self._seed = seed

    def setup(self) -> None:
        """Load the restorer."""
        self._restorer.setup()

    def process_batch(self, items: Sequence[Item], context: UnitContext) -> None:
        """Set `restored` of every face that has a crop."""
        by_size: dict[int, list[tuple[FaceWork, FaceContext]]] = defaultdict(list)
        for item in items:
            work: ImageWork = item.payload
            for index, face in enumerate(work.faces):
                if face.crop is not None:
                    by_size[face.crop.size].append((face, self._context(item.record.key, index, face, work)))
        for size, faces in by_size.items():
            step = max(1, BATCH_PIXELS // size**2)
            for start in range(0, len(faces), step):
                self._restore(faces[start : start + step])

    def _restore(self, faces: list[tuple[FaceWork, FaceContext]]) -> None:
        batch = np.stack([face.crop.pixels for face, _ in faces if face.crop is not None])
        restored = self._restorer.restore(batch, [context for _, context in faces])
        if restored.ndim != 4 or len(restored) != len(faces) or restored.shape[3] != 3:
            raise OperatorError(
                "bad_restoration", f"the restorer returned {restored.shape}: expected ({len(faces)}, S, S, 3)"
            )
        for (face, _), pixels in zip(faces, restored, strict=True):
            face.restored = np.ascontiguousarray(pixels, dtype=np.float32)

    def _context(self, key: str, index: int, face: FaceWork, work: ImageWork) -> FaceContext:
        assert face.crop is not None and face.landmarks is not None
        digest = hashlib.sha256(f"{self._seed}\0{key}\0{index}".encode()).digest()
        return FaceContext(
            landmarks=face.landmarks,
            gray=work.info.space == "gray",
            reduction=face.crop.reduction,
            seed=int.from_bytes(digest[:8], "little"),
        )
