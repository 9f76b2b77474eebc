"""The CPU stages as facejobs has them."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.gpu.stages import Crop, Face
from operators.faces.align import align, cut
from operators.faces.detect import Detector
from operators.faces.geometry import transform
from operators.faces.mask import face_mask
from operators.faces.paste import Patch, paste
from operators.images.decode import decode
from operators.images.encode import encode
from operators.images.reduce import reduce_raster
from operators.scoring.scorer import Scorer


class Own:
    """facejobs' operators with their default options."""

    def __init__(self) -> None:
        """Load the networks."""
        cv2.setNumThreads(1)
        self.left_out: dict[str, str] = {}
        self._detector = Detector()
        self._scorer = Scorer()
        self._scorer.setup()

    def decode(self, data: bytes) -> Any:
        """A file's bytes as a raster."""
        return decode(data)

    def detect(self, image: Any) -> int:
        """Number of faces found."""
        view = reduce_raster(image, self._detector.needed_scale(image.width, image.height))
        return len(self._detector.find(lambda: image, view.pixels, (view.scale_x, view.scale_y)))

    def align(self, image: Any, landmarks: NDArray[np.float64], side: int) -> Face:
        """Cut a face out."""
        affine = align(landmarks, "ffhq", side)
        crop = cut(image, affine, side)
        return Face(transform(landmarks, affine), crop.pixels, crop)

    def score(self, face: Face, restored: Crop) -> None:
        """Measure a face before and after."""
        self._scorer.score([face.crop], [restored], [face.landmarks])

    def paste(self, image: Any, faces: list[tuple[Face, Crop]]) -> None:
        """Bring restored faces back into the image."""
        paste(image, [Patch(face.place, made, face_mask(face.landmarks, made.shape[0])) for face, made in faces])

    def encode(self, image: Any, data: bytes) -> bytes:
        """Write the image as its source was written."""
        return encode(image, data).data
