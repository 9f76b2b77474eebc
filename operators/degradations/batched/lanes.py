"""One image's way through its own steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from operators.degradations.batched.tasks import Done, Task
from operators.degradations.contract import Degradation, Mask, Size
from operators.degradations.problems import Problem, RecipeError
from operators.degradations.record import AGAIN, FORK, JOIN, DrawnStep


@dataclass(frozen=True)
class _State:
    """Tensors (3, h, w) and masks, none of which is ever written to."""

    image: Tensor
    target: Tensor
    masks: dict[str, Mask]


@dataclass
class Lane:
    """An image with the steps that are left of its own.

    Attributes:
        steps: all of its steps.
        image: (3, h, w) float32 as it is now.
        target: the same of its target.
        masks: by the step's id, in the memory of the host.
        at: index of the next step.
    """

    steps: Sequence[DrawnStep]
    image: Tensor
    target: Tensor
    masks: dict[str, Mask] = field(default_factory=dict)
    at: int = 0

    def __post_init__(self) -> None:
        self.original: Size = (self.image.shape[1], self.image.shape[2])
        self._kept: list[_State] = []

    def next(self) -> DrawnStep | None:
        """The next step that changes pixels; the markers of uneven groups before it are passed. None at the end.

        Raises:
            RecipeError: the markers do not match each other.
        """
        while self.at < len(self.steps) and self.steps[self.at].use in (FORK, AGAIN, JOIN):
            self._pass(self.steps[self.at])
            self.at += 1
        return self.steps[self.at] if self.at < len(self.steps) else None

    def left(self) -> set[str]:
        """Uses of the steps that are left."""
        return {step.use for step in self.steps[self.at :]}

    def tasks(self, step: DrawnStep, degradation: Degradation) -> list[Task]:
        """The step for the image, and for the target where it is for both and another image by now."""
        apart = step.both and self.target is not self.image
        images = [self.image, self.target] if apart else [self.image]
        return [Task(image, degradation, step.seed, self.original) for image in images]

    def take(self, step: DrawnStep, degradation: Degradation, results: Sequence[Done]) -> None:
        """Take what became of the tasks, and go on to the next step."""
        self.image = results[0].image
        self.masks = {name: degradation.moved(mask, self.original) for name, mask in self.masks.items()}
        if results[0].mask is not None:
            self.masks[step.id] = results[0].mask
        if step.both:
            self.target = results[-1].image
        self.at += 1

    def _pass(self, marker: DrawnStep) -> None:
        now = _State(self.image, self.target, dict(self.masks))
        if marker.use == FORK:
            self._kept.append(now)
            return
        if not self._kept:
            message = f"found {marker.use} without what belongs before it"
            raise RecipeError("record", [Problem((self.at, "use"), message)])
        before = self._kept.pop()
        if marker.use == AGAIN:
            self._kept.append(now)
        else:
            before = _joined(before, now, marker)
        self.image, self.target, self.masks = before.image, before.target, dict(before.masks)


def _joined(first: _State, second: _State, marker: DrawnStep) -> _State:
    """A square of the first on the second; masks that one of them lacks are empty there."""
    height, width = second.image.shape[1:]
    if first.image.shape != second.image.shape:
        sizes = f"{tuple(first.image.shape[1:])} and {height, width} pixels, expected equal sizes"
        message = f"found results of {sizes}; resize to the original inside the group"
        raise RecipeError("record", [Problem((marker.id,), message)])
    side = max(1, round(float(marker.parameters["side"]) * min(height, width)))
    top = round(float(marker.parameters["top"]) * (height - side))
    left = round(float(marker.parameters["left"]) * (width - side))
    square = np.s_[top : top + side, left : left + side]
    image = second.image.clone()
    image[:, square[0], square[1]] = first.image[:, square[0], square[1]].to(image.device)
    masks = {}
    for name in [*first.masks, *(name for name in second.masks if name not in first.masks)]:
        mask = second.masks[name].copy() if name in second.masks else np.zeros((height, width), dtype=np.float32)
        mask[square] = first.masks[name][square] if name in first.masks else 0.0
        masks[name] = mask
    return _State(image, second.target, masks)
