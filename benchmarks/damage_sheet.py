"""Scans beside what the damage detector finds on them: `python -m benchmarks.damage_sheet SCAN [SCAN ...] --out FILE`.

One row a scan: as it is, and with what was found painted in. Prints the share of each kind.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Pillow

from operators.damage.detector import DamageDetector
from operators.damage.kinds import KINDS, Kind

COLOURS: Mapping[Kind, tuple[int, int, int]] = {
    "scratch": (255, 0, 0),
    "tear": (255, 140, 0),
    "corner": (0, 100, 255),
    "stamp": (160, 0, 255),
    "crack": (0, 200, 100),
    "dust": (255, 255, 0),
}
_WIDE = 600
"""Pixels of a picture on the sheet."""


def main() -> int:
    """Look at each scan, print, and write the sheet."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.damage_sheet", description=__doc__)
    parser.add_argument("scans", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True, help="JPEG or PNG")
    parser.add_argument("--grow", type=int, default=2, help="pixels by which marks are wider than what was found")
    given = parser.parse_args()
    torch.set_num_threads(1)
    detector = DamageDetector()
    detector.setup()
    rows = []
    for path in given.scans:
        with Pillow.open(path) as file:
            scan = np.asarray(file.convert("RGB"))
        found = detector.detect(scan)
        shares = {kind: float(found.mask((kind,)).mean()) for kind in KINDS}
        told = ", ".join(f"{kind} {100.0 * share:.2f} %" for kind, share in shares.items())
        sys.stdout.write(f"{path.name}, {scan.shape[1]} x {scan.shape[0]}: {told}\n")
        marked = scan.copy()
        for kind in KINDS:
            marked[found.mask((kind,), grow=given.grow)] = COLOURS[kind]
        rows.append(np.concatenate([_shown(scan), _shown(marked)], axis=1))
    Pillow.fromarray(np.concatenate(rows)).save(given.out, quality=85)
    return 0


def _shown(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height = round(picture.shape[0] * _WIDE / picture.shape[1])
    return np.asarray(cv2.resize(picture, (_WIDE, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)


if __name__ == "__main__":
    sys.exit(main())
