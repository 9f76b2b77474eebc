"""Good pictures made bad while training: by recipes, or made small."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from operators.degradations.applying import apply_8bit
from operators.degradations.distributions import pick
from operators.degradations.drawing import draw
from operators.degradations.recipe import Recipe

Pixels = NDArray[np.uint8]
Resampler = Literal["bicubic", "area", "lanczos"]


@dataclass(frozen=True)
class Mixture:
    """Recipes of which one is taken for each pair.

    Attributes:
        recipes: as read.
        weights: one for each.
    """

    recipes: tuple[Recipe, ...]
    weights: tuple[float, ...]


def degraded(
    good: Pixels, mixture: Mixture, seed: int, place: int, number: int, generator: np.random.Generator
) -> tuple[Pixels, Pixels]:
    """A degraded picture beside what it was.

    Args:
        good: (H, W, 3) uint8 RGB.
        mixture: of recipes.
        seed: of the training.
        place: of the picture among all.
        number: of the sample.
        generator: to choose the recipe with.

    Returns:
        Degraded and target, both of the size of `good`: what a recipe leaves at another size is brought back by bicubic
        interpolation. The target differs from `good` where steps of the recipe are for both.
    """
    recipe = mixture.recipes[pick(mixture.weights, generator)]
    made = apply_8bit(good, draw(recipe, seed, f"{place}", number))
    return _fitted(made.image, good.shape[0]), _fitted(made.target, good.shape[0])


def _fitted(picture: Pixels, size: int) -> Pixels:
    if picture.shape[:2] == (size, size):
        return picture
    return np.asarray(cv2.resize(picture, (size, size), interpolation=cv2.INTER_CUBIC), np.uint8)


_PILLOW = {"bicubic": Image.Resampling.BICUBIC, "lanczos": Image.Resampling.LANCZOS}


def reduced(picture: Pixels, scale: int, resampler: Resampler) -> Pixels:
    """A picture made smaller.

    Args:
        picture: (H, W, 3) uint8, sides multiples of `scale`.
        scale: how many times, in each direction.
        resampler: `bicubic`, Keys' kernel with a = -0.5 widened by `scale` (MATLAB's imresize, which super-resolution
            papers use); `lanczos`, three lobes, likewise; `area`, means over squares.
    """
    height, width = picture.shape[0] // scale, picture.shape[1] // scale
    if resampler == "area":
        return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(Image.fromarray(picture).resize((width, height), _PILLOW[resampler]), np.uint8)
