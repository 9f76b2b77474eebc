"""Middle stage: the faces of all images of a unit through the restorer, in batches of equal size."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.restore.first_alone import first_alone
from jobs.restore.holes import changed
from jobs.restore.missing import filled, share_of
from jobs.restore.settings import Networks
from jobs.restore.work import FaceWork, ImageWork
from operators.engines.errors import EngineError
from operators.errors import OperatorError
from operators.faces.tone import is_toned
from operators.restorers.contract import FaceContext, Restorer, Resumable
from pipeline.errors import WorkerError
from pipeline.records import Item
from pipeline.stage import UnitContext

BATCH_PIXELS = 16 * 512 * 512
"""Crop pixels of one call: sixteen faces at 512."""


@dataclass(frozen=True)
class _Waiting:
    """A face that waits for the restorer."""

    work: ImageWork
    face: FaceWork
    pixels: NDArray[np.float32]
    context: FaceContext


class Improve:
    """Restores crops. A face's result does not depend on which others share its batch.

    Args:
        restorer: not set up yet.
        seed: of the job.
        networks: what its network needs; None for a restorer without one.
    """

    name = "restore"

    def __init__(self, restorer: Restorer, seed: int, networks: Networks | None = None) -> None:
        self._restorer = restorer
        self._seed = seed
        self._networks = networks
        self._batch = networks.engine.profile.best if networks is not None else 1
        task = restorer.info.parameters.get("task")
        self._inpaints, self._completes = task == "inpaint", task == "complete"

    def setup(self) -> None:
        """Load the restorer."""
        if self._networks is None:
            self._restorer.setup()
            return
        with first_alone(self._networks.engines, repr(self._restorer.info)):
            self._restorer.setup()

    def process_batch(self, items: Sequence[Item], context: UnitContext) -> None:
        """Set `restored` and `engine` of every face that has a crop, and count what befell the engine.

        Of a face that is inpainted or completed `mask` is set as well, to what was made anew.

        Raises:
            WorkerError: the network cannot be executed any more, by no engine of this machine.
        """
        if isinstance(self._restorer, Resumable):
            self._restorer.keep_progress(context.progress)
        by_size: dict[int, list[_Waiting]] = defaultdict(list)
        for item in items:
            work: ImageWork = item.payload
            for index, face in enumerate(work.faces):
                if face.crop is not None:
                    known = self._context(item.record.key, index, face, work)
                    by_size[face.crop.size].append(_Waiting(work, face, face.crop.pixels, known))
        for size, faces in by_size.items():
            step = max(1, BATCH_PIXELS // size**2 // self._batch) * self._batch
            for start in range(0, len(faces), step):
                self._restore(faces[start : start + step], context)

    def _restore(self, waiting: list[_Waiting], context: UnitContext) -> None:
        try:
            restored = self._restorer.restore(
                np.stack([one.pixels for one in waiting]), [one.context for one in waiting]
            )
        except EngineError as error:
            raise WorkerError(f"the restorer's network cannot be executed: {error}") from error
        execution = self._restorer.execution()
        for event, times in execution.events.items():
            context.count(f"engine:{event}", times)
        for name, times in execution.counts.items():
            context.count(name, times)
        if restored.ndim != 4 or len(restored) != len(waiting) or restored.shape[3] != 3:
            raise OperatorError(
                "bad_restoration", f"the restorer returned {restored.shape}: expected ({len(waiting)}, S, S, 3)"
            )
        for one, pixels in zip(waiting, restored, strict=True):
            one.face.restored = np.ascontiguousarray(pixels, dtype=np.float32)
            one.face.engine = execution.engine.get("used") or {}
            if self._inpaints:
                one.face.mask = changed(one.pixels, one.face.restored)
                one.face.missing = share_of(one.face.mask, one.context.landmarks)
            if self._completes:
                one.face.mask = filled(one.face.hole, len(one.pixels))
            one.face.hole = None
            one.work.executed("restorer", execution.engine)
        for one, report in zip(waiting, execution.faces, strict=False):
            one.face.search = dict(report)

    def _context(self, key: str, index: int, face: FaceWork, work: ImageWork) -> FaceContext:
        assert face.crop is not None and face.landmarks is not None
        gray = work.space == "gray"
        digest = hashlib.sha256(f"{self._seed}\0{key}\0{index}".encode()).digest()
        return FaceContext(
            landmarks=face.landmarks,
            gray=gray,
            reduction=face.crop.reduction,
            seed=int.from_bytes(digest[:8], "little"),
            mask=None if face.hole is None else face.hole.astype(np.float32),
            toned=self._networks is not None
            and not gray
            and is_toned(_visible(face.crop.pixels, face.hole), work.colour),
            attributes=work.attributes,
        )


def _visible(pixels: NDArray[np.float32], hole: NDArray[np.bool_] | None) -> NDArray[np.float32]:
    """A crop without what is to be made anew, whose colour says nothing of the picture: a key colour, ink, a hand."""
    if hole is None or not hole.any() or hole.all():
        return pixels
    seen: NDArray[np.float32] = pixels.copy()
    seen[hole] = pixels[~hole].mean(axis=0)
    return seen
