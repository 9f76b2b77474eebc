"""One image in front of one step, and what comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from operators.degradations.batched.frames import Frames, stacked
from operators.degradations.contract import Degradation, Image, Mask, Size
from operators.degradations.streams import generator_of

D = TypeVar("D", bound=Degradation)


@dataclass(frozen=True)
class Task:
    """A step that is to be done.

    Attributes:
        image: (3, h, w) float32, RGB; never changed.
        degradation: with its parameters.
        seed: of the step's generator.
        original: height and width of the image that the recipe began with.
    """

    image: Tensor
    degradation: Degradation
    seed: str
    original: Size

    @property
    def size(self) -> Size:
        """Height and width of the image."""
        return self.image.shape[1], self.image.shape[2]


@dataclass(frozen=True)
class Done:
    """What a step gives back: (3, h, w) float32, and the mask where the step has one."""

    image: Tensor
    mask: Mask | None = None


def of_kind(kind: type[D], tasks: Sequence[Task]) -> list[D]:
    """The degradations of tasks that all are of one kind.

    Raises:
        TypeError: one is not.
    """
    found = [task.degradation for task in tasks if isinstance(task.degradation, kind)]
    if len(found) != len(tasks):
        raise TypeError(f"found tasks that are not {kind.__name__}, expected nothing else")
    return found


def frames_of(tasks: Sequence[Task], device: torch.device) -> Frames:
    """The tasks' images in a tensor of their own, which may be written to."""
    return stacked([task.image for task in tasks], device)


def done(frames: Frames) -> list[Done]:
    """Results without masks."""
    return [Done(image) for image in frames.images()]


def by_reference(task: Task) -> Done:
    """The CPU path's own degradation; the result lies in the memory of the host."""
    degraded = task.degradation.degrade(to_image(task.image), generator_of(task.seed), task.original)
    return Done(to_tensor(degraded.image), degraded.mask)


def to_image(tensor: Tensor) -> Image:
    """(3, h, w) on any device to (h, w, 3) in the memory of the host."""
    return np.ascontiguousarray(tensor.permute(1, 2, 0).cpu().numpy())


def to_tensor(image: Image) -> Tensor:
    """(h, w, 3) to (3, h, w) in memory of its own."""
    return torch.from_numpy(np.array(image.transpose(2, 0, 1), dtype=np.float32, order="C"))


def to_levels(values: Tensor) -> Tensor:
    """Clipped to [0, 1], times 255, rounded to whole levels, halves to the even one: float32 in memory of its own."""
    return values.clamp(0.0, 1.0).mul_(255.0).round_()


def from_levels(levels: Tensor) -> Tensor:
    """Divided by 255: float32, as NumPy divides."""
    # By a tensor: CUDA multiplies by the inverse of a number, which differs in the last bit.
    white = torch.full((1,), 255.0, dtype=torch.float32, device=levels.device)
    return levels.to(torch.float32) / white
