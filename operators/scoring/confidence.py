"""How sure the face detector is of the face in an aligned crop."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.faces.face import Points
from operators.models import locate
from operators.scoring.planes import resized

# An aligned face has its eyes about a quarter of the side apart: 50 px here, in the middle of what YuNet is good at.
_SIDE = 224
_LEAST_CONFIDENCE = 0.05
_CANDIDATES = 50


class FaceConfidence:
    """YuNet's confidence in the face that the landmarks point at.

    W. Wu, H. Peng, S. Yu, "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research 20 (2023).
    Holds one detector, which is not safe to share between threads.

    Raises:
        operators.models.ModelFileError: on construction, when the model file is missing or not the expected one.
    """

    def __init__(self) -> None:
        self._detector = cv2.FaceDetectorYN.create(
            str(locate("yunet")), "", (_SIDE, _SIDE), _LEAST_CONFIDENCE, 0.3, _CANDIDATES
        )

    def measure(self, crop: NDArray[np.float32], landmarks: Points) -> float:
        """Look at one crop.

        Args:
            crop: (S, S, 3) float32 in [0, 1], RGB.
            landmarks: (5, 2) float64 in pixels of `crop`.

        Returns:
            Confidence in [0, 1] of the detection whose landmarks lie nearest; 0 when none lies near.
        """
        side = crop.shape[0]
        view = np.rint(np.clip(resized(crop, _SIDE), 0.0, 1.0) * 255.0).astype(np.uint8)
        _, found = self._detector.detect(cv2.cvtColor(view, cv2.COLOR_RGB2BGR))
        if found is None:
            return 0.0
        expected = (landmarks + 0.5) * (_SIDE / side) - 0.5
        eyes = math.dist(expected[0], expected[1])
        distances = np.linalg.norm(found[:, 4:14].reshape(-1, 5, 2) - expected, axis=2).mean(axis=1)
        nearest = int(np.argmin(distances))
        # Half the distance between the eyes is more than landmarks move, and less than another face is away.
        return float(found[nearest, 14]) if distances[nearest] <= 0.5 * eyes else 0.0
