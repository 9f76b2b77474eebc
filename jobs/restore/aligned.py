"""An image that is one aligned face already: where its crop lies, without a search."""

from __future__ import annotations

import numpy as np

from operators.faces.face import Affine, Detection
from operators.faces.geometry import compose, invert, scaling, transform, translation
from operators.faces.templates import template_points
from operators.images.info import ImageInfo
from operators.images.orientation import stored_to_upright
from operators.restorers.contract import RestorerInfo


def aligned_face(info: ImageInfo, restorer: RestorerInfo) -> tuple[Detection, Affine, int]:
    """Take the largest square in the middle of an image as the crop of a face.

    An odd rest goes to the right and below. The crop's side is the smallest of the restorer's that does not shrink the
    square, or the largest.

    Args:
        info: of the image.
        restorer: whose template says where the landmarks of an aligned face lie.

    Returns:
        The face, with confidence 1; the map from source pixels as stored to crop pixels; and the crop's side.
    """
    upright = stored_to_upright(info.width, info.height, info.orientation, 0)
    # A turn by a quarter swaps the sides; the square in the middle is the same.
    width, height = (info.width, info.height) if info.orientation < 5 else (info.height, info.width)
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    fitting = [size for size in restorer.sizes if size >= side]
    size = min(fitting) if fitting else max(restorer.sizes)
    affine = compose(compose(upright, translation(-left, -top)), scaling(size / side))
    to_source = invert(affine)
    corners = transform(np.array([[-0.5, -0.5], [size - 0.5, size - 0.5]]), to_source)
    low, high = corners.min(axis=0), corners.max(axis=0)
    landmarks = transform(template_points(restorer.template, size), to_source)
    box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    return Detection(box, landmarks, 1.0), affine, size
