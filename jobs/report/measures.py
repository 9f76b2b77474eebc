"""The measures a report knows: their names for readers, and the fixed ranges of their histograms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

BINS = 960
"""Bins of every histogram that is kept; charts draw fewer, by adding neighbours."""


@dataclass(frozen=True, slots=True)
class Measure:
    """How one measure is gathered and described.

    Attributes:
        label: its name for readers.
        low: lower end of the histogram, in the measure's unit; above 0 for a logarithmic scale.
        high: upper end.
        scale: whether bins are equal in the value or in its logarithm.
        better: which side is the better one; empty where neither is.
        unit: for the axis, empty for a bare number.
        paired: whether each face has a value before and one after; otherwise one value compares the two.
        note: one sentence on how to read it.
    """

    label: str
    low: float
    high: float
    better: Literal["higher", "lower", ""]
    note: str
    scale: Literal["linear", "log"] = "linear"
    unit: str = ""
    paired: bool = True


MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "identity": Measure(
            "Identity",
            -1.0,
            1.0,
            "higher",
            "Cosine similarity of the face before and after: 1 means the recognition network sees no change.",
            paired=False,
        ),
        "sharpness": Measure(
            "Sharpness", 0.0, 1.0, "higher", "Slope of the edges relative to the contrast: 0.02 is soft, 0.3 is crisp."
        ),
        "noise": Measure("Noise", 0.0, 96.0, "lower", "Standard deviation of the noise.", unit="8-bit levels"),
        "niqe": Measure(
            "NIQE", 0.0, 48.0, "lower", "Distance from the statistics of undamaged photographs; needs no reference."
        ),
        "confidence": Measure(
            "Face confidence", 0.0, 1.0, "higher", "How sure the face detector is that the crop shows a face."
        ),
        "brightness": Measure("Brightness", 0.0, 1.0, "", "Mean luma of the face: 0 is black, 1 is white."),
        "contrast": Measure("Contrast", 0.0, 0.5, "", "Standard deviation of the face's luma."),
        "clipped_shadows": Measure(
            "Clipped shadows", 0.0, 1.0, "lower", "Share of the face's pixels that are black.", unit="share"
        ),
        "clipped_highlights": Measure(
            "Clipped highlights", 0.0, 1.0, "lower", "Share of the face's pixels that are white.", unit="share"
        ),
    }
)
"""Named as in `operators.scoring.scores`; in the order of the report."""
