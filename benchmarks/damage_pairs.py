"""Damaged photographs with the truth of their damage, for training and measuring the damage detector.

The truth comes twice: as the masks of the recipe's steps, and as what each kind of damage *changes* in the finished
picture: the same draw is made once more without the steps of that kind, and both pictures are compared. A pixel whose
mask is not 0 but that looks as it would without the damage can be found by nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from operators.damage.kinds import KIND_OF, KINDS, Kind
from operators.damage.stamps import stamped
from operators.degradations.contract import Degraded, Image, Mask
from operators.degradations.drawing import draw
from operators.degradations.levels import eight_bit
from operators.degradations.recipe import Part, Recipe
from operators.degradations.record import DrawnStep
from operators.degradations.streams import Streams, generator_of

_AFTER_STAMPS = frozenset({"misregistration", "banding", "scanner-noise", "blur", "jpeg"})
"""What the scanner does: it comes after everything that befell the print."""


@dataclass(frozen=True)
class Scene:
    """A damaged photograph.

    Attributes:
        image: (H, W, 3) uint8, RGB.
        masks: by kind: (H, W) float32 in [0, 1], the largest of the masks of its steps; kinds without a step are left
            out.
        without: by the same kinds: (H, W, 3) uint8, the picture as it would be without this kind of damage.
    """

    image: NDArray[np.uint8]
    masks: Mapping[Kind, Mask]
    without: Mapping[Kind, NDArray[np.uint8]]

    def change(self, kind: Kind) -> Mask:
        """(H, W) float32: what a kind of damage changed, levels of 255 of the channel that differs most."""
        return np.asarray(cv2.absdiff(self.image, self.without[kind]).max(axis=2), dtype=np.float32)

    def unrest(self, kind: Kind) -> Mask:
        """(H, W) float32: standard deviation within 7 x 7 pixels of the picture without a kind of damage, levels."""
        grey = np.asarray(cv2.cvtColor(self.without[kind], cv2.COLOR_RGB2GRAY), dtype=np.float64)
        mean, square = (cv2.blur(values, (7, 7)) for values in (grey, grey * grey))
        return np.asarray(np.sqrt(np.maximum(square - mean * mean, 0.0)), dtype=np.float32)


def read_square(path: Path, side: int) -> Image:
    """The middle square of a photograph.

    Args:
        path: any format that Pillow reads.
        side: pixels of the result; 0 keeps its own.

    Returns:
        (side, side, 3) float32 in [0, 1], RGB.
    """
    with Pillow.open(path) as file:
        picture = file.convert("RGB")
    least = min(picture.size)
    left, top = ((extent - least) // 2 for extent in picture.size)
    square = np.asarray(picture.crop((left, top, left + least, top + least)))
    return sized(np.asarray(square, dtype=np.float32) / np.float32(255.0), side)


def sized(image: Image, side: int) -> Image:
    """A square picture at another side, averaged where it shrinks; 0 keeps its own."""
    if side in (0, image.shape[0]):
        return np.ascontiguousarray(image)
    method = cv2.INTER_AREA if image.shape[0] > side else cv2.INTER_CUBIC
    resized = cv2.resize(np.ascontiguousarray(image), (side, side), interpolation=method)
    return np.asarray(np.clip(resized, 0.0, 1.0), dtype=np.float32)


def likelier(recipe: Recipe, probabilities: Mapping[str, float]) -> Recipe:
    """A recipe whose steps of the given uses are taken with other probabilities, at the first level.

    Parameters are drawn as they were: each step has random numbers of its own.
    """
    steps = tuple(
        step.model_copy(update={"probability": probabilities[getattr(step, "use", "")]})
        if isinstance(step, Part) and getattr(step, "use", "") in probabilities
        else step
        for step in recipe.steps
    )
    return recipe.model_copy(update={"steps": steps})


def drawn(recipe: Recipe, seed: int, key: str, variant: int, stamps: float = 0.0) -> tuple[DrawnStep, ...]:
    """Draw a recipe, and with a probability one ink stamp before the scanner's part."""
    steps = draw(recipe, seed, key, variant)
    streams = Streams(seed, key, variant)
    if streams.generator_of("stamp", "draw").random() >= stamps:
        return steps
    place = next((index for index, step in enumerate(steps) if step.use in _AFTER_STAMPS), len(steps))
    # Recipes that use an early blur or noise get the stamp behind everything masked.
    place = max([place, *(index + 1 for index, step in enumerate(steps) if step.use in KIND_OF)])
    stamp = DrawnStep("stamp", "stamp", "1", streams.seed_of("stamp", "pixels"), False, {})
    return (*steps[:place], stamp, *steps[place:])


