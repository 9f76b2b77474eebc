"""Cost of putting one face back into scans of growing size; it should not grow with them."""

from __future__ import annotations

import statistics
import sys
import time

import numpy as np

from operators.faces.align import align, cut
from operators.faces.geometry import transform
from operators.faces.mask import face_mask
from operators.faces.paste import Patch, paste
from operators.faces.templates import template_points
from operators.images.raster import Raster

MEGAPIXELS = (3, 12, 50, 100)
FACE = 300.0
"""Side, in source pixels, of the square that the crop covers."""
ROUNDS = 9


def once(raster: Raster) -> float:
    """Seconds for cutting, masking and pasting one face in the middle."""
    middle = np.array([raster.width / 2, raster.height / 2])
    landmarks = (template_points("ffhq", 512) - 256) * (FACE / 512) + middle
    affine = align(landmarks, "ffhq", 512)
    crop = cut(raster, affine, 512)
    restored = np.ascontiguousarray(crop.pixels[::-1])
    start = time.perf_counter()
    paste(raster, [Patch(crop, restored, face_mask(transform(landmarks, affine), 512))])
    return time.perf_counter() - start


def main() -> None:
    """Print the median of several pastes for each size."""
    sys.stdout.write(f"paste-back of one face ({FACE:.0f} px square, crop 512, 8-bit RGB), median of {ROUNDS}\n")
    once(Raster(np.full((2000, 3000, 3), 128, np.uint8), "rgb"))  # a warm-up
    first = 0.0
    for megapixels in MEGAPIXELS:
        height = round((megapixels * 1e6 / 1.5) ** 0.5)
        raster = Raster(np.full((height, round(height * 1.5), 3), 128, np.uint8), "rgb")
        seconds = statistics.median(once(raster) for _ in range(ROUNDS))
        first = first or seconds
        sys.stdout.write(f"  {megapixels:4d} megapixels  {seconds * 1e3:7.1f} ms  {seconds / first:5.2f} x\n")


if __name__ == "__main__":
    main()
