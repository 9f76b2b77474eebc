"""Plane geometry of faces: affine maps between pixel grids, written as (2, 3) matrices.

Coordinates put (0, 0) at the centre of the first pixel. A map takes a column point p to `A[:, :2] @ p + A[:, 2]`.
"""

from __future__ import annotations

import numpy as np

from operators.errors import OperatorError
from operators.faces.face import Affine, Points


def identity() -> Affine:
    """Return the map that moves nothing."""
    return np.hstack([np.eye(2), np.zeros((2, 1))])


def translation(x: float, y: float) -> Affine:
    """Return the map that adds (x, y)."""
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y]])


def scaling(scale_x: float, scale_y: float | None = None) -> Affine:
    """Return the map from an image's pixels to those of the same image resized by the given factors.

    The image's outer edge lies half a pixel outside the first pixel's centre and stays where it is, so a coordinate x
    goes to `(x + 0.5) * scale - 0.5`.

    Args:
        scale_x: new width / old width.
        scale_y: new height / old height; `scale_x` when None.
    """
    scale_y = scale_x if scale_y is None else scale_y
    return np.array([[scale_x, 0.0, 0.5 * scale_x - 0.5], [0.0, scale_y, 0.5 * scale_y - 0.5]])


def compose(*maps: Affine) -> Affine:
    """Chain maps; the first argument is applied first."""
    result = np.eye(3)
    for one in maps:
        result = np.vstack([one, [0.0, 0.0, 1.0]]) @ result
    return result[:2]


def invert(affine: Affine) -> Affine:
    """Return the inverse map.

    Raises:
        ValueError: the map is singular.
    """
    if abs(np.linalg.det(affine[:, :2])) < 1e-12:
        raise ValueError(f"affine map {affine.tolist()} is singular: expected one that can be inverted")
    inverse: Affine = np.linalg.inv(np.vstack([affine, [0.0, 0.0, 1.0]]))[:2]
    return inverse


def transform(points: Points, affine: Affine) -> Points:
    """Map points.

    Args:
        points: (N, 2) float64 x, y.
        affine: (2, 3).

    Returns:
        (N, 2) float64.
    """
    mapped: Points = np.asarray(points, dtype=np.float64) @ affine[:, :2].T + affine[:, 2]
    return mapped


def magnification(affine: Affine) -> float:
    """Return the length factor of a similarity (square root of the area factor of any affine map)."""
    return float(np.sqrt(abs(np.linalg.det(affine[:, :2]))))


def square_corners(size: int) -> Points:
    """Return the (4, 2) outer corners of a crop's square: half a pixel outside its outermost pixel centres."""
    low, high = -0.5, size - 0.5
    return np.array([[low, low], [high, low], [high, high], [low, high]])


def bounds(points: Points) -> tuple[float, float, float, float]:
    """Return x0, y0, x1, y1 of the smallest upright box that holds all points."""
    (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
    return float(x0), float(y0), float(x1), float(y1)


def pixel_window(points: Points, width: int, height: int, margin: float = 0.0) -> tuple[int, int, int, int]:
    """Return the pixels of an image that a shape touches.

    Args:
        points: (N, 2) corners of the shape in the image's pixel coordinates.
        width: of the image.
        height: of the image.
        margin: pixels added on each side before clipping.

    Returns:
        left, top, right, bottom: a half-open window inside the image; empty (right <= left or bottom <= top) when the
        shape lies outside.
    """
    x0, y0, x1, y1 = bounds(points)
    left, top = int(np.floor(x0 - margin + 0.5)), int(np.floor(y0 - margin + 0.5))
    right, bottom = int(np.ceil(x1 + margin - 0.5)) + 1, int(np.ceil(y1 + margin - 0.5)) + 1
    return max(left, 0), max(top, 0), min(right, width), min(bottom, height)


def similarity(source: Points, target: Points) -> Affine:
    """Fit the similarity (rotation, uniform scale, translation; never a mirror) that brings points nearest to others.

    Least squares over all points: S. Umeyama, Least-squares estimation of transformation parameters between two point
    patterns, IEEE TPAMI 13(4), 1991, equations 39 to 43. The sign matrix S keeps the determinant positive.

    Args:
        source: (N, 2) points, N >= 2.
        target: (N, 2) where they shall go.

    Returns:
        (2, 3) float64 map from source to target.

    Raises:
        OperatorError: code `bad_landmarks`; the source points all coincide, a coordinate is not finite, or the points
            fit the target in no orientation.
    """
    source, target = np.asarray(source, dtype=np.float64), np.asarray(target, dtype=np.float64)
    if not (np.isfinite(source).all() and np.isfinite(target).all()):
        raise OperatorError(
            "bad_landmarks", "landmarks hold a coordinate that is not finite: expected pixel coordinates"
        )
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    source_centred, target_centred = source - source_mean, target - target_mean
    variance = float((source_centred**2).sum() / len(source))
    if variance < 1e-12:
        raise OperatorError("bad_landmarks", "landmarks all lie on one point: expected five distinct points")
    u, singular, vt = np.linalg.svd(target_centred.T @ source_centred / len(source))
    sign = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    rotation = u @ np.diag(sign) @ vt
    scale = float((singular * sign).sum() / variance)
    if scale <= 0.0:
        raise OperatorError(
            "bad_landmarks", "landmarks fit the template in no orientation: expected five points of a face"
        )
    linear = scale * rotation
    return np.column_stack([linear, target_mean - linear @ source_mean])
