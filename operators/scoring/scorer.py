"""All measures of a face or an image in one call."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.errors import OperatorError
from operators.faces.face import Points
from operators.faces.geometry import scaling, transform
from operators.scoring.confidence import FaceConfidence
from operators.scoring.exposure import exposure
from operators.scoring.identity import IdentityModel
from operators.scoring.niqe import niqe
from operators.scoring.noise import noise_sigma
from operators.scoring.planes import COMMON_SIDE, Plane, face_part, luma, resized
from operators.scoring.scores import CropScores, FaceScores, ImageScores
from operators.scoring.sharpness import sharpness

_LEVELS = 255.0
_VIEW_SIDE = 1024

# Enough digits for any threshold, and few enough that the order of a sum does not show.
_DIGITS = 5


@dataclass(frozen=True)
class ScoreOptions:
    """Which measures are taken.

    Attributes:
        sharpness: of faces and images.
        exposure: brightness, contrast and clipping, of faces and images.
        noise: of faces and images.
        niqe: of faces.
        confidence: of faces.
        identity: of faces, before against after.
    """

    sharpness: bool = True
    exposure: bool = True
    noise: bool = True
    niqe: bool = True
    confidence: bool = True
    identity: bool = True


class Scorer:
    """Measures faces before and after restoration, and whole images.

    Not safe to share between threads: it holds a detector. A face's scores depend on that face alone.

    Args:
        options: which measures are taken.
    """

    def __init__(self, options: ScoreOptions | None = None) -> None:
        self.options = options or ScoreOptions()
        self._confidence: FaceConfidence | None = None
        self._identity: IdentityModel | None = None

    def setup(self) -> None:
        """Load the networks that the options need; called once in the process that will score.

        Raises:
            operators.models.ModelFileError: a model file is missing or not the expected one.
        """
        if self.options.confidence and self._confidence is None:
            self._confidence = FaceConfidence()
        if self.options.identity and self._identity is None:
            self._identity = IdentityModel()

    def score(
        self,
        before: Sequence[NDArray[np.float32]],
        after: Sequence[NDArray[np.float32]],
        landmarks: Sequence[Points],
    ) -> list[FaceScores]:
        """Compare faces with what a restorer made of them.

        Args:
            before: crops, (S, S, 3) float32 in [0, 1], RGB; S may differ from face to face.
            after: as many, each showing the same square; their side may differ from that of `before`.
            landmarks: as many, (5, 2) float64 in pixels of `before`.

        Returns:
            One result a face, in order.

        Raises:
            ValueError: the three differ in length, or `setup` was not called.
            OperatorError: `not_finite` when a crop holds NaN or infinity, `bad_crop` when it is not a square.
        """
        return [self._pair(*face) for face in zip(before, after, landmarks, strict=True)]

    def score_crop(self, crop: NDArray[np.float32], landmarks: Points) -> CropScores:
        """Measure one face.

        Args:
            crop: (S, S, 3) float32 in [0, 1], RGB.
            landmarks: (5, 2) float64 in its pixels.

        Returns:
            The measures that the options ask for.

        Raises:
            ValueError: `setup` was not called.
            OperatorError: `not_finite` when the crop holds NaN or infinity, `bad_crop` when it is not a square.
        """
        _check(crop)
        own = luma(crop)
        common = np.clip(resized(own, COMMON_SIDE), 0.0, 1.0)
        return CropScores(
            **self._tones(face_part(common)),
            noise=self._noise(face_part(own)),
            niqe=_rounded(niqe(common)) if self.options.niqe else None,
            confidence=_rounded(_ready(self._confidence).measure(crop, landmarks)) if self.options.confidence else None,
        )

    def score_image(self, view: NDArray[np.uint8]) -> ImageScores:
        """Measure a whole image.

        Args:
            view: (H, W, 3) uint8, RGB, usually reduced.

        Returns:
            The measures that the options ask for.

        Raises:
            OperatorError: `bad_view` when the array is not such a view.
        """
        if view.ndim != 3 or view.shape[2] != 3 or view.dtype != np.uint8 or view.size == 0:
            raise OperatorError(
                "bad_view", f"view of shape {view.shape} and type {view.dtype}: expected (H, W, 3) uint8 to score"
            )
        own = cv2.cvtColor(np.ascontiguousarray(view), cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(_LEVELS)
        scale = _VIEW_SIDE / max(own.shape)
        common = own
        if scale < 1.0:
            size = tuple(max(1, round(length * scale)) for length in own.shape[::-1])
            common = np.asarray(cv2.resize(own, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
        return ImageScores(**self._tones(common), noise=self._noise(own))

    def _pair(self, before: NDArray[np.float32], after: NDArray[np.float32], landmarks: Points) -> FaceScores:
        first = self.score_crop(before, landmarks)
        if before.shape == after.shape and np.array_equal(before, after):
            # A face that no step touched: nothing to measure again.
            return FaceScores(before=first, after=first, identity=self._same(before, landmarks))
        moved = transform(landmarks, scaling(after.shape[0] / before.shape[0]))
        second = self.score_crop(after, moved)
        identity = None
        if self.options.identity:
            identity = _rounded(_ready(self._identity).similarity(before, after, (landmarks, moved)))
        return FaceScores(before=first, after=second, identity=identity)

    def _same(self, crop: NDArray[np.float32], landmarks: Points) -> float | None:
        """Identity of a crop with itself: 1 wherever it can be computed at all."""
        if not self.options.identity or _ready(self._identity).feature(crop, landmarks) is None:
            return None
        return 1.0

    def _tones(self, plane: Plane) -> dict[str, float | None]:
        tones: dict[str, float | None] = {}
        if self.options.sharpness:
            tones["sharpness"] = _rounded(sharpness(plane))
        if self.options.exposure:
            tones |= {name: _rounded(value) for name, value in asdict(exposure(plane)).items()}
        return tones

    def _noise(self, plane: Plane) -> float | None:
        sigma = noise_sigma(plane) if self.options.noise else None
        return None if sigma is None else _rounded(sigma * _LEVELS)


def _check(crop: NDArray[np.float32]) -> None:
    if crop.ndim != 3 or crop.shape[0] != crop.shape[1] or crop.shape[2] != 3 or crop.size == 0:
        raise OperatorError("bad_crop", f"crop of shape {crop.shape}: expected (S, S, 3) to score")
    if not np.isfinite(crop).all():
        raise OperatorError("not_finite", "crop holds NaN or infinity: expected values from 0 to 1; check the restorer")


def _rounded(value: float | None) -> float | None:
    return round(value, _DIGITS) if value is not None and math.isfinite(value) else None


def _ready(model: Any) -> Any:
    if model is None:
        raise ValueError("Scorer.setup() was not called in this process")
    return model
