"""The classic restorer: measures what is wrong with a face, and takes away that much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.errors import OperatorError
from operators.faces.face import Points
from operators.faces.geometry import scaling, transform
from operators.restorers.classic.blocking import block_step
from operators.restorers.classic.defects import white_defects
from operators.restorers.classic.fading import unfaded
from operators.restorers.classic.filling import filled
from operators.restorers.classic.grain import grain_spectrum
from operators.restorers.classic.options import ClassicOptions
from operators.restorers.classic.sliding_dct import SIZE, Plane, shrunk
from operators.restorers.contract import Execution, FaceContext, Faces, RestorerInfo

_SMALLEST = 32

# R'G'B' to luma and two colour differences (ITU-R BT.601), which is what JPEG codes.
_TO_LUMA_CHROMA = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], dtype=np.float64
)
_FROM_LUMA_CHROMA = np.linalg.inv(_TO_LUMA_CHROMA)

# Best mean PSNR on portraits with noise of sigma 10 and 20, measured over 1.6 to 3.
_NOISE_FACTOR = 2.4

# Grain below this many 8-bit levels is left: nobody sees it, and a clean scan has that much.
_LEAST_GRAIN = 0.8

# Best thresholds found for JPEG quality 10 to 60 against the measured step, in 8-bit levels.
_STEP_FACTOR, _STEP_OFFSET = 17.0, 1.2


class ClassicRestorer:
    """Denoising, deblocking and filling of white defects, without a network.

    Every step works on the face at the scale of its source, where noise and blocks have the shape that the measures
    know, and its result is applied as a difference in floating point: what no step touched keeps its value exactly.

    Args:
        options: what is done.
    """

    def __init__(self, options: ClassicOptions | None = None) -> None:
        self._options = options or ClassicOptions()

    @property
    def info(self) -> RestorerInfo:
        """Description for records, run identity and report."""
        return RestorerInfo(
            name="classic",
            version="1",
            template="ffhq",
            sizes=(128, 256, 512, 1024, 2048),
            parameters=asdict(self._options),
        )

    def setup(self) -> None:
        """Nothing to load."""

    def execution(self) -> Execution:
        """No network is run."""
        return Execution()

    def restore(self, faces: Faces, contexts: Sequence[FaceContext]) -> Faces:
        """Restore a batch of faces, one by one.

        Args:
            faces: (N, S, S, 3) float32 in [0, 1], RGB; S from 64 to 2048.
            contexts: N of them.

        Returns:
            (N, S, S, 3) float32 in [0, 1]; the three channels are equal where the context says gray.

        Raises:
            ValueError: the faces have another shape, or there are not as many contexts.
            OperatorError: `not_finite` when a face holds NaN or infinity.
        """
        if faces.ndim != 4 or faces.shape[1] != faces.shape[2] or faces.shape[3] != 3:
            raise ValueError(f"faces of shape {faces.shape}: expected (N, S, S, 3)")
        if len(faces) != len(contexts):
            raise ValueError(f"{len(contexts)} contexts for {len(faces)} faces: expected one each")
        result = np.empty(faces.shape, dtype=np.float32)
        for index, context in enumerate(contexts):
            result[index] = self._one(np.asarray(faces[index], dtype=np.float32), context)
        return result

    def _one(self, face: NDArray[np.float32], context: FaceContext) -> NDArray[np.float32]:
        if not np.isfinite(face).all():
            raise OperatorError("not_finite", "face holds NaN or infinity: expected values from 0 to 1")
        options = self._options
        side = face.shape[0]
        # A crop that enlarges the face is examined at the face's own size: enlarged noise is no longer noise.
        working = min(side, max(min(side, _SMALLEST), round(side * context.reduction)))
        reduction = context.reduction * side / working
        before = _scaled(face, working)
        landmarks = transform(context.landmarks, scaling(working / side))
        after = self._without_defects(before, landmarks)
        after = self._smoothed(after, reduction, context.gray)
        if after is not before:
            face = np.clip(face + _scaled(after - before, side), 0.0, 1.0)
        if context.gray:
            face = np.ascontiguousarray(np.broadcast_to(_luma(face)[..., np.newaxis], face.shape))
        return unfaded(face, options.fading, context.gray)

    def _without_defects(self, face: NDArray[np.float32], landmarks: Points) -> NDArray[np.float32]:
        scratches, dust = self._options.scratches == "auto", self._options.dust == "auto"
        if not scratches and not dust:
            return face
        return filled(face, white_defects(face, landmarks, scratches, dust))

    def _smoothed(self, face: NDArray[np.float32], reduction: float, gray: bool) -> NDArray[np.float32]:
        luma = _luma(face)
        step = self._block_threshold(luma, reduction)
        planes = [luma] if gray else list(cv2.split(cv2.transform(face, _TO_LUMA_CHROMA)))
        changes = [self._change(np.asarray(plane, dtype=np.float32), step) for plane in planes]
        if not any(change.any() for change in changes):
            return face
        if gray:  # its luma changes in all channels alike
            return np.asarray(face + changes[0][..., np.newaxis], dtype=np.float32)
        return face + np.asarray(cv2.transform(cv2.merge(changes), _FROM_LUMA_CHROMA), dtype=np.float32)

    def _change(self, plane: Plane, step: float) -> Plane:
        """What is to be added to one plane; zero where nothing is wrong with it."""
        thresholds = np.hypot(self._noise_thresholds(plane), step).astype(np.float32)
        if not thresholds.any():
            return np.zeros_like(plane)
        return shrunk(plane, thresholds) - plane

    def _noise_thresholds(self, plane: Plane) -> Plane:
        """(8, 8) thresholds against noise."""
        denoise = self._options.denoise
        if denoise == "off":
            return np.zeros((SIZE, SIZE), dtype=np.float32)
        if denoise != "auto":
            return np.full((SIZE, SIZE), _NOISE_FACTOR * denoise / 255.0, dtype=np.float32)
        grain = grain_spectrum(plane)
        visible = np.sqrt(np.maximum(0.0, np.square(grain) - (_LEAST_GRAIN / 255.0) ** 2))
        return np.asarray(_NOISE_FACTOR * visible, dtype=np.float32)

    def _block_threshold(self, plane: Plane, reduction: float) -> float:
        """One threshold against JPEG artefacts, in the unit of the planes."""
        deblock = self._options.deblock
        if deblock == "off":
            return 0.0
        if deblock != "auto":
            return deblock / 255.0
        step = block_step(plane, reduction)
        # A crop that reduces the face averages the artefacts.
        return max(0.0, _STEP_FACTOR * step - _STEP_OFFSET) / max(1.0, reduction) / 255.0


def _luma(face: NDArray[np.float32]) -> Plane:
    """BT.601 luma; exactly the channel's value where the three are equal."""
    red, green, blue = face[..., 0], face[..., 1], face[..., 2]
    return np.asarray(green + 0.299 * (red - green) + 0.114 * (blue - green), dtype=np.float32)


def _scaled(face: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """A square at another side: averaged when it shrinks, bicubic when it grows."""
    if face.shape[0] == side:
        return face
    method = cv2.INTER_AREA if face.shape[0] > side else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(face, (side, side), interpolation=method), dtype=np.float32)
