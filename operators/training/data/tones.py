"""What a network should make of a picture of one tone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from operators.faces.tone import is_toned, lock

Pixels = NDArray[np.uint8]


def in_its_tone(bad: Pixels, good: Pixels) -> Pixels:
    """What a network should make of a picture of one tone: the good picture's luma, in that tone.

    The colours of a face cannot be told from a grey or sepia print of it. A network that is to guess them learns the
    mean's, and spends on them what it learns with; a restorer with `keep_tone` takes nothing but luma from it.

    Args:
        bad: (h, w, 3) uint8 RGB, as it is given to the network.
        good: (H, W, 3) uint8 RGB.

    Returns:
        (H, W, 3) uint8; `good` itself where `bad` has colours.
    """
    if not is_toned(bad):
        return good
    locked = lock(*(picture.astype(np.float32) / np.float32(255.0) for picture in (bad, good)))
    return np.asarray(np.rint(locked * np.float32(255.0)), np.uint8)
