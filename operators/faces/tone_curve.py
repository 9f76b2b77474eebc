"""The tone of a picture with one tone: chroma as a function of luma, and a stain that drifts slowly across it.

Colours are taken apart as ITU-R BT.601-7 does (section 2.5), on the R'G'B' values as they are: luma
Y = 0.299 R + 0.587 G + 0.114 B, and the differences Cb = 0.564 (B - Y), Cr = 0.713 (R - Y). Y is the luma that the
flow keeps of grey pictures, and JPEG codes these three, so its noise in chroma does not leak into luma. The way back is
linear in chroma: luma is kept exactly whatever chroma is put beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from operators.errors import OperatorError

Pixels = NDArray[np.uint8] | NDArray[np.float32]
Plane = NDArray[np.float32]

VIEW = 128
"""Side of the square view, in pixels, on which a tone is measured; the picture's proportions do not matter to it."""
_BINS = 64
"""Steps of luma; toning changes slowly with luma."""
_SPREAD = 2.0
"""Standard deviation, in steps, of the kernel that smooths over neighbouring luma."""
_SUPPORT = 5e-4
"""Part of the picture that must have about a luma for the curve to be measured there; else it continues level."""
_FINE = 4096
"""Steps of luma at which the curve is tabled for a picture; less than a twentieth of an 8-bit level is lost by it."""
_RIDGE = 1e-4
"""Weight of keeping the drift small, as a part of the weight of the pixels: it decides where a mask hides them."""
_ROUNDS = 3
"""Rounds in which curve and drift are fitted, each to what the other leaves."""

_CB, _CR = 0.564, 0.713
_RED, _GREEN_CB, _GREEN_CR, _BLUE = 1.0 / _CR, -0.114 / 0.587 / _CB, -0.299 / 0.587 / _CR, 1.0 / _CB


@dataclass(frozen=True)
class Tone:
    """Chroma that a picture has at a luma and a place.

    Attributes:
        luma: (B,) float64, ascending lumas at which the curve is known; level beyond both ends.
        curve: (B, 2) float64 Cb, Cr at them.
        drift: (6, 2) float64 coefficients of 1, x, y, x^2, y^2, xy, of chroma in units of luma, as a stain multiplies
            the light; x and y go from -1 to 1 across the picture.
        limits: (2, 2) float64 least and most of Cb and Cr in the picture; no more is ever given back.
    """

    luma: NDArray[np.float64]
    curve: NDArray[np.float64]
    drift: NDArray[np.float64]
    limits: NDArray[np.float64]

    def chroma(self, luma: Plane) -> tuple[Plane, Plane]:
        """Cb and Cr of a picture of this tone.

        Args:
            luma: (H, W) float32 of the same square of the picture at any size; values beyond those measured get the
                chroma of the nearest.

        Returns:
            (H, W) float32 Cb and Cr.
        """
        places = _places(*luma.shape)
        steps = np.clip(luma * np.float32(_FINE - 1) + np.float32(0.5), 0, _FINE - 1).astype(np.int32)
        planes = []
        for band in (0, 1):
            curve = np.interp(np.arange(_FINE) / (_FINE - 1), self.luma, self.curve[:, band]).astype(np.float32)
            plane = curve[steps] + luma * _surface(places, self.drift[:, band]).astype(np.float32)
            planes.append(np.clip(plane, *self.limits[:, band].astype(np.float32)))
        return planes[0], planes[1]


def view_of(pixels: Pixels) -> NDArray[np.float32]:
    """Average a picture to the view on which tones are measured.

    Args:
        pixels: (H, W, 3) uint8, or float32 in [0, 1]; RGB.

    Returns:
        (VIEW, VIEW, 3) float32 in [0, 1].

    Raises:
        ValueError: another shape or type.
        OperatorError: code `not_finite`.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape or pixels.dtype not in (np.uint8, np.float32):
        raise ValueError(f"pixels {pixels.shape} {pixels.dtype}: expected (H, W, 3) uint8 or float32, not empty")
    view = np.asarray(cv2.resize(pixels, (VIEW, VIEW), interpolation=cv2.INTER_AREA))
    if view.dtype == np.uint8:
        return np.asarray(view / np.float32(255.0), dtype=np.float32)
    if not np.isfinite(view).all():
        raise OperatorError("not_finite", "pixels hold NaN or infinity: expected values from 0 to 1")
    return np.asarray(view, dtype=np.float32)


def luma_of(rgb: NDArray[np.float32]) -> Plane:
    """BT.601 luma of (..., 3) float32; exactly the channel's value where the three are equal."""
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    return np.asarray(green + 0.299 * (red - green) + 0.114 * (blue - green), dtype=np.float32)


def chroma_of(rgb: NDArray[np.float32], luma: Plane) -> tuple[Plane, Plane]:
    """Cb and Cr of (..., 3) float32 whose luma is known; exactly 0 where the three channels are equal."""
    return (
        np.asarray(_CB * (rgb[..., 2] - luma), dtype=np.float32),
        np.asarray(_CR * (rgb[..., 0] - luma), dtype=np.float32),
    )


