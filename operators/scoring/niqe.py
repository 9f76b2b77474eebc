"""NIQE: how far a picture's statistics are from those of natural photographs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import cv2
import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

PATCH = 96
_SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))


@dataclass(frozen=True)
class NiqeModel:
    """Gaussian model of the features of pristine photographs.

    Attributes:
        mean: (36,) float64.
        covariance: (36, 36) float64.
    """

    mean: Values
    covariance: Values


@cache
def niqe_model() -> NiqeModel:
    """The parameters of the authors' own release (LIVE, 2011); `operators/data/NOTICE.md` says how they came here."""
    with (files("operators") / "data" / "niqe_parameters.npz").open("rb") as stream, np.load(stream) as arrays:
        return NiqeModel(mean=arrays["mean"], covariance=arrays["covariance"])


def niqe(plane: NDArray[np.float32], model: NiqeModel | None = None) -> float | None:
    """Naturalness Image Quality Evaluator; lower is more natural.

    A. Mittal, R. Soundararajan, A. C. Bovik, "Making a 'Completely Blind' Image Quality Analyzer", IEEE Signal
    Processing Letters 20 (2013): 36 features of 96 x 96 patches at two scales, and the Mahalanobis-like distance
    (equation 10) between their Gaussian model and that of pristine photographs. As in the authors' program, every
    patch of a test picture counts.

    Args:
        plane: (H, W) float32 luma in [0, 1]. Rows and columns that do not fill a patch are left out.
        model: another parameter set than the one of this package.

    Returns:
        Distance, at least 0; None when fewer than two patches fit or the plane has no texture at all.
    """
    model = model or niqe_model()
    height, width = (length // PATCH * PATCH for length in plane.shape)
    if height * width < 2 * PATCH * PATCH:
        return None
    picture = plane[:height, :width] * np.float32(255.0)
    features = np.hstack([_features(picture, PATCH), _features(_halved(picture), PATCH // 2)])
    features = features[np.isfinite(features).all(axis=1)]
    if len(features) < 2:
        return None
    difference = features.mean(axis=0) - model.mean
    covariance = (np.cov(features, rowvar=False) + model.covariance) / 2.0
    squared = float(difference @ np.linalg.pinv(covariance, hermitian=True) @ difference)
    return math.sqrt(max(0.0, squared))


def normalised(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean-subtracted contrast-normalised coefficients (equation 1): 7 x 7 Gaussian window, sigma 7/6.

    Args:
        picture: (H, W) float32 in [0, 255].

    Returns:
        (H, W) float32.
    """
    window = cv2.getGaussianKernel(7, 7.0 / 6.0, cv2.CV_32F)
    mean = cv2.sepFilter2D(picture, cv2.CV_32F, window, window, borderType=cv2.BORDER_REPLICATE)
    square = cv2.sepFilter2D(picture * picture, cv2.CV_32F, window, window, borderType=cv2.BORDER_REPLICATE)
    deviation = np.sqrt(np.abs(square - mean * mean))
    return np.asarray((picture - mean) / (deviation + np.float32(1.0)), dtype=np.float32)


def _halved(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Half the size by the antialiased bicubic filter of the authors' program (Keys 1981, a = -0.5, stretched by 2)."""
    x = np.abs(np.arange(-3.5, 4.0) / 2.0)
    inner = (1.5 * x - 2.5) * x * x + 1.0
    outer = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    kernel = np.where(x <= 1.0, inner, outer)
    kernel /= kernel.sum()
    # An even filter has no middle tap: with anchor 3 the value at pixel 2k is centred between 2k and 2k + 1.
    smooth = cv2.sepFilter2D(picture, cv2.CV_32F, kernel, kernel, anchor=(3, 3), borderType=cv2.BORDER_REFLECT)
    return np.ascontiguousarray(smooth[::2, ::2], dtype=np.float32)


def _features(picture: NDArray[np.float32], patch: int) -> Values:
    """(N, 18) features of the N patches of one scale, rows of patches first."""
    coefficients = normalised(picture)
    down, across = picture.shape[0] // patch, picture.shape[1] // patch
    patches = coefficients.reshape(down, patch, across, patch).swapaxes(1, 2).reshape(-1, patch, patch)
    alpha, _, left, right = _asymmetric_gaussian(patches)
    columns = [alpha, (left + right) / 2.0]
    for shift in _SHIFTS:
        columns += _asymmetric_gaussian(patches * np.roll(patches, shift, axis=(1, 2)))
    return np.stack(columns, axis=1)


def _asymmetric_gaussian(patches: NDArray[np.float32]) -> tuple[Values, Values, Values, Values]:
    """Fit an asymmetric generalised Gaussian to each patch by moments (equations 4 to 9).

    Lasmar, Stitou, Berthoumieu, "Multiscale skewed heavy tailed model for texture analysis", ICIP 2009.

    Args:
        patches: (N, P, P) float32.

    Returns:
        Shape alpha, mean eta, left scale and right scale, each (N,) float64; not finite where a patch is constant.
    """
    flat = patches.reshape(len(patches), -1)
    below, above = _sums(cv2.min(flat, 0.0) ** 2), _sums(cv2.max(flat, 0.0) ** 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        left = np.sqrt(below / _sums((flat < 0).view(np.uint8)))
        right = np.sqrt(above / _sums((flat > 0).view(np.uint8)))
        ratio = left / right
        spread = _sums(np.abs(flat)) ** 2 / (below + above) / flat.shape[1]
        target = spread * (ratio**3 + 1.0) * (ratio + 1.0) / (ratio**2 + 1.0) ** 2
    shapes, ratios, scales, means = _shape_table()
    nearest = np.clip(np.searchsorted(ratios, np.nan_to_num(target)), 1, len(ratios) - 1)
    nearest -= (np.abs(ratios[nearest - 1] - target) <= np.abs(ratios[nearest] - target)).astype(np.intp)
    left, right = left * scales[nearest], right * scales[nearest]
    return shapes[nearest], (right - left) * means[nearest], left, right


def _sums(rows: NDArray[np.float32] | NDArray[np.uint8]) -> Values:
    """Sum of each row, added up in double precision."""
    return np.asarray(cv2.reduce(rows, 1, cv2.REDUCE_SUM, dtype=cv2.CV_64F), dtype=np.float64)[:, 0]


@cache
def _shape_table() -> tuple[Values, Values, Values, Values]:
    """For shapes 0.2 to 10 by 0.001: the moment ratio, the scale per deviation and the mean per scale difference."""
    shapes = np.arange(0.2, 10.0, 0.001)
    log_gamma = np.array([[math.lgamma(k / shape) for k in (1.0, 2.0, 3.0)] for shape in shapes])
    ratios = np.exp(2.0 * log_gamma[:, 1] - log_gamma[:, 0] - log_gamma[:, 2])
    scales = np.exp((log_gamma[:, 0] - log_gamma[:, 2]) / 2.0)
    means = np.exp(log_gamma[:, 1] - log_gamma[:, 0])
    return shapes, ratios, scales, means
