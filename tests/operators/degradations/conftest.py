"""A photograph that scikit-image carries with it."""

import numpy as np
import pytest
from skimage.data import astronaut


@pytest.fixture(scope="session")
def portrait():
    """(256, 256, 3) float32 in [0, 1], RGB; read-only, so that a step that writes into its input fails."""
    image = np.ascontiguousarray(astronaut()[:256, 96:352], dtype=np.float32) / np.float32(255)
    image.flags.writeable = False
    return image


@pytest.fixture(scope="session")
def grey():
    """(128, 160, 3) float32: one grey, so that statistics need no picture."""
    image = np.full((128, 160, 3), 0.5, dtype=np.float32)
    image.flags.writeable = False
    return image
