"""JPEG compression in memory."""

from __future__ import annotations

from typing import Annotated, Literal

import cv2
import numpy as np
from pydantic import Field

from operators.degradations.contract import Degradation, Degraded, Generator, Image, Size
from operators.degradations.levels import eight_bit, from_eight_bit

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
        levels = cv2.cvtColor(eight_bit(image), cv2.COLOR_RGB2BGR)
        options = [
            *(cv2.IMWRITE_JPEG_QUALITY, int(self.quality)),
            *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, _SAMPLING[self.subsampling]),
        ]
        coded = cv2.imencode(".jpg", levels, options)[1]
        decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
        if decoded is None:
            raise RuntimeError("OpenCV cannot read a JPEG that it wrote; reinstall opencv-python-headless")
        cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB, decoded)
        return Degraded(from_eight_bit(np.asarray(decoded, dtype=np.uint8)))
