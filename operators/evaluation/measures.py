"""All measures of a picture, against the picture that it should be, in one call."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from operators.evaluation.faces import FaceFinder, Picture, Place, Where, landmark_distance
from operators.evaluation.fidelity import psnr, ssim, ssim_rgb
from operators.evaluation.table import PICTURE_MEASURES, USUAL
from operators.faces.face import Points
from operators.features import FeatureNetwork, perceptual_distances, sface_features
from operators.scoring.identity import IdentityModel
from operators.scoring.niqe import niqe
from operators.scoring.planes import COMMON_SIDE, luma, resized

_LEAST_SIDE = 32
"""Pixels a side from which feature networks work."""
_MOST_PIXELS = 1 << 20
"""Larger pictures are reduced to as many for feature networks, whose first maps take 256 bytes for each."""
_OF_FACES = ("identity", "landmarks", "landmarks_px")

Maps = Mapping[str, Tensor]


@dataclass(frozen=True)
class Truth:
    """A picture as it should be, with what is worked out of it once for all its versions.

    Attributes:
        pixels: (H, W, 3) uint8, RGB.
        maps: of each feature network, by the name of the measure.
        place: of its face; None where no measure needs it.
        person: (128,) unit vector; None where there is none.
    """

    pixels: Picture
    maps: Mapping[str, Maps]
    place: Place | None
    person: NDArray[np.float32] | None


@dataclass(frozen=True)
class Measured:
    """What came out of a picture.

    Attributes:
        values: by the measure's name; None where it cannot be taken.
        face: how the face in the measured picture was found; None where no measure needs it.
        truth_face: likewise, in the truth.
    """

    values: dict[str, float | None]
    face: Where | None = None
    truth_face: Where | None = None


class Measures:
    """Measures pictures. A picture's numbers depend on it and its truth alone. Threads cannot share it.

    Args:
        names: of `PICTURE_MEASURES`; those of `USUAL` that can be taken if None.
        vgg: VGG-16 for `lpips`, which is left out without it.
        template: alignment of square pictures in which no face is found.

    Raises:
        ValueError: a name is unknown, or `lpips` is asked for without its network.
    """

    def __init__(
        self, names: Sequence[str] | None = None, vgg: FeatureNetwork | None = None, template: str = "ffhq"
    ) -> None:
        wanted = USUAL if names is None else names
        for name in wanted:
            if name not in PICTURE_MEASURES:
                raise ValueError(f"measure {name!r} is unknown: expected some of {', '.join(PICTURE_MEASURES)}")
        if names is not None and "lpips" in names and vgg is None:
            raise ValueError("measure lpips needs VGG-16: expected its feature network")
        self.names = tuple(name for name in PICTURE_MEASURES if name in wanted and (name != "lpips" or vgg))
        self._template = template
        self._vgg = vgg
        self._networks: dict[str, FeatureNetwork] = {}
        self._finder: FaceFinder | None = None
        self._identity: IdentityModel | None = None

    def setup(self) -> None:
        """Load what the measures need; called once in the process that will measure.

        Raises:
            operators.models.ModelFileError: a model file is missing or not the expected one.
        """
        if "perceptual" in self.names:
            self._networks["perceptual"] = sface_features()
        if self._vgg is not None and "lpips" in self.names:
            self._networks["lpips"] = self._vgg
        if any(name in self.names for name in _OF_FACES):
            self._finder = FaceFinder(self._template)
        if "identity" in self.names:
            self._identity = IdentityModel()

    def measure(self, made: Picture, truth: Picture | None = None) -> dict[str, float | None]:
        """Measure one picture.

        Args:
            made: (H, W, 3) uint8, RGB.
            truth: what it should be, of the same size; None takes the measures that need none.

        Returns:
            By name, in the order of `PICTURE_MEASURES`; None where a measure cannot be taken.

        Raises:
            ValueError: the sizes differ, or an array is no such picture.
        """
        return self.compare(made, None if truth is None else self.look(truth)).values

    def look(self, truth: Picture) -> Truth:
        """Work out once what all versions of a picture are compared with.

        Args:
            truth: (H, W, 3) uint8, RGB.

        Raises:
            ValueError: it is no such picture.
        """
        _check(truth)
        place = None if self._finder is None else self._finder.find(truth)
        return Truth(truth, self._maps(truth), place, None if place is None else self._person(truth, place.landmarks))

    def compare(self, made: Picture, truth: Truth | None) -> Measured:
        """Measure one picture; see `measure`.

        Args:
            made: (H, W, 3) uint8, RGB.
            truth: from `look`; None where there is none.

        Raises:
            ValueError: the sizes differ, or `made` is no such picture.
        """
        _check(made)
        if truth is None:
            place = None if self._finder is None else self._finder.find(made)
            return Measured(self._chosen({"niqe": self._niqe(made)}, paired=False), _where(place))
        if made.shape != truth.pixels.shape:
            raise ValueError(f"{_size(made)} pixels: expected the {_size(truth.pixels)} of the truth")
        values: dict[str, float | None] = {"niqe": self._niqe(made)}
        if "psnr" in self.names:
            values["psnr"] = psnr(made, truth.pixels)
        if "ssim" in self.names:
            values["ssim"] = ssim(made, truth.pixels)
        if "ssim_rgb" in self.names:
            values["ssim_rgb"] = ssim_rgb(made, truth.pixels)
        values |= self._distances(made, truth)
        place = None if self._finder is None or truth.place is None else self._finder.again(made, truth.place)
        if place is not None and truth.place is not None:
            values |= self._of_face(made, place, truth)
        return Measured(self._chosen(values, paired=True), _where(place), _where(truth.place))

    def _chosen(self, values: Mapping[str, float | None], *, paired: bool) -> dict[str, float | None]:
        names = [name for name in self.names if paired or not PICTURE_MEASURES[name].paired]
        chosen = {name: values.get(name) for name in names}
        return {name: value if value is not None and math.isfinite(value) else None for name, value in chosen.items()}

    def _niqe(self, made: Picture) -> float | None:
        """As `operators.scoring.Scorer` takes it of a face; pictures that are no squares as they are."""
        if "niqe" not in self.names:
            return None
        plane = luma(made.astype(np.float32) / np.float32(255.0))
        square = plane.shape[0] == plane.shape[1]
        return niqe(np.clip(resized(plane, COMMON_SIDE), 0.0, 1.0) if square else plane)

    def _maps(self, picture: Picture) -> dict[str, Maps]:
        picture = _reduced(picture)
        if min(picture.shape[:2]) < _LEAST_SIDE or not self._networks:
            return {}
        batch = torch.from_numpy(picture.transpose(2, 0, 1)[np.newaxis].astype(np.float32) / 127.5 - 1.0)
        with torch.inference_mode():
            return {name: network(batch) for name, network in self._networks.items()}

    def _distances(self, made: Picture, truth: Truth) -> dict[str, float | None]:
        maps = self._maps(made)
        return {name: float(perceptual_distances(maps[name], truth.maps[name])) for name in maps}

    def _of_face(self, made: Picture, place: Place, truth: Truth) -> dict[str, float | None]:
        values: dict[str, float | None] = {}
        person = self._person(made, place.landmarks)
        if person is not None and truth.person is not None:
            values["identity"] = float(person.astype(np.float64) @ truth.person.astype(np.float64))
        expected = truth.place.landmarks if truth.place is not None else None
        if place.where == "found" and place.landmarks is not None and expected is not None:
            values["landmarks"] = landmark_distance(place.landmarks, expected)
            values["landmarks_px"] = float(np.linalg.norm(place.landmarks - expected, axis=1).mean())
        return values

    def _person(self, picture: Picture, landmarks: Points | None) -> NDArray[np.float32] | None:
        if self._identity is None or landmarks is None:
            return None
        height, width = picture.shape[:2]
        side = max(height, width)
        square = cv2.copyMakeBorder(picture, 0, side - height, 0, side - width, cv2.BORDER_CONSTANT)
        return self._identity.feature(square.astype(np.float32) / np.float32(255.0), landmarks)


def _check(picture: Picture) -> None:
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or picture.size == 0:
        raise ValueError(f"picture of shape {picture.shape} and type {picture.dtype}: expected (H, W, 3) uint8")


def _reduced(picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    scale = math.sqrt(_MOST_PIXELS / (height * width))
    if scale >= 1.0:
        return picture
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _where(place: Place | None) -> Where | None:
    return None if place is None else place.where


def _size(picture: Picture) -> str:
    return f"{picture.shape[1]} x {picture.shape[0]}"
