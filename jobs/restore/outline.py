"""After the restorer, where the job wants it: the shape of each face, seen in its restored crop."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from jobs.restore.first_alone import first_alone
from jobs.restore.settings import Networks
from jobs.restore.work import FaceWork, ImageWork
from operators.engines.errors import EngineError
from operators.faces.face_regions import with_landmarks
from operators.faces.parsing import FaceParser
from pipeline.errors import WorkerError
from pipeline.records import Item
from pipeline.stage import UnitContext

BATCH_PIXELS = 16 * 512 * 512
"""Crop pixels of one call: sixteen faces at 512."""


class Outline:
    """Sees the shape of faces. Where none is seen, the oval from the landmarks stays."""

    name = "outline"

    def __init__(self, networks: Networks) -> None:
        assert networks.parser is not None
        self._parser = FaceParser(networks.equipment, *networks.parser, networks.engine)
        self._networks = networks

    def setup(self) -> None:
        """Load the network."""
        with first_alone(self._networks.engines, f"{self._networks.parser} {self._networks.engine}"):
            self._parser.setup()

    def process_batch(self, items: Sequence[Item], context: UnitContext) -> None:
        """Set `mask` of every restored face in which a face is seen.

        Raises:
            WorkerError: the network cannot be executed any more, by no engine of this machine.
        """
        by_size: dict[int, list[tuple[ImageWork, FaceWork, NDArray[np.float32]]]] = defaultdict(list)
        for item in items:
            work: ImageWork = item.payload
            for face in work.faces:
                if face.restored is not None:
                    by_size[face.restored.shape[0]].append((work, face, face.restored))
        for size, faces in by_size.items():
            step = max(1, BATCH_PIXELS // size**2)
            for start in range(0, len(faces), step):
                self._see(faces[start : start + step], context)

    def _see(self, faces: list[tuple[ImageWork, FaceWork, NDArray[np.float32]]], context: UnitContext) -> None:
        try:
            masks = self._parser.masks(np.stack([pixels for _, _, pixels in faces]))
        except EngineError as error:
            raise WorkerError(f"the face parser's network cannot be executed: {error}") from error
        execution = self._parser.execution()
        for event, times in execution.events.items():
            context.count(f"engine:{event}", times)
        for (work, face, _), mask in zip(faces, masks, strict=True):
            assert face.crop is not None and face.landmarks is not None
            work.executed("parsing", execution.engine)
            own, unseen = with_landmarks(_at(mask, face.crop.size), face.landmarks)
            if not unseen:
                face.mask = _levels(own)


def _at(mask: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """A mask on the crop's own grid, (size, size) float32."""
    if mask.shape[0] == size:
        return mask
    way = cv2.INTER_AREA if mask.shape[0] > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(mask, (size, size), interpolation=way), np.float32)


def _levels(mask: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A mask as it travels, (S, S) uint8, 0 on the outermost pixels as pasting wants it."""
    levels = np.rint(np.clip(mask, 0.0, 1.0) * 255).astype(np.uint8)
    levels[[0, -1], :] = levels[:, [0, -1]] = 0
    return levels
