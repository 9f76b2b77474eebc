"""JPEG compression in memory."""

from __future__ import annotations

from typing import Annotated, Literal

import cv2
import numpy as np
from pydantic import Field

from operators.degradations.contract import Degradation, Degraded, Generator, Image, Size

_SAMPLING = {
    "420": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    "422": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    "444": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
}


class Jpeg(Degradation):
    """Encoded and decoded by OpenCV's libjpeg-turbo (ITU-T T.81), baseline, standard tables scaled by the quality.

    Deterministic for one build of OpenCV; the record's library versions name it.
    """

    quality: Annotated[float, Field(ge=1.0, le=100.0)]
    """libjpeg's quality; a fraction is cut off, as in the papers' code."""
    subsampling: Literal["420", "422", "444"] = "420"
    """Of chroma: `420` halves it both ways, which is what the papers' encoders do by default."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """Clipped and rounded to 8 bits first."""
        levels = np.rint(np.clip(image[:, :, ::-1], 0.0, 1.0) * np.float32(255.0)).astype(np.uint8)
        options = [
            *(cv2.IMWRITE_JPEG_QUALITY, int(self.quality)),
            *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, _SAMPLING[self.subsampling]),
        ]
        coded = cv2.imencode(".jpg", levels, options)[1]
        decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
        if decoded is None:
            raise RuntimeError("OpenCV cannot read a JPEG that it wrote; reinstall opencv-python-headless")
        return Degraded(np.ascontiguousarray(decoded[:, :, ::-1], dtype=np.float32) / np.float32(255.0))
