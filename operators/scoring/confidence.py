"""How sure the face detector is of the face in an aligned crop."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from operators.faces.face import Points
from operators.faces.geometry import scaling, transform
from operators.faces.yunet import YuNet
from operators.scoring.planes import resized

# An aligned face has its eyes about a quarter of the side apart: 50 px here, in the middle of what YuNet is good at.
_SIDE = 224
_LEAST_CONFIDENCE = 0.05


class FaceConfidence:
    """YuNet's confidence in the face that the landmarks point at.

    `operators.faces.yunet` says which network it is. Holds one detector, which is not safe to share between threads.

    Raises:
        operators.models.ModelFileError: on construction, when the model file is missing or not the expected one.
    """

    def __init__(self) -> None:
        self._network = YuNet()

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
        found = self._network.detect(view, _LEAST_CONFIDENCE)
        if not found:
            return 0.0
        expected = transform(landmarks, scaling(_SIDE / side))
        distances = [float(np.linalg.norm(face.landmarks - expected, axis=1).mean()) for face in found]
        nearest = int(np.argmin(distances))
        # Half the distance between the eyes is more than landmarks move, and less than another face is away.
        near = distances[nearest] <= 0.5 * math.dist(expected[0], expected[1])
        return found[nearest].confidence if near else 0.0