def scene(image: Image, steps: Sequence[DrawnStep]) -> Scene:
    """Apply drawn steps, and once more without each kind of damage.

    Args:
        image: (H, W, 3) float32 in [0, 1], RGB.
        steps: from `drawn`; none that is uneven or moves pixels.
    """
    size = (image.shape[0], image.shape[1])
    state = image
    without: dict[Kind, Image] = {}
    masks: dict[Kind, Mask] = {}
    for step in steps:
        kind = KIND_OF.get(step.use)
        if kind is not None:
            without.setdefault(kind, state)
        without = {other: twin if other == kind else _done(step, twin, size).image for other, twin in without.items()}
        done = _done(step, state, size)
        state = done.image
        if kind is not None and done.mask is not None:
            masks[kind] = np.maximum(masks[kind], done.mask) if kind in masks else done.mask
    result = eight_bit(np.clip(state, 0.0, 1.0))
    return Scene(result, masks, {kind: eight_bit(np.clip(twin, 0.0, 1.0)) for kind, twin in without.items()})


def _done(step: DrawnStep, image: Image, size: tuple[int, int]) -> Degraded:
    generator = generator_of(step.seed)
    if step.use == "stamp":
        return stamped(image, generator)
    return step.degradation().degrade(image, generator, size)


VISIBLE = 10.0
"""Levels of 255 from which a change counts as visible; a step of 10 between two grey fields is seen at a glance."""

_REGIONS: tuple[Kind, ...] = ("corner",)
"""Kinds whose whole area is gone, also where what lies under the print has the print's own tone."""


def visible(scene: Scene, kind: Kind) -> NDArray[np.bool_]:
    """(H, W): where damage of a kind has a mask and can be seen; of a missing corner, where half of a pixel is gone."""
    if kind not in scene.masks:
        return np.zeros(scene.image.shape[:2], dtype=np.bool_)
    if kind in _REGIONS:
        return np.asarray(scene.masks[kind] >= 0.5)
    return np.asarray((scene.masks[kind] > 0.0) & (scene.change(kind) >= VISIBLE))


def clear(scene: Scene, kind: Kind, least: float = VISIBLE) -> NDArray[np.bool_]:
    """(H, W): what is visible, and changes a pixel by twice as much as its surroundings vary by themselves.

    A line of 10 levels in grain or hair that varies by as much is there for a computer and not for an eye.
    """
    seen = visible(scene, kind)
    if kind in _REGIONS or not seen.any():
        return seen
    return np.asarray(seen & (scene.change(kind) >= np.maximum(least, 2.0 * scene.unrest(kind))))


def learnt(scene: Scene) -> NDArray[np.uint8]:
    """(kinds, H, W) uint8: what the network is trained towards, 255 for damage that is plain to see.

    A change of 4 levels and less is nothing, one of 16 and more is all, with a straight line between, so that the
    network's values tell how plainly a pixel is damaged.
    """
    planes = np.zeros((len(KINDS), *scene.image.shape[:2]), dtype=np.uint8)
    for index, kind in enumerate(KINDS):
        if kind not in scene.masks:
            continue
        mask = scene.masks[kind]
        share = mask if kind in _REGIONS else np.clip((scene.change(kind) - 4.0) / 12.0, 0.0, 1.0) * (mask > 0.0)
        planes[index] = np.rint(255.0 * share)
    return planes
