"""Faces as the flow has them to batches as networks take them, and back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from operators.errors import OperatorError

Face = NDArray[np.float32]


def check_crops(faces: NDArray[np.float32], contexts: int, size: int) -> None:
    """See that a batch is what a restorer of one size takes.

    Args:
        faces: of the batch.
        contexts: how many there are.
        size: side in pixels that the crops must have.

    Raises:
        ValueError: the faces have another shape, or there are not as many contexts.
        OperatorError: `not_finite` when a face holds NaN or infinity.
    """
    if faces.ndim != 4 or faces.shape[1:] != (size, size, 3):
        raise ValueError(f"faces of shape {faces.shape}: expected (N, {size}, {size}, 3)")
    if len(faces) != contexts:
        raise ValueError(f"{contexts} contexts for {len(faces)} faces: expected one each")
    if not np.isfinite(faces).all():
        raise OperatorError("not_finite", "a face holds NaN or infinity: expected values from 0 to 1")


def to_batch(faces: Sequence[Face], values: tuple[float, float]) -> NDArray[np.float32]:
    """Lay faces out for a network, in one new array.

    Args:
        faces: N of (S, S, 3) float32 in [0, 1], N > 0.
        values: what 0 and 1 become.

    Returns:
        (N, 3, S, S) float32, contiguous.
    """
    side = faces[0].shape[0]
    batch = np.empty((len(faces), 3, side, side), dtype=np.float32)
    low, high = values
    for planes, face in zip(batch, faces, strict=True):
        np.multiply(face.transpose(2, 0, 1), np.float32(high - low), out=planes)
    batch += np.float32(low)
    return batch


def to_face(planes: NDArray[np.float32], values: tuple[float, float], name: str) -> Face:
    """Take one face out of what a network returned.

    Args:
        planes: (3, S, S) float32.
        values: what stands for 0 and 1.
        name: of the network, for the error.

    Returns:
        (S, S, 3) float32 in [0, 1], a new contiguous array.

    Raises:
        OperatorError: code `not_finite`.
    """
    if not np.isfinite(planes).all():
        raise OperatorError(
            "not_finite", f"{name} returned NaN or infinity for a face: try precision fp32, or another engine"
        )
    low, high = values
    face = np.empty((*planes.shape[1:], 3), dtype=np.float32)
    np.subtract(planes.transpose(1, 2, 0), np.float32(low), out=face)
    face /= np.float32(high - low)
    return np.clip(face, 0.0, 1.0, out=face)
