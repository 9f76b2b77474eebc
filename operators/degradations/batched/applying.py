"""Drawn steps to pixels, for many images at once: the batched sibling of `operators.degradations.applying`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from operators.degradations.applying import Pair, Pair8, apply, apply_8bit
from operators.degradations.batched.frames import canvas
from operators.degradations.batched.lanes import Lane
from operators.degradations.batched.table import BATCHED, Batched
from operators.degradations.batched.tasks import Done, Task, by_reference, from_levels, to_image, to_levels, to_tensor
from operators.degradations.contract import Image, Mask
from operators.degradations.record import DrawnStep

MOST_PIXELS = {"cuda": 1 << 24, "cpu": 1 << 20}
"""Pixels of canvases that are done at once, by the kind of device. On a GPU 0.2 GB of float32, of which a blur needs
about seven; on a CPU what nearly fits its cache, and what malloc keeps instead of giving it back."""


@dataclass(frozen=True)
class TensorPair:
    """A pair as it lies on the device.

    Attributes:
        image: (3, H', W') float32 in [0, 1], RGB: the degraded image.
        target: (3, H, W) float32 in [0, 1], RGB.
        masks: of each step that has one, by the step's id: (H', W') float32 in [0, 1], in the memory of the host.
    """

    image: Tensor
    target: Tensor
    masks: Mapping[str, Mask]

    def pair(self) -> Pair:
        """The same in the memory of the host, as `applying.apply` gives it."""
        return Pair(to_image(self.image), to_image(self.target), self.masks)

    def pair8(self) -> Pair8:
        """The same in 8 bits, as `applying.apply_8bit` gives it; a quarter of the bytes comes from the device."""
        return Pair8(_eight_bit(self.image), _eight_bit(self.target), self.masks)


def apply_batch(
    images: Sequence[Image], steps_per_image: Sequence[Sequence[DrawnStep]], device: torch.device | str
) -> list[Pair]:
    """Degrade images, each as drawn for it: `applying.apply` for many, on a device.

    Args:
        images: (H, W, 3) float32 in [0, 1], RGB, 16 pixels and more on each side, of any sizes; never changed.
        steps_per_image: from `draw` or `from_record`, for each image.
        device: `cuda`, `cuda:1`, `cpu`.

    Returns:
        The pairs in the order of the images. Each step is within the tolerance of `table.BATCHED` of the CPU path's,
        given the same image; docs/recipes.md says what that makes of whole recipes.

    Raises:
        OperatorError: an image is too small, or a step's result would be too large, as in `apply`; no pair is given.
        ValueError: an image is no such array, or there are not as many lists of steps as images.
        RecipeError: the markers of an uneven group do not match each other.
    """
    return [made.pair() for made in apply_to_tensors(images, steps_per_image, device)]


def apply_batch_8bit(
    images: Sequence[NDArray[np.uint8]], steps_per_image: Sequence[Sequence[DrawnStep]], device: torch.device | str
) -> list[Pair8]:
    """The same for images of 8 bits, (H, W, 3) uint8: `applying.apply_8bit` for many. See `apply_batch`."""
    return [made.pair8() for made in apply_to_tensors(images, steps_per_image, device)]


def apply_to_tensors(
    images: Sequence[Image] | Sequence[NDArray[np.uint8]],
    steps_per_image: Sequence[Sequence[DrawnStep]],
    device: torch.device | str,
) -> list[TensorPair]:
    """The same for images of either type, and the pairs stay on the device. See `apply_batch`."""
    if len(images) != len(steps_per_image):
        raise ValueError(f"found {len(steps_per_image)} lists of steps for {len(images)} images, expected one for each")
    device = torch.device(device)
    tensors = [_checked(image, device) for image in images]
    lanes = [Lane(steps, tensor, tensor) for steps, tensor in zip(steps_per_image, tensors, strict=True)]
    while waiting := [(lane, step) for lane in lanes if (step := lane.next()) is not None]:
        by_hand = [(lane, step) for lane, step in waiting if step.use not in BATCHED]
        if by_hand:
            _step_by_reference(by_hand)
        else:
            use = _most_complete(waiting)
            _step_batched([(lane, step) for lane, step in waiting if step.use == use], BATCHED[use], device)
    return [TensorPair(_finished(lane.image, device), _finished(lane.target, device), lane.masks) for lane in lanes]


_Waiting = Sequence[tuple[Lane, DrawnStep]]


def _most_complete(waiting: _Waiting) -> str:
    """The use of which most of the images that still need it are ready, so that few come too late for it."""
    ready = Counter(step.use for _, step in waiting)
    needed = Counter(use for lane, _ in waiting for use in lane.left())
    return max(ready, key=lambda use: (ready[use] / needed[use], ready[use], use))


def _step_by_reference(waiting: _Waiting) -> None:
    for lane, step in waiting:
        degradation = step.degradation()
        lane.take(step, degradation, [by_reference(task) for task in lane.tasks(step, degradation)])


def _step_batched(waiting: _Waiting, batched: Batched, device: torch.device) -> None:
    degradations = [step.degradation() for _, step in waiting]
    per_lane = [lane.tasks(step, degradation) for (lane, step), degradation in zip(waiting, degradations, strict=True)]
    results = iter(_done([task for tasks in per_lane for task in tasks], batched, device))
    for (lane, step), degradation, tasks in zip(waiting, degradations, per_lane, strict=True):
        lane.take(step, degradation, [next(results) for _ in tasks])


def _done(tasks: Sequence[Task], batched: Batched, device: torch.device) -> list[Done]:
    """All tasks of one use: those of one shape together, as many as memory is meant for."""
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for index, task in enumerate(tasks):
        groups[batched.shape(task)].append(index)
    results: dict[int, Done] = {}
    for members in groups.values():
        height, width = canvas(tasks[members[0]].size)
        count = max(1, MOST_PIXELS.get(device.type, MOST_PIXELS["cpu"]) // (height * width))
        for start in range(0, len(members), count):
            chosen = members[start : start + count]
            results.update(zip(chosen, batched.run([tasks[index] for index in chosen], device), strict=True))
    return [results[index] for index in range(len(tasks))]


def _checked(image: Image | NDArray[np.uint8], device: torch.device) -> Tensor:
    """(3, h, w) float32; refuses what the CPU path refuses."""
    if image.dtype == np.uint8:
        levels = np.array(image, dtype=np.uint8)
        apply_8bit(levels, ())
        return from_levels(torch.from_numpy(levels).to(device).permute(2, 0, 1))
    values = cast("Image", image)
    apply(values, ())
    return to_tensor(values)


def _eight_bit(image: Tensor) -> NDArray[np.uint8]:
    levels = to_levels(image).to(torch.uint8).permute(1, 2, 0)
    return np.asarray(levels.contiguous().cpu().numpy(), dtype=np.uint8)


def _finished(image: Tensor, device: torch.device) -> Tensor:
    """Clipped, in memory of its own: not a view that keeps a whole canvas."""
    return image.to(device).clamp(0.0, 1.0).contiguous()
