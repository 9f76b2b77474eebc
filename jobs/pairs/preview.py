"""A recipe tried on a picture: what a job would cut out of it, and what it would make of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from jobs.pairs.making import MadePair, make_pair
from jobs.pairs.sample import Sample, cut_sample
from operators.degradations.drawing import draw
from operators.degradations.recipe import Recipe
from operators.degradations.record import DrawnStep
from operators.faces.align import align
from operators.faces.detect import Detector
from operators.faces.geometry import magnification, transform
from operators.images.decode import decode
from operators.images.orientation import stored_to_upright, upright_size
from operators.images.raster import Raster
from operators.images.reduce import reduce_raster

Shown = Literal["faces", "images"]
FACE_SIDE = 512
"""Side of an aligned face, and the longer side at most of an image that stands in for one."""


@dataclass(frozen=True)
class Wish:
    """What is to be shown.

    Attributes:
        recipe: tried on each picture.
        variants: pairs from each.
        seed: of the job.
        samples: aligned faces, or whole images.
        size: side of the square in pixels; None is 512 for a face, and an image as it is.
        template: that faces are aligned to.
    """

    recipe: Recipe
    variants: int = 8
    seed: int = 0
    samples: Shown = "faces"
    size: int | None = None
    template: str = "ffhq"


@dataclass(frozen=True)
class Variant:
    """One pair.

    Attributes:
        number: from 0.
        steps: as drawn.
        pair: its pixels.
    """

    number: int
    steps: tuple[DrawnStep, ...]
    pair: MadePair


@dataclass(frozen=True)
class Tried:
    """A picture and what the recipe made of it.

    Attributes:
        name: of the picture.
        sample: what was cut out of it.
        pixels: (h, w, 3) uint8 RGB: the sample.
        variants: in order.
        note: what is to be said of the sample; empty where it is what was asked for.
    """

    name: str
    sample: Sample
    pixels: NDArray[np.uint8]
    variants: tuple[Variant, ...]
    note: str = ""


def try_recipe(data: bytes, name: str, wish: Wish, detector: Detector) -> Tried:
    """Cut a sample out of a picture and make its pairs.

    The pairs are those that a job with this seed makes of the sample, where the source's key for the picture is `name`.

    Args:
        data: the picture's file.
        name: of the picture, without its folder.
        wish: what to do.
        detector: finds faces.

    Raises:
        OperatorError: no picture, or one that is too small.
        RecipeError: the recipe does not fit the picture.
    """
    raster = decode(data)
    sample, note = _sample(raster, wish, detector)
    pixels = cut_sample(raster, sample)
    variants = []
    for number in range(wish.variants):
        steps = draw(wish.recipe, wish.seed, f"{name}#{sample.index}", number)
        variants.append(Variant(number, steps, make_pair(pixels, steps)))
    return Tried(name, sample, pixels, tuple(variants), note)


def _sample(raster: Raster, wish: Wish, detector: Detector) -> tuple[Sample, str]:
    if wish.samples == "images":
        return whole_image(raster, wish.size), ""
    size = wish.size or FACE_SIDE
    face = first_face(raster, wish.template, size, detector)
    if face is not None:
        return face, _enlarged(face)
    return _reduced(raster, size), "no face found: the whole image is shown"


def _enlarged(face: Sample) -> str:
    """What is to be said of a face that a job would leave out, because it is smaller than its square."""
    enlargement = magnification(np.asarray(face.affine, dtype=np.float64))
    if enlargement <= 1.0:
        return ""
    return (
        f"the face is enlarged {enlargement:.2f} times; a job leaves it out unless samples.max_enlargement allows that"
    )


def first_face(raster: Raster, template: str, size: int, detector: Detector) -> Sample | None:
    """The largest face of an image, aligned; None where there is none."""
    scale = detector.needed_scale(raster.width, raster.height)
    view = reduce_raster(raster, scale)
    found = detector.find(lambda: raster, view.pixels, (view.scale_x, view.scale_y), raster.orientation)
    if not found:
        return None
    face = found[0]
    affine = align(
        face.landmarks,
        template,
        size,
        stored_to_upright(raster.width, raster.height, raster.orientation, face.turn),
    )
    return Sample(
        kind="face",
        index=0,
        width=size,
        height=size,
        affine=tuple(tuple(float(value) for value in row) for row in affine),
        template=template,
        landmarks=tuple((float(x), float(y)) for x, y in transform(face.landmarks, affine)),
        confidence=float(face.confidence),
    )


def whole_image(raster: Raster, size: int | None) -> Sample:
    """An image as it is, or the square in its middle reduced to `size`; nothing is enlarged."""
    width, height = _upright(raster)
    if size is None:
        return Sample("image", 0, width, height, window=(0, 0, width, height))
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    reduced = min(side, size)
    return Sample("image", 0, reduced, reduced, window=(left, top, left + side, top + side))


def shown_at(pixels: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    """Reduce a picture to fit; never enlarge it.

    Args:
        pixels: (h, w, 3) or (h, w) uint8.
        longest: longer side at most.
    """
    scale = longest / max(pixels.shape[:2])
    if scale >= 1.0:
        return pixels
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def parameter_table(variants: Sequence[Variant]) -> list[tuple[str, str, list[object | None]]]:
    """What was drawn, for comparison.

    Returns:
        (step's id, parameter, value in each variant) rows, None where a variant does not have the step; steps in the
        order in which they first come, and a step without parameters as one row with its name empty.
    """
    rows: dict[str, dict[str, list[object | None]]] = {}
    for place, variant in enumerate(variants):
        for step in variant.steps:
            values = dict(step.parameters) or {"": True}
            for name, value in values.items():
                row = rows.setdefault(step.id, {}).setdefault(name, [None] * len(variants))
                row[place] = value
    return [(step, name, row) for step, named in rows.items() for name, row in named.items()]


def _reduced(raster: Raster, longest: int) -> Sample:
    width, height = _upright(raster)
    scale = min(1.0, longest / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return Sample("image", 0, *size, window=(0, 0, width, height))


def _upright(raster: Raster) -> tuple[int, int]:
    return upright_size(raster.width, raster.height, raster.orientation)
