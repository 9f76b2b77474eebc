"""Faces to test on: all of them come with scikit-image."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from operators.faces.face import Points
from operators.faces.geometry import magnification, similarity
from operators.faces.templates import template_points
from operators.faces.yunet import YuNet


@dataclass(frozen=True)
class Portrait:
    """An aligned face: (S, S, 3) float32 RGB, its landmarks, the whole picture and the map from one to the other."""

    crop: NDArray[np.float32]
    landmarks: Points
    picture: NDArray[np.float32]
    affine: NDArray[np.float64]

    @property
    def reduction(self) -> float:
        return 1.0 / magnification(self.affine)

    def cut(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """The same square from a changed picture."""
        side = self.crop.shape[0]
        crop = cv2.warpAffine(picture, self.affine, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        return np.clip(crop, 0.0, 1.0)


def aligned(picture: NDArray[np.uint8], size: int) -> Portrait:
    found = YuNet().detect(picture, 0.6)
    template = template_points("ffhq", size)
    whole = picture.astype(np.float32) / 255.0
    affine = similarity(found[0].landmarks, template)
    empty = Portrait(np.empty((size, size, 3), np.float32), template, whole, affine)
    return Portrait(empty.cut(whole), template, whole, affine)


@pytest.fixture(scope="session")
def portrait() -> Portrait:
    """Eileen Collins, NASA; the crop is 256 px and the source has 0.69 px per crop pixel."""
    import skimage.data

    return aligned(skimage.data.astronaut(), 256)


@pytest.fixture(scope="session")
def strangers() -> list[NDArray[np.float32]]:
    """Six other people, in crops of 256 px from the 25 px faces of LFW that scikit-image carries."""
    import skimage.data

    faces = skimage.data.lfw_subset()
    crops = []
    for face in faces[:6]:
        small = cv2.resize((face * 255).astype(np.uint8), (200, 200), interpolation=cv2.INTER_CUBIC)
        framed = cv2.copyMakeBorder(small, 100, 100, 100, 100, cv2.BORDER_REPLICATE)
        if YuNet().detect(np.stack([framed] * 3, axis=-1), 0.6):
            crops.append(aligned(np.stack([framed] * 3, axis=-1), 256).crop)
    assert len(crops) >= 4
    return crops
