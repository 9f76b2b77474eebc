"""Find the ink amounts that show a changed colour while staying near the amounts that are there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from operators.images.icc import cmyk_to_srgb
from operators.images.libvips import from_array

_STEPS = 3
_PROBE = np.float32(0.01)
_DAMPING = np.float32(1e-3)
_CHUNK = 65536

Colours = NDArray[np.float32]


def move_inks(inks: Colours, source: Colours, target: Colours, full_scale: int, icc: bytes | None) -> Colours:
    """Change ink amounts so that what they show moves from `source` to `target`.

    Many ink mixes show one colour, and a profile's own separation knows only one of them: from a mix of another kind
    its differences lead astray (an image without black gets half of the change wanted). Here the profile is used
    forwards only. Each step takes the smallest change of ink that accounts for the missing colour to first order:
    d = J' (J J' + l I)^-1 e, the damped minimum-norm Gauss-Newton step (Levenberg 1944), J by finite differences.

    Args:
        inks: (1, n, 4) float32 native CMYK values, 0 = no ink.
        source: (1, n, 3) float32 in [0, 1], what they show.
        target: (1, n, 3) float32 in [0, 1], what they should show.
        full_scale: largest native value.
        icc: the image's profile; see `icc.cmyk_profile`.

    Returns:
        (1, n, 4) float32 native values in [0, full_scale].
    """
    moved = [
        _move(
            inks[0, i : i + _CHUNK] / np.float32(full_scale), source[0, i : i + _CHUNK], target[0, i : i + _CHUNK], icc
        )
        for i in range(0, inks.shape[1], _CHUNK)
    ]
    joined: Colours = np.concatenate(moved)[None] * np.float32(full_scale)
    return joined


def _move(inks: Colours, source: Colours, target: Colours, icc: bytes | None) -> Colours:
    goal = np.clip(target, 0, 1)
    shown, best, error = source, inks, np.abs(goal - source).max(axis=1)
    for _ in range(_STEPS):
        jacobian = _jacobian(best, shown, icc)
        transposed = jacobian.transpose(0, 2, 1)
        gram = jacobian @ transposed + _DAMPING * np.eye(3, dtype=np.float32)
        step = transposed @ np.linalg.solve(gram, (goal - shown)[:, :, None])
        candidate = np.clip(best + step[:, :, 0], 0, 1)
        seen = _show(candidate, icc)
        miss = np.abs(goal - seen).max(axis=1)
        better = miss < error
        best = np.where(better[:, None], candidate, best)
        shown = np.where(better[:, None], seen, shown)
        error = np.where(better, miss, error)
    return best


def _jacobian(inks: Colours, shown: Colours, icc: bytes | None) -> Colours:
    """Return d RGB / d CMYK, (n, 3, 4); probes point inwards so that they stay in range."""
    columns = []
    for band in range(4):
        probe = inks.copy()
        direction = np.where(probe[:, band] > 0.5, -_PROBE, _PROBE)
        probe[:, band] += direction
        columns.append((_show(probe, icc) - shown) / direction[:, None])
    return np.stack(columns, axis=2)


def _show(inks: Colours, icc: bytes | None) -> Colours:
    deep = np.rint(inks * np.float32(65535)).astype(np.uint16)[None]
    srgb = cmyk_to_srgb(from_array(deep, "cmyk"), icc, 16).numpy()
    shown: Colours = np.asarray(srgb, np.float32)[0] / np.float32(65535)
    return shown
