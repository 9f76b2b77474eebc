"""Plain stand-ins for the CPU stages, for machines without facejobs' libraries."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.gpu.codecs import codec
from benchmarks.gpu.scans import Pixels
from benchmarks.gpu.stages import Crop, Face


class Plain:
    """Stand-ins that cost about as little as the work can: so the GPU's share comes out high, not low."""

    def __init__(self, reason: str) -> None:
        self.left_out = {
            "detect": reason,
            "score": reason,
            "align": f"a square is cut and resized, since {reason}",
            "paste": f"a square is resized and written back, since {reason}",
        }
        self._codec = codec()
        if not self._codec.compresses:
            self.left_out |= dict.fromkeys(("decode", "encode"), "neither Pillow nor torchvision is installed")

    def decode(self, data: bytes) -> Pixels:
        """A file's bytes as pixels."""
        return self._codec.read(data)

    def detect(self, image: Pixels) -> int:
        """Nothing."""
        return 0

    def align(self, image: Pixels, landmarks: NDArray[np.float64], side: int) -> Face:
        """Cut a square around a face and resize it."""
        reach = 2.2 * float(np.linalg.norm(landmarks[1] - landmarks[0]))
        x, y = landmarks.mean(0)
        left, top = max(0, int(x - reach)), max(0, int(y - reach))
        square = image[top : top + int(2 * reach), left : left + int(2 * reach)]
        crop = _resized(square, side, side).astype(np.float32) / np.float32(255)
        return Face(landmarks, crop, (top, left, *square.shape[:2]))

    def score(self, face: Face, restored: Crop) -> None:
        """Nothing."""

    def paste(self, image: Pixels, faces: list[tuple[Face, Crop]]) -> None:
        """Resize squares and write them back."""
        for face, made in faces:
            top, left, height, width = face.place
            levels = np.clip(made * 255 + 0.5, 0, 255).astype(np.uint8)
            image[top : top + height, left : left + width] = _resized(levels, height, width)

    def encode(self, image: Pixels, data: bytes) -> bytes:
        """Write the image as its source was written."""
        return self._codec.write(image)


def _resized(pixels: Pixels, height: int, width: int) -> Pixels:
    """Nearest pixels: the cheapest there is."""
    rows = np.arange(height) * pixels.shape[0] // height
    columns = np.arange(width) * pixels.shape[1] // width
    found: Pixels = pixels[rows[:, None], columns]
    return found
