"""Drawn steps to pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from operators.degradations.contract import Image, Mask, Size
from operators.degradations.problems import Problem, RecipeError
from operators.degradations.record import AGAIN, FORK, JOIN, DrawnStep
from operators.degradations.streams import generator_of
from operators.errors import OperatorError

SMALLEST = 16
"""Side in pixels below which there is nothing to degrade."""


@dataclass(frozen=True)
class Pair:
    """What a recipe made of an image.

    Attributes:
        image: (H', W', 3) float32 in [0, 1], RGB: the degraded image. Its size is the recipe's affair.
        target: (H, W, 3) float32 in [0, 1], RGB: the source after the steps that are for both.
        masks: of each step that has one, by the step's id: (H', W') float32 in [0, 1], moved with the pixels by the
            steps after it.
    """

    image: Image
    target: Image
    masks: Mapping[str, Mask] = field(default_factory=dict)

    @property
    def mask(self) -> Mask | None:
        """The largest of all masks at each pixel; None where no step has one."""
        return np.maximum.reduce(list(self.masks.values())) if self.masks else None


@dataclass
class _State:
    image: Image
    target: Image
    masks: dict[str, Mask]

    def copy(self) -> _State:
        return _State(self.image, self.target, dict(self.masks))


def apply(image: Image, steps: Sequence[DrawnStep]) -> Pair:
    """Degrade an image as drawn.

    Args:
        image: (H, W, 3) float32 in [0, 1], RGB, 16 pixels and more on each side; never changed.
        steps: from `draw` or `from_record`.

    Returns:
        The pair: the same image and steps give the same bits.

    Raises:
        OperatorError: `too_small`: the image is.
        ValueError: the image is no such array.
        RecipeError: the markers of an uneven group do not match each other.
    """
    _check_image(image)
    size: Size = (image.shape[0], image.shape[1])
    state, kept = _State(image, image, {}), list[_State]()
    for index, step in enumerate(steps):
        if step.use == FORK:
            kept.append(state.copy())
        elif step.use in (AGAIN, JOIN) and not kept:
            raise RecipeError("record", [Problem((index, "use"), f"found {step.use} without what belongs before it")])
        elif step.use == AGAIN:
            before = kept.pop()
            kept.append(state)
            state = before
        elif step.use == JOIN:
            state = _joined(kept.pop(), state, step)
        else:
            _do(state, step, size)
    return Pair(_clipped(state.image), _clipped(state.target), state.masks)


def to_8bit(image: Image) -> NDArray[np.uint8]:
    """(H, W, 3) float32 in [0, 1] to uint8, rounded to the nearest level, halves to the even one as the papers do."""
    return np.asarray(np.rint(np.clip(image, 0.0, 1.0) * np.float32(255.0)), dtype=np.uint8)


def _do(state: _State, step: DrawnStep, original: Size) -> None:
    degradation = step.degradation()
    degraded = degradation.degrade(state.image, generator_of(step.seed), original)
    state.image = degraded.image
    state.masks = {name: degradation.moved(mask, original) for name, mask in state.masks.items()}
    if degraded.mask is not None:
        state.masks[step.id] = degraded.mask
    if step.both:
        state.target = degradation.degrade(state.target, generator_of(step.seed), original).image


def _joined(first: _State, second: _State, step: DrawnStep) -> _State:
    """A square of the first on the second; masks that one of them lacks are empty there."""
    height, width = second.image.shape[:2]
    if first.image.shape != second.image.shape:
        message = f"found results of {first.image.shape[:2]} and {second.image.shape[:2]} pixels, expected equal sizes"
        raise RecipeError("record", [Problem((step.id,), f"{message}; resize to the original inside the group")])
    side = max(1, round(float(step.parameters["side"]) * min(height, width)))
    top = round(float(step.parameters["top"]) * (height - side))
    left = round(float(step.parameters["left"]) * (width - side))
    square = np.s_[top : top + side, left : left + side]
    image = second.image.copy()
    image[square] = first.image[square]
    masks = {}
    for name in [*first.masks, *(name for name in second.masks if name not in first.masks)]:
        mask = second.masks[name].copy() if name in second.masks else np.zeros((height, width), dtype=np.float32)
        mask[square] = first.masks[name][square] if name in first.masks else 0.0
        masks[name] = mask
    return _State(image, second.target, masks)


def _clipped(image: Image) -> Image:
    return np.clip(image, np.float32(0.0), np.float32(1.0))


def _check_image(image: Image) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.float32:
        raise ValueError(f"found {image.dtype} of shape {image.shape}, expected float32 of shape (H, W, 3)")
    if min(image.shape[:2]) < SMALLEST:
        message = f"found {image.shape[1]} x {image.shape[0]} pixels, expected at least {SMALLEST} on each side"
        raise OperatorError("too_small", f"{message}; leave images this small out")
    # min and max pass NaN on, and a comparison with it is false.
    if not (image.min() >= 0.0 and image.max() <= 1.0):
        raise ValueError(f"found values from {image.min()} to {image.max()}, expected [0, 1]")
