"""Telling a VGG-16's arguments from its tensors' shapes."""

from __future__ import annotations

from typing import Any

from operators.networks.layout import Layout

_LAST = (2, 7, 14, 21, 28)
"""Places of the last convolution of each block."""


def vgg16_arguments(layout: Layout) -> dict[str, Any]:
    """The constructor's arguments.

    Raises:
        LookupError: a tensor that says one is missing.
    """
    return {
        "widths": [layout[f"features.{place}.weight"][0] for place in _LAST],
        "hidden": layout["classifier.0.weight"][0],
        "classes": layout["classifier.6.weight"][0],
    }
