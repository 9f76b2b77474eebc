"""Which degradations have a batched form, and how far it may be from the CPU path."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import torch

from operators.degradations.batched import colours, filters, noises, places
from operators.degradations.batched.frames import canvas
from operators.degradations.batched.tasks import Done, Task


def _canvas(task: Task) -> Hashable:
    return canvas(task.size)


@dataclass(frozen=True)
class Batched:
    """The batched form of a degradation.

    Attributes:
        run: does tasks of one shape; the results in their order.
        tolerance: the largest difference from the CPU path in a value, for the same image with values in [0, 1].
        outside: the largest share of values that may differ by more.
        shape: tasks with equal ones can be done together; it depends on the task alone.
    """

    run: Callable[[Sequence[Task], torch.device], list[Done]]
    tolerance: float
    shape: Callable[[Task], Hashable] = _canvas
    outside: float = 0.0


_LAST_BITS = 5e-7
"""Sums of a few products in another order: some units in the last place of float32 at 1."""

BATCHED: Mapping[str, Batched] = MappingProxyType(
    {
        # Fourier transforms in float32; the CPU path cuts 1e-6 of a kernel's weight off.
        "blur": Batched(filters.blur, 3e-6, filters.blur_shape),
        "sinc": Batched(filters.ringing, 3e-6, filters.sinc_shape),
        # Positions in float64, as OpenCV (4.10, 4.12, 5.0 seen) and Pillow have them.
        "resize": Batched(filters.resize, 1e-6, filters.resize_shape),
        # The same numbers from the same generator, in the same order of rounding.
        "gaussian-noise": Batched(noises.gaussian, 0.0),
        "speckle-noise": Batched(noises.speckle, 0.0),
        "salt-and-pepper": Batched(noises.salt_and_pepper, 0.0),
        # Equal in colour. In grey a luma can be rounded to the next level, and its count is another one then.
        "poisson-noise": Batched(noises.shot, 0.0, outside=0.02),
        # Whole numbers, as libjpeg-turbo computes them.
        "jpeg": Batched(filters.compress, 0.0, filters.jpeg_shape),
        "colour-shift": Batched(colours.colour_shift, 0.0),
        "brightness": Batched(colours.brightness, 0.0),
        "exposure": Batched(colours.exposure, 0.0),
        "haze": Batched(colours.haze, 0.0),
        "flip": Batched(places.moved, 0.0),
        "shift": Batched(places.moved, 0.0),
        "grey": Batched(colours.grey, _LAST_BITS),
        # Factors up to 10 on such sums.
        "contrast": Batched(colours.contrast, 1e-5),
        "saturation": Batched(colours.saturation, 1e-5),
        "hue": Batched(colours.hue, 2e-6),
    }
)
"""By the name that recipes use. All others go to the CPU path, image by image, and differ in nothing."""
