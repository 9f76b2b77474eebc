"""Makes a folder of many small photographs with one face each, for benchmarks."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from skimage.data import astronaut

FACE = (slice(30, 250), slice(120, 340))
"""The face in the public-domain NASA portrait of scikit-image, 220 x 220."""


def make_images(folder: Path, count: int, side: int = 160) -> None:
    """Write `count` JPEGs, all different: shifted, scaled, brighter or darker, with grain. Same count, same bytes."""
    face = astronaut()[FACE]
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        path = folder / f"box-{number // 500:03d}" / f"print-{number:06d}.jpg"
        if path.exists():
            continue
        path.parent.mkdir(exist_ok=True)
        draw = np.random.default_rng(number)
        scale = side / 220 * draw.uniform(1.0, 1.15)
        shift = draw.uniform(-6, 6, 2)
        matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
        image = cv2.warpAffine(face, matrix, (side, side), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT)
        image = image * draw.uniform(0.8, 1.1) + draw.normal(0, draw.uniform(2, 10), image.shape)
        image = np.clip(image, 0, 255).astype(np.uint8)
        cv2.imwrite(str(path), image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
