"""What a picture gains without any restorer: plain enlarging, plain smoothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Baseline:
    """One of them.

    Attributes:
        summary: for help texts; `{}` stands for the strength.
        strength: the usual one; None where there is nothing to set.
        least: smallest strength.
        most: largest strength.
        apply: of a picture, (H, W, 3) uint8 RGB, and a strength; gives a picture of the same size.
    """

    summary: str
    strength: float | None
    least: float
    most: float
    apply: Callable[[Picture, float], Picture]


def enlarged(picture: Picture, width: int, height: int) -> Picture:
    """A picture at another size: bicubic where it grows, averaged over areas where it shrinks.

    Args:
        picture: (h, w, 3) uint8.
        width: wanted.
        height: wanted.

    Returns:
        (height, width, 3) uint8; the picture itself where it has that size.
    """
    if picture.shape[:2] == (height, width):
        return picture
    grows = width * height > picture.shape[0] * picture.shape[1]
    method = cv2.INTER_CUBIC if grows else cv2.INTER_AREA
    return np.asarray(cv2.resize(picture, (width, height), interpolation=method), np.uint8)


def _same(picture: Picture, _: float) -> Picture:
    return picture


def _median(picture: Picture, strength: float) -> Picture:
    return np.asarray(cv2.medianBlur(picture, 2 * round(strength) + 1), np.uint8)


def _gaussian(picture: Picture, strength: float) -> Picture:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), strength, borderType=cv2.BORDER_REFLECT), np.uint8)


def _bilateral(picture: Picture, strength: float) -> Picture:
    return np.asarray(cv2.bilateralFilter(picture, 9, strength, 3.0, borderType=cv2.BORDER_REFLECT), np.uint8)


def _non_local_means(picture: Picture, strength: float) -> Picture:
    return np.asarray(cv2.fastNlMeansDenoisingColored(picture, None, strength, strength, 7, 21), np.uint8)


BASELINES: Mapping[str, Baseline] = MappingProxyType(
    {
        "bicubic": Baseline("the input, enlarged to the size of the truth where it is smaller", None, 0, 0, _same),
        "median": Baseline("median of a square, {} pixels to each side", 1.0, 1.0, 15.0, _median),
        "gaussian": Baseline("Gaussian blur, sigma {} pixels", 1.0, 0.1, 50.0, _gaussian),
        "bilateral": Baseline("bilateral filter, 9 px, sigma 3 px, {} levels of 255", 30.0, 1.0, 255.0, _bilateral),
        "non-local-means": Baseline(
            "non-local means (Buades et al. 2005), h of {} levels for luma and chroma",
            10.0,
            0.1,
            100.0,
            _non_local_means,
        ),
    }
)
"""By name."""


def baseline(text: str) -> Callable[[Picture], Picture]:
    """What a name stands for, such as `median` or `median:2`.

    Raises:
        ValueError: the name is unknown, or the strength is none that it takes.
    """
    name, colon, given = text.partition(":")
    if name not in BASELINES:
        raise ValueError(f"baseline {name!r} is unknown: expected one of {', '.join(BASELINES)}")
    about = BASELINES[name]
    if about.strength is None:
        if colon:
            raise ValueError(f"{text}: {name} has no strength; write {name}")
        return lambda picture: about.apply(picture, 0.0)
    try:
        strength = float(given) if colon else about.strength
    except ValueError:
        strength = float("nan")
    if not about.least <= strength <= about.most:
        raise ValueError(
            f"{text}: expected a strength from {about.least:g} to {about.most:g}, as in {name}:{about.strength:g}"
        )
    return lambda picture: about.apply(picture, strength)
