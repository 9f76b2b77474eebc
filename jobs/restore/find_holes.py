"""Before the restorer, where a completion job wants it: what is missing in each face, seen in its crop."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from jobs.restore.first_alone import first_alone
from jobs.restore.missing import settle, window_of
from jobs.restore.settings import Networks
from jobs.restore.work import FaceWork, ImageWork
from operators.completion.regions import Region, grown, shown_in, smeared
from operators.engines.errors import EngineError
from operators.faces.face import Crop
from operators.restorers.completion.options import SeeingOptions
from operators.restorers.completion.seeing import Seer
from pipeline.errors import WorkerError
from pipeline.records import Item
from pipeline.stage import UnitContext

BATCH_PIXELS = 16 * 512 * 512
"""Crop pixels of one call: sixteen faces at 512."""


class FindHoles:
    """Looks for missing parts in crops.

    Args:
        options: what is looked for.
        networks: what networks need.
    """

    name = "find_holes"

    def __init__(self, options: SeeingOptions, networks: Networks) -> None:
        self._options = options
        self._networks = networks
        self._seer = Seer(options, networks.equipment)

    def setup(self) -> None:
        """Load the network."""
        with first_alone(self._networks.engines, repr(self._options)):
            self._seer.setup()

    def process_batch(self, items: Sequence[Item], context: UnitContext) -> None:
        """Set `hole`, `within` and `missing` of every face that has a crop.

        Raises:
            WorkerError: the network cannot be executed any more, by no engine of this machine.
        """
        by_size: dict[int, list[tuple[ImageWork, FaceWork, Crop]]] = defaultdict(list)
        for item in items:
            work: ImageWork = item.payload
            for face in work.faces:
                if face.crop is not None:
                    by_size[face.crop.size].append((work, face, face.crop))
        for size, faces in by_size.items():
            step = max(1, BATCH_PIXELS // size**2)
            for start in range(0, len(faces), step):
                self._see(faces[start : start + step], context)

    def _see(self, faces: list[tuple[ImageWork, FaceWork, Crop]], context: UnitContext) -> None:
        try:
            crops = [crop for _, _, crop in faces]
            regions = self._seer.regions(np.stack([crop.pixels for crop in crops]), [crop.reduction for crop in crops])
        except EngineError as error:
            raise WorkerError(f"the network that sees what is missing cannot be executed: {error}") from error
        execution = self._seer.execution()
        for event, times in execution.events.items():
            context.count(f"engine:{event}", times)
        for (work, face, crop), region in zip(faces, regions, strict=True):
            work.executed(self._options.source, execution.engine)
            _mark(face, crop, region, work)


def _mark(face: FaceWork, crop: Crop, seen: Region, work: ImageWork) -> None:
    window = window_of(crop, work.info.width, work.info.height)
    settle(face, crop, shown_in(seen, crop.affine, window), window)
    if face.within is not None:
        face.hole = grown(seen, smeared(crop.affine))
