"""The CPU stages around the generator: facejobs' own where their libraries are installed, plain stand-ins elsewhere."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

NEEDED = ("cv2", "pyvips", "PIL", "onnxruntime", "onnx")

Crop = NDArray[np.float32]


@dataclass
class Face:
    """A face on its way.

    Attributes:
        landmarks: (5, 2) in pixels of the scan.
        crop: (S, S, 3) float32 in [0, 1].
        place: what `paste` needs to bring it back.
    """

    landmarks: NDArray[np.float64]
    crop: Crop
    place: Any


class Stages(Protocol):
    """The stages, each a call; `left_out` says which do nothing here and why."""

    left_out: dict[str, str]

    def decode(self, data: bytes) -> Any:
        """A file's bytes as an image."""
        ...

    def detect(self, image: Any) -> int:
        """Number of faces found."""
        ...

    def align(self, image: Any, landmarks: NDArray[np.float64], side: int) -> Face:
        """Cut a face out."""
        ...

    def score(self, face: Face, restored: Crop) -> None:
        """Measure a face before and after."""
        ...

    def paste(self, image: Any, faces: list[tuple[Face, Crop]]) -> None:
        """Bring restored faces back into the image."""
        ...

    def encode(self, image: Any, data: bytes) -> bytes:
        """Write the image as its source was written."""
        ...


def stages() -> Stages:
    """The stages that this machine can run."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    # Only the module that is used is imported: the other one's libraries may be missing.
    if missing:
        plain: Stages = importlib.import_module("benchmarks.gpu.stages_plain").Plain(
            f"{', '.join(missing)} not installed"
        )
        return plain
    own: Stages = importlib.import_module("benchmarks.gpu.stages_own").Own()
    return own
