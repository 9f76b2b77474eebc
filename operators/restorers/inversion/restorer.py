"""The restorer that searches for faces among those that a generator can make.

J. Gu, Y. Shen, B. Zhou: Image Processing Using Multi-Code GAN Prior, CVPR 2020.
S. Menon, A. Damian, S. Hu, N. Ravi, C. Rudin: PULSE: Self-Supervised Photo Upsampling via Latent Space Exploration of
Generative Models, CVPR 2020.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np

from operators.inversion.tasks import needs_mask
from operators.restorers.contract import Equipment, Execution, FaceContext, Faces, NoProgress, Progress, RestorerInfo
from operators.restorers.generator.arrays import check_crops
from operators.restorers.inversion.options import InversionOptions

if TYPE_CHECKING:
    from operators.restorers.inversion.searching import Searcher

VERSION = "1"


class InversionRestorer:
    """A face is what the prior makes of the codes whose picture, degraded as the task says, is nearest to it.

    On a CPU faces are searched for one by one, so that a face's bits never depend on the others of its batch; on a GPU
    together. Picklable until `setup`.

    Args:
        options: prior, task and search.
        equipment: model files.
    """

    def __init__(self, options: InversionOptions, equipment: Equipment) -> None:
        self._options = options
        self._equipment = equipment
        self._searcher: Searcher | None = None
        self._progress: Progress = NoProgress()
        self._reports: list[dict[str, Any]] = []
        self._done = 0

    @property
    def info(self) -> RestorerInfo:
        """Description for records, run identity and report; needs no file and no network."""
        options = self._options
        engine = options.engine
        return RestorerInfo(
            name="inversion",
            version=VERSION,
            template=options.template,
            sizes=(options.size,),
            weights_sha256=options.sha256,
            parameters={**options.parameters(), "device": engine.device, "batch": engine.profile.best},
        )

    def setup(self) -> None:
        """Load the prior and the feature network.

        Raises:
            CheckpointError: a file is refused, or the options do not fit the prior.
            operators.models.ModelFileError: a file cannot be had.
            operators.engines.errors.EngineError: the device is not there.
        """
        from operators.restorers.inversion.searching import Searcher  # noqa: PLC0415 - imports torch

        self._searcher = Searcher(self._options, self._equipment.files)

    def keep_progress(self, progress: Progress) -> None:
        """Where states of searches are kept from now on, and looked for before one begins."""
        self._progress = progress

    def restore(self, faces: Faces, contexts: Sequence[FaceContext]) -> Faces:
        """Search for a batch of equal-sized crops.

        Args:
            faces: (N, S, S, 3) float32 in [0, 1], RGB; S is the options' size.
            contexts: N of them, with masks for a task that hides what they mark.

        Returns:
            (N, S, S, 3) float32 in [0, 1]. A face of which a mask marks nothing comes back as it is, and so does every
            face with a fidelity of 1.

        Raises:
            ValueError: the faces or a mask have another shape, or there are not as many contexts.
            RuntimeError: `setup` was not called.
            OperatorError: `not_finite` when a face or what was found for it holds NaN or infinity.
        """
        faces = np.asarray(faces, dtype=np.float32)
        searcher = self._ready(faces, contexts)
        result: Faces = faces.copy()
        reports: list[dict[str, Any]] = [{} for _ in contexts]
        wanted = [index for index, context in enumerate(contexts) if self._wanted(context)]
        for group in _groups(wanted, searcher.together):
            keys = [self._key(faces[index], contexts[index], searcher.machine) for index in group]
            done = searcher.search(faces[group], [contexts[index] for index in group], keys, self._progress)
            self._done += done.iterations
            for index, made, report in zip(group, done.faces, done.reports, strict=True):
                result[index], reports[index] = made, report
        self._reports = reports
        return result

    def execution(self) -> Execution:
        """What executed the last batch; resets the counts. Empty before `setup`."""
        if self._searcher is None:
            return Execution()
        counts, self._done = {"search_iterations": self._done}, 0
        return Execution(engine=self._searcher.description(), faces=tuple(self._reports), counts=counts)

    def _wanted(self, context: FaceContext) -> bool:
        if self._options.fidelity == 1.0:
            return False
        if not needs_mask(self._options.task, self._options.recipe):
            return True
        return context.mask is not None and bool(np.any(context.mask > 0.0))

    def _key(self, face: Faces, context: FaceContext, machine: str) -> str:
        """Hash of everything that the search for a face depends on."""
        digest = sha256()
        about = [VERSION, machine, self._options.sha256, self._options.parameters(), context.seed]
        digest.update(json.dumps(about, sort_keys=True).encode())
        digest.update(np.ascontiguousarray(face).tobytes())
        if context.mask is not None:
            digest.update(np.ascontiguousarray(context.mask, dtype=np.float32).tobytes())
        return digest.hexdigest()

    def _ready(self, faces: Faces, contexts: Sequence[FaceContext]) -> Searcher:
        if self._searcher is None:
            raise RuntimeError("restorer inversion was not set up: call setup() first")
        side = self._options.size
        check_crops(faces, len(contexts), side)
        for index, context in enumerate(contexts):
            if context.mask is not None and context.mask.shape != (side, side):
                raise ValueError(f"mask {index} of shape {context.mask.shape}: expected {(side, side)}, as the face")
        return self._searcher


def _groups(items: Sequence[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
