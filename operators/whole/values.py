"""Windows as pictures have them to batches as networks take them, and back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from operators.errors import OperatorError
from operators.whole.networks import Values
from operators.whole.samples import Window

Planes = NDArray[np.float32]
"""(N, 3, T, T')."""


def to_planes(windows: Window, values: Values) -> Planes:
    """Lay windows out for a network.

    Args:
        windows: (N, T, T', 3) float32 in [0, 1].
        values: what 0 and 1 become.

    Returns:
        (N, 3, T, T') float32, contiguous, a new array.
    """
    low, high = _triples(values)
    planes = np.empty((len(windows), 3, *windows.shape[1:3]), np.float32)
    np.multiply(windows.transpose(0, 3, 1, 2), high - low, out=planes)
    planes += low
    return planes


def to_windows(planes: Planes, values: Values, name: str) -> Window:
    """Take windows out of what a network returned; what lies beyond 0 and 1 is clipped.

    Args:
        planes: (N, 3, T, T') float32.
        values: what stands for 0 and 1.
        name: of the network, for the error.

    Returns:
        (N, T, T', 3) float32 in [0, 1], a new array.

    Raises:
        OperatorError: code `not_finite`.
    """
    if not np.isfinite(planes).all():
        raise OperatorError(
            "not_finite", f"{name} returned NaN or infinity for a picture: try precision fp32, or another engine"
        )
    low, high = _triples(values)
    windows = np.empty((len(planes), *planes.shape[2:], 3), np.float32)
    np.subtract(planes, low, out=windows.transpose(0, 3, 1, 2))
    windows /= (high - low)[:, 0, 0]
    return np.clip(windows, 0.0, 1.0, out=windows)


def _triples(values: Values) -> tuple[Planes, Planes]:
    low, high = (np.array(triple, np.float32)[:, None, None] for triple in (values.low, values.high))
    return low, high
