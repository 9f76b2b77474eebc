"""Cuts aligned faces out of portraits, to train on: `python -m benchmarks.compact_faces`.

One JPEG for each portrait's largest face, with a margin around the template's square, so that it can be moved a little.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from operators.faces.align import align, cut
from operators.faces.detect import Detector
from operators.faces.geometry import compose, scaling, translation
from operators.images.decode import decode
from operators.images.reduce import reduce_raster

SIZE, MARGIN, STORED = 256, 1 / 16, 432
"""Pixels a side of the network's square, the margin as a share of it, and pixels a side of what is stored."""
TEMPLATE = "gpen"


def prepare(portraits: Path, left_out: set[str], out: Path, quality: int) -> int:
    """Cut faces: one JPEG each, (STORED, STORED).

    Args:
        portraits: folder.
        left_out: names of files that are not to be used.
        out: folder, made if it is not there.
        quality: of JPEG.

    Returns:
        How many there are.
    """
    out.mkdir(parents=True, exist_ok=True)
    detector, count, margin = Detector(), 0, SIZE * MARGIN
    to_stored = compose(translation(margin, margin), scaling(STORED / (SIZE + 2 * margin)))
    for path in sorted(portraits.iterdir()):
        if path.suffix.lower() not in (".jpg", ".png") or path.name in left_out:
            continue
        raster = decode(path.read_bytes())
        view = reduce_raster(raster, detector.needed_scale(raster.width, raster.height))
        found = detector.find(lambda raster=raster: raster, view.pixels, (view.scale_x, view.scale_y), 1)
        if found:
            largest = max(found, key=lambda one: np.ptp(one.landmarks[:, 1]))
            affine = compose(align(largest.landmarks, TEMPLATE, SIZE), to_stored)
            crop = np.rint(np.clip(cut(raster, affine, STORED).pixels, 0, 1) * 255).astype(np.uint8)
            cv2.imwrite(str(out / f"{path.stem}.jpg"), crop[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
            count += 1
    return count


def main() -> int:
    """Parse the command line and do it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compact_faces", description=__doc__)
    parser.add_argument("--portraits", type=Path, required=True)
    parser.add_argument("--exclude", type=Path, help="file with names that are left out")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--quality", type=int, default=95)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    left_out = set(given.exclude.read_text().split()) if given.exclude else set()
    print(f"{prepare(given.portraits, left_out, given.out, given.quality)} faces in {given.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
