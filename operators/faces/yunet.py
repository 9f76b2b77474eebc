"""YuNet on one view of moderate size.

Wu, Peng, Yu: YuNet: A Tiny Millisecond-level Face Detector, Machine Intelligence Research 20, 2023. The network is
that of OpenCV Zoo, 2023-03, block-quantised to int8, run by OpenCV's FaceDetectorYN.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.faces.face import Detection
from operators.models import locate

_SUPPRESSION = 0.3
"""Intersection over union above which YuNet itself drops the weaker of two boxes (the Zoo's own setting)."""
_CANDIDATES = 5000
"""Boxes that enter that suppression (the Zoo's own setting)."""


class YuNet:
    """The detector's network. Not safe to share between threads: make one for each."""

    def __init__(self) -> None:
        self._network = cv2.FaceDetectorYN.create(str(locate("yunet")), "", (320, 320), 0.5, _SUPPRESSION, _CANDIDATES)

    def detect(self, view: NDArray[np.uint8], min_confidence: float) -> list[Detection]:
        """Find the faces of a view.

        Faces whose eyes are 12 to 150 pixels apart are found reliably (all of 45 portraits at each size, upright; 10
        pixels: confidence down to 0.77, 8 pixels: 0.58; 300 pixels: 0.61).

        Args:
            view: (h, w, 3) uint8 RGB, faces upright.
            min_confidence: in [0, 1].

        Returns:
            the faces in pixels of the view, the most confident first.
        """
        height, width = view.shape[:2]
        self._network.setInputSize((width, height))
        self._network.setScoreThreshold(min_confidence)
        _, rows = self._network.detect(cv2.cvtColor(view, cv2.COLOR_RGB2BGR))
        if rows is None:
            return []
        found = [_detection(row) for row in np.asarray(rows, dtype=np.float64) if np.isfinite(row).all()]
        return sorted(found, key=lambda face: (-face.confidence, face.box))


def _detection(row: NDArray[np.float64]) -> Detection:
    """Read one of YuNet's rows: box as x, y, w, h; landmarks in the order of `Detection`; confidence."""
    x, y, w, h = row[:4]
    box = (float(x), float(y), float(x + w), float(y + h))
    return Detection(box, row[4:14].reshape(5, 2), float(min(max(row[14], 0.0), 1.0)))
