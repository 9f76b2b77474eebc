"""Drawn steps to pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from operators.degradations.contract import Degradation, Image, Mask, Size
from operators.degradations.fusing import fused
from operators.degradations.levels import eight_bit, from_eight_bit
from operators.degradations.memory import hold_memory
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
        return _largest(self.masks)


@dataclass(frozen=True)
class Pair8:
    """The same in 8 bits.

    Attributes:
        image: (H', W', 3) uint8, RGB: the degraded image.
        target: (H, W, 3) uint8, RGB.
        masks: as those of `Pair`, in floats.
    """

    image: NDArray[np.uint8]
    target: NDArray[np.uint8]
    masks: Mapping[str, Mask] = field(default_factory=dict)

    @property
    def mask(self) -> Mask | None:
        """The largest of all masks at each pixel; None where no step has one."""
        return _largest(self.masks)


Pixels: TypeAlias = Image | NDArray[np.uint8]
"""Floats in [0, 1], or 8 bits as long as no step has computed anything."""


@dataclass
class _State:
    image: Pixels
    target: Pixels
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
    state = _applied(image, steps)
    return Pair(_clipped(_floats(state.image)), _clipped(_floats(state.target)), state.masks)


def apply_8bit(image: NDArray[np.uint8], steps: Sequence[DrawnStep]) -> Pair8:
    """Degrade an image of 8 bits: what `apply` and `to_8bit` make of it divided by 255, bit for bit, and sooner.

    Args:
        image: (H, W, 3) uint8, RGB, 16 pixels and more on each side; never changed.
        steps: as for `apply`.

    Returns:
        The pair; its target may be the very array that was given.

    Raises:
        OperatorError, ValueError, RecipeError: as `apply`.
    """
    _check_form(image, np.uint8)
    state = _applied(image, steps)
    return Pair8(to_8bit(state.image), to_8bit(state.target), state.masks)


def _applied(image: Pixels, steps: Sequence[DrawnStep]) -> _State:
    hold_memory()
    size: Size = (image.shape[0], image.shape[1])
    state, kept = _State(image, image, {}), list[_State]()
    done = 0
    for index, step in enumerate(steps):
        if index < done:
            continue
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
            done = index + _do(state, steps[index : index + 2], size)
    return state


def to_8bit(image: Pixels) -> NDArray[np.uint8]:
    """(H, W, 3) float32 in [0, 1] to uint8, rounded to the nearest level, halves to the even one as the papers do."""
    if image.dtype == np.uint8:
        return np.asarray(image, dtype=np.uint8)
    return eight_bit(np.asarray(image, dtype=np.float32))


def _do(state: _State, steps: Sequence[DrawnStep], original: Size) -> int:
    """Do the first of one or two steps, or both as one; how many were done."""
    step, degradation = steps[0], steps[0].degradation()
    if _blurs_before_resize(steps):
        second = steps[1].degradation()
        state.image = _floats(state.image)
        shrunk = fused(degradation, second, state.image, original)
        if shrunk is not None:
            state.image = shrunk
            state.masks = {name: second.moved(earlier, original) for name, earlier in state.masks.items()}
            return 2
    image, mask = _degraded(degradation, state.image, step.seed, original)
    if step.both and state.target is state.image:
        state.target = image
    elif step.both:
        state.target, _ = _degraded(degradation, state.target, step.seed, original)
    state.image = image
    state.masks = {name: degradation.moved(earlier, original) for name, earlier in state.masks.items()}
    if mask is not None:
        state.masks[step.id] = mask
    return 1


def _blurs_before_resize(steps: Sequence[DrawnStep]) -> bool:
    return [step.use for step in steps] == ["blur", "resize"] and not any(step.both for step in steps)


def _degraded(degradation: Degradation, pixels: Pixels, seed: str, original: Size) -> tuple[Pixels, Mask | None]:
    rearranged = degradation.rearranged(pixels)
    if rearranged is not None:
        return rearranged, None
    degraded = degradation.degrade(_floats(pixels), generator_of(seed), original)
    return degraded.image, degraded.mask


def _joined(first: _State, second: _State, step: DrawnStep) -> _State:
    """A square of the first on the second; masks that one of them lacks are empty there."""
    inside, outside = _floats(first.image), _floats(second.image)
    height, width = outside.shape[:2]
    if inside.shape != outside.shape:
        message = f"found results of {inside.shape[:2]} and {outside.shape[:2]} pixels, expected equal sizes"
        raise RecipeError("record", [Problem((step.id,), f"{message}; resize to the original inside the group")])
    side = max(1, round(float(step.parameters["side"]) * min(height, width)))
    top = round(float(step.parameters["top"]) * (height - side))
    left = round(float(step.parameters["left"]) * (width - side))
    square = np.s_[top : top + side, left : left + side]
    image = outside.copy()
    image[square] = inside[square]
    masks = {}
    for name in [*first.masks, *(name for name in second.masks if name not in first.masks)]:
        mask = second.masks[name].copy() if name in second.masks else np.zeros((height, width), dtype=np.float32)
        mask[square] = first.masks[name][square] if name in first.masks else 0.0
        masks[name] = mask
    return _State(image, second.target, masks)


def _largest(masks: Mapping[str, Mask]) -> Mask | None:
    return np.maximum.reduce(list(masks.values())) if masks else None


def _floats(pixels: Pixels) -> Image:
    if pixels.dtype == np.uint8:
        return from_eight_bit(np.asarray(pixels, dtype=np.uint8))
    return np.asarray(pixels, dtype=np.float32)


def _clipped(image: Image) -> Image:
    return np.clip(image, np.float32(0.0), np.float32(1.0))


def _check_image(image: Image) -> None:
    _check_form(image, np.float32)
    # min and max pass NaN on, and a comparison with it is false.
    if not (image.min() >= 0.0 and image.max() <= 1.0):
        raise ValueError(f"found values from {image.min()} to {image.max()}, expected [0, 1]")


def _check_form(image: Pixels, kind: type[np.generic]) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != kind:
        message = f"found {image.dtype} of shape {image.shape}, expected {np.dtype(kind)} of shape (H, W, 3)"
        raise ValueError(message)
    if min(image.shape[:2]) < SMALLEST:
        message = f"found {image.shape[1]} x {image.shape[0]} pixels, expected at least {SMALLEST} on each side"
        raise OperatorError("too_small", f"{message}; leave images this small out")
