"""How OpenCV is set in a worker."""

from __future__ import annotations

import cv2


def settle_opencv() -> None:
    """One thread, since workers are processes and results must not depend on the machine; only errors in the log."""
    cv2.setNumThreads(1)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