def joined(luma: Plane, blue: Plane, red: Plane) -> NDArray[np.float32]:
    """Put luma and chroma together; chroma that the luma has no room for shrinks in proportion, luma stays.

    Args:
        luma: (H, W) float32 in [0, 1].
        blue: (H, W) float32 Cb.
        red: (H, W) float32 Cr.

    Returns:
        (H, W, 3) float32 in [0, 1], RGB.
    """
    offsets = (
        np.float32(_RED) * red,
        np.float32(_GREEN_CB) * blue + np.float32(_GREEN_CR) * red,
        np.float32(_BLUE) * blue,
    )
    upwards = np.maximum(np.maximum(*offsets[:2]), offsets[2])
    downwards = -np.minimum(np.minimum(*offsets[:2]), offsets[2])
    # Share of the chroma for which there is room; the small number stands for none to be fitted in.
    tiny = np.float32(1e-12)
    room = np.minimum((1.0 - luma) / np.maximum(upwards, tiny), luma / np.maximum(downwards, tiny))
    room = np.minimum(room, np.float32(1.0))
    rgb = np.empty((*luma.shape, 3), dtype=np.float32)
    for band, offset in enumerate(offsets):
        np.add(luma, offset * room, out=rgb[..., band])
    return np.clip(rgb, 0.0, 1.0, out=rgb)


def fit(view: NDArray[np.float32], weights: Plane | None = None) -> Tone:
    """Fit curve and drift to a picture.

    The curve is a kernel regression over luma (Nadaraya 1964, Watson 1964) on a histogram. The drift, a quadratic
    surface times luma, is fitted by least squares to what the curve leaves: stains and yellow edges do not follow from
    luma.

    Args:
        view: (VIEW, VIEW, 3) float32 in [0, 1], from `view_of`.
        weights: (VIEW, VIEW) float32, how much each pixel counts; None for all alike. All zero counts as None.

    Returns:
        The tone.
    """
    luma = luma_of(view)
    planes = [np.asarray(plane, np.float64).ravel() for plane in chroma_of(view, luma)]
    counts = np.ones(luma.size) if weights is None or not weights.any() else weights.astype(np.float64).ravel()
    steps = np.clip((luma.ravel() * _BINS).astype(np.int64), 0, _BINS - 1)
    present = _smoothed(np.bincount(steps, counts, _BINS))
    known = present >= _SUPPORT * counts.sum()
    centres = (np.arange(_BINS) + 0.5)[known] / _BINS
    places = _places(*luma.shape)
    basis = _basis(places) * luma.reshape(-1, 1)
    # einsum adds in one order; the rounding of a matrix product may depend on the number of threads.
    system = np.einsum("ni,nj->ij", basis, basis * counts[:, None])
    system += (_RIDGE * np.trace(system) + 1e-12) * np.eye(len(system))
    curves, drifts, limits = [], [], []
    for plane in planes:
        drift = np.zeros(len(system))
        curve = np.zeros(len(centres))
        for _ in range(_ROUNDS):
            stain = luma.ravel() * _surface(places, drift).ravel()
            curve = _smoothed(np.bincount(steps, counts * (plane - stain), _BINS))[known] / present[known]
            rest = plane - np.interp(luma.ravel(), centres, curve)
            drift = np.linalg.solve(system, np.einsum("ni,n->i", basis, counts * rest))
        curves.append(curve)
        drifts.append(drift)
        seen = plane[counts > 0.0]
        limits.append([seen.min(), seen.max()])
    return Tone(centres, np.stack(curves, axis=1), np.stack(drifts, axis=1), np.array(limits).T)


def _smoothed(histogram: NDArray[Any]) -> NDArray[np.float64]:
    reach = int(4 * _SPREAD)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / _SPREAD) ** 2)
    return np.convolve(histogram, kernel / kernel.sum(), mode="same")


def _places(height: int, width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Columns (1, W) and rows (H, 1) from -1 to 1, the outer edges of the picture."""
    rows, columns = ((2.0 * np.arange(size) + 1.0) / size - 1.0 for size in (height, width))
    return columns[np.newaxis, :], rows[:, np.newaxis]


def _basis(places: tuple[NDArray[np.float64], NDArray[np.float64]]) -> NDArray[np.float64]:
    x, y = np.broadcast_arrays(*places)
    return np.stack([term.ravel() for term in (np.ones_like(x), x, y, x * x, y * y, x * y)], axis=1)


def _surface(
    places: tuple[NDArray[np.float64], NDArray[np.float64]], drift: NDArray[np.float64]
) -> NDArray[np.float64]:
    x, y = places
    surface: NDArray[Any] = (
        (drift[0] + drift[1] * x + drift[3] * x * x) + (drift[2] * y + drift[4] * y * y) + drift[5] * x * y
    )
    return surface
