"""One real face, aligned as FFHQ, and versions of it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from operators.faces.align import align, cut
from operators.faces.detect import Detector
from operators.images.raster import Raster


@pytest.fixture(scope="session")
def face() -> np.ndarray:
    """(192, 192, 3) uint8."""
    raster = Raster(np.ascontiguousarray(data.astronaut()), "rgb")
    found = Detector().find(lambda: raster, raster.pixels, (1.0, 1.0))
    crop = cut(raster, align(found[0].landmarks, "ffhq", 192), 192)
    return np.asarray(np.rint(crop.pixels * 255), np.uint8)


@pytest.fixture(scope="session")
def soft(face: np.ndarray) -> np.ndarray:
    """The face, blurred a little."""
    return np.asarray(cv2.GaussianBlur(face, (0, 0), 1.5), np.uint8)
