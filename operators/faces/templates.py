"""Where the five landmarks lie in the square crops that face generators were trained on."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from operators.faces.face import Points
from operators.faces.geometry import scaling, transform

PUBLISHED_SIZE = 512
"""Crop size in pixels to which the tables below refer."""

# Left eye, right eye, nose, left mouth corner, right mouth corner; left and right are the viewer's.
_TABLES: Mapping[str, tuple[tuple[float, float], ...]] = MappingProxyType(
    {
        # FFHQ alignment, as published with GFPGAN (facexlib, face_restoration_helper, face_template at 512).
        "ffhq": (
            (192.98138, 239.94708),
            (318.90277, 240.1936),
            (256.63416, 314.01935),
            (201.26117, 371.41043),
            (313.08905, 371.15118),
        ),
        # GPEN's own alignment (Yang et al. 2021, align_faces.py of its publication, brought to 512).
        "gpen": (
            (202.04068, 242.88396),
            (309.43025, 242.28998),
            (256.0768, 303.95917),
            (211.95977, 366.82819),
            (300.89112, 366.33631),
        ),
        # The FFHQ alignment with room for the whole head: 0.6 of its size, in the same place of the square.
        "head": (
            (217.98883, 246.16825),
            (293.54166, 246.31616),
            (256.18050, 290.61161),
            (222.95670, 325.04626),
            (290.05343, 324.89071),
        ),
    }
)


def template_names() -> tuple[str, ...]:
    """Return the names that `template_points` knows, sorted."""
    return tuple(sorted(_TABLES))


def template_points(name: str, size: int) -> Points:
    """Return a template's landmarks for crops of any size.

    The published points are used by their tools with OpenCV's warpAffine, so they are coordinates of pixel centres at
    512. They are scaled as an image is: `(x + 0.5) * size / 512 - 0.5`. The tools multiply by `size / 512` alone, which
    shifts the face by a quarter pixel at 256 and by half a pixel at 1024 against the same face at 512.

    Args:
        name: one of `template_names()`.
        size: side of the crop in pixels, positive.

    Returns:
        (5, 2) float64 x, y in crop pixels: left eye, right eye, nose, left mouth corner, right mouth corner.

    Raises:
        ValueError: unknown name, or a size below 1.
    """
    if name not in _TABLES:
        raise ValueError(f"alignment template {name!r} is not known: expected one of {', '.join(template_names())}")
    if size < 1:
        raise ValueError(f"crop size {size}: expected a positive number of pixels")
    return transform(np.array(_TABLES[name], dtype=np.float64), scaling(size / PUBLISHED_SIZE))
