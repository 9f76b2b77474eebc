"""The measures there are: what each is called, which way is better, and what it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal


@dataclass(frozen=True)
class Measure:
    """One measure.

    Attributes:
        name: its key.
        label: for people.
        unit: of its numbers; empty for none.
        better: which way.
        digits: decimals that are worth showing.
        paired: whether it compares a picture with its truth.
        summary: what it is, one sentence.
        of_set: whether it speaks of all pictures together instead of each.
    """

    name: str
    label: str
    unit: str
    better: Literal["higher", "lower"]
    digits: int
    paired: bool
    summary: str
    of_set: bool = False


_PICTURES = (
    Measure("psnr", "PSNR", "dB", "higher", 2, True, "Peak signal-to-noise ratio over RGB; equal pictures get 100 dB."),
    Measure(
        "ssim",
        "SSIM",
        "",
        "higher",
        4,
        True,
        "Structural similarity of luma (Wang et al. 2004), 11 x 11 Gaussian window, sigma 1.5.",
    ),
    Measure("ssim_rgb", "SSIM (RGB)", "", "higher", 4, True, "Mean of the structural similarities of R, G and B."),
    Measure(
        "perceptual",
        "Perceptual distance",
        "",
        "lower",
        4,
        True,
        "LPIPS's distance (Zhang et al. 2018, equation 1) with all channels alike on the feature maps of SFace, a "
        "network that knows faces only; a substitute for LPIPS, whose numbers it cannot be compared with. "
        "Pictures of more than 1 megapixel are reduced to that.",
    ),
    Measure(
        "lpips",
        "LPIPS, unweighted",
        "",
        "lower",
        4,
        True,
        "LPIPS's distance on VGG-16 with all channels alike: the published weights of channels are not there, so that "
        "its numbers are not those of published tables.",
    ),
    Measure(
        "identity",
        "Identity",
        "",
        "higher",
        4,
        True,
        "Cosine of SFace's vectors of the face before and after; 0.363 and above is one person (OpenCV Zoo).",
    ),
    Measure(
        "landmarks",
        "Landmark distance",
        "eye distances",
        "lower",
        4,
        True,
        "Mean distance of five landmarks, where the detector finds the face in both pictures.",
    ),
    Measure(
        "landmarks_px",
        "Landmark distance",
        "px",
        "lower",
        2,
        True,
        "The same in pixels.",
    ),
    Measure(
        "niqe",
        "NIQE",
        "",
        "lower",
        3,
        False,
        "Distance from the statistics of natural photographs (Mittal et al. 2013); square pictures at 512 px a side.",
    ),
)
_SETS = (
    Measure(
        "fid",
        "FID",
        "",
        "lower",
        3,
        False,
        "Frechet distance between Gaussians through the features of both sets (Heusel et al. 2017).",
        of_set=True,
    ),
    Measure(
        "kid",
        "KID",
        "x 1000",
        "lower",
        3,
        False,
        "Squared maximum mean discrepancy of features with a cubic kernel, unbiased (Binkowski et al. 2018).",
        of_set=True,
    ),
)

PICTURE_MEASURES: Mapping[str, Measure] = MappingProxyType({one.name: one for one in _PICTURES})
"""By name: what is measured of each picture."""
SET_MEASURES: Mapping[str, Measure] = MappingProxyType({one.name: one for one in _SETS})
"""By name: what is measured of a whole set."""
USUAL = ("psnr", "ssim", "perceptual", "lpips", "identity", "landmarks", "niqe")
"""Measures of pictures that are taken unless others are asked for."""
SFACE_LAYER, VGG_LAYER = "conv_12", "relu5_3"
"""What sets are compared by: of SFace the deepest map at 1/8 of the picture, of VGG-16 the last; 512 features each."""
