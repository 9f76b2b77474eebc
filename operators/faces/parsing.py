"""Face parsing: which pixels of a crop are the face's own, seen by ParseNet.

The network is that of facexlib (`parsing_parsenet.pth`), which GFPGAN's tool pastes with: 19 classes at 512 pixels.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.checkpoints.errors import CheckpointError
from operators.engines.options import EngineOptions, Profile
from operators.errors import OperatorError
from operators.faces.face_regions import CLASSES, face_region, soft_mask
from operators.restorers.contract import Equipment, Execution, Faces
from operators.restorers.generator.arrays import to_batch
from operators.restorers.generator.loading import load_network

if TYPE_CHECKING:
    from operators.engines.choose import Runner

ARCHITECTURE = "parsenet"
PROFILE = Profile(1, 4, 4)
"""Faces at once: what the network returns is more than six times as large as what it takes."""


class FaceParser:
    """Sees the shape of faces. Picklable until `setup`; not thread-safe.

    Args:
        equipment: model files, and where compiled engines are kept.
        model: name of the model file.
        sha256: content hash that it must have.
        engine: what executes the network; its profile is not used.
    """

    def __init__(self, equipment: Equipment, model: str, sha256: str, engine: EngineOptions | None = None) -> None:
        self._equipment = equipment
        self._model = model
        self._sha256 = sha256
        self._engine = replace(engine or EngineOptions(), profile=PROFILE)
        self._runner: Runner | None = None
        self._side = 0

    def setup(self) -> None:
        """Read and recognise the checkpoint, and prepare the engine.

        Raises:
            CheckpointError: the file is refused, or is another network.
            operators.models.ModelFileError: the file cannot be had.
            operators.engines.errors.EngineError: no engine that the options allow can run it.
        """
        from operators.engines.choose import Runner  # noqa: PLC0415 - imports torch, which takes seconds

        files = self._equipment.files
        network = load_network(files, self._model, self._sha256, (ARCHITECTURE,), "the face parser")
        side = network.input_shape[-1]
        if network.output_shape != (CLASSES, side, side):
            raise CheckpointError(
                "wrong_size",
                f"{self._model} makes {network.output_shape} of {network.input_shape}: expected {CLASSES} classes of "
                "each pixel",
            )
        runner = Runner(network, self._engine, self._equipment.artifacts)
        runner.prepare()
        self._runner, self._side = runner, side

    def masks(self, faces: Faces) -> NDArray[np.float32]:
        """See which part of each crop is the face.

        Faces are brought to the network's size, averaged where they shrink; the mask is made there and brought back.

        Args:
            faces: (N, S, S, 3) float32 in [0, 1], RGB; better restored than as they came.

        Returns:
            (N, S, S) float32 in [0, 1]: 1 inside the face and its hair, sinking to 0 towards its edge; 0 on the
            crop's outermost pixels, and all over where no face was seen.

        Raises:
            ValueError: the faces have another shape.
            RuntimeError: `setup` was not called.
            OperatorError: `not_finite` when a face or the network's result holds NaN or infinity.
            operators.engines.errors.EngineError: no engine can run the network any more.
        """
        faces = np.asarray(faces, dtype=np.float32)
        if faces.ndim != 4 or faces.shape[1] != faces.shape[2] or faces.shape[3] != 3:
            raise ValueError(f"faces of shape {faces.shape}: expected (N, S, S, 3)")
        if self._runner is None:
            raise RuntimeError(f"face parser {self._model} was not set up: call setup() first")
        if not np.isfinite(faces).all():
            raise OperatorError("not_finite", "a face holds NaN or infinity: expected values from 0 to 1")
        result = np.empty(faces.shape[:3], dtype=np.float32)
        for start in range(0, len(faces), PROFILE.best):
            part = slice(start, start + PROFILE.best)
            for target, logits in zip(result[part], self._logits(faces[part]), strict=True):
                target[:] = _bordered(_scaled(soft_mask(face_region(logits)), faces.shape[1]))
        return result

    def execution(self) -> Execution:
        """What executed the last batch; resets the events. Empty before `setup`."""
        if self._runner is None:
            return Execution()
        return Execution(engine=dict(self._runner.description), events=dict(self._runner.events()))

    def _logits(self, faces: Faces) -> NDArray[np.float32]:
        """(N, CLASSES, side, side) for at most a batch of faces."""
        import torch  # noqa: PLC0415 - seconds; see `setup`

        assert self._runner is not None
        batch = to_batch([_scaled(face, self._side) for face in faces], (-1.0, 1.0))
        logits: NDArray[np.float32] = self._runner.run(torch.from_numpy(batch)).numpy()
        if not np.isfinite(logits).all():
            raise OperatorError("not_finite", f"{self._model} returned NaN or infinity: try precision fp32")
        return logits


def _scaled(pixels: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """A square plane or picture at another side: averaged when it shrinks, linear when it grows."""
    if pixels.shape[0] == side:
        return pixels
    method = cv2.INTER_AREA if pixels.shape[0] > side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (side, side), interpolation=method), dtype=np.float32)


def _bordered(mask: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mask with its outermost pixels exactly 0, which resampling may have touched."""
    mask[[0, -1], :] = 0.0
    mask[:, [0, -1]] = 0.0
    return mask
