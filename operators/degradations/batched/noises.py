"""Noise of many images. The host draws it from each step's own generator: the same numbers as the CPU path."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from operators.degradations.batched.colours import LUMA_OPENCV, luma
from operators.degradations.batched.frames import Frames, column, stacked
from operators.degradations.batched.tasks import Done, Task, done, frames_of, of_kind, to_levels, to_tensor
from operators.degradations.counts import poisson
from operators.degradations.noise import GaussianNoise, PoissonNoise, SaltAndPepper, SpeckleNoise
from operators.degradations.normals import standard_normal
from operators.degradations.streams import generator_of

_UNTOUCHED = 0.5


def gaussian(tasks: Sequence[Task], device: torch.device) -> list[Done]:
    """`GaussianNoise`."""
    frames = frames_of(tasks, device)
    return done(Frames(frames.pixels.add_(_normal(tasks, device)).clamp_(0.0, 1.0), frames.sizes))


def speckle(tasks: Sequence[Task], device: torch.device) -> list[Done]:
    """`SpeckleNoise`."""
    frames = frames_of(tasks, device)
    noise = _normal(tasks, device) * frames.pixels
    return done(Frames(frames.pixels.add_(noise).clamp_(0.0, 1.0), frames.sizes))


def salt_and_pepper(tasks: Sequence[Task], device: torch.device) -> list[Done]:
    """`SaltAndPepper`: what the CPU path makes of a grey picture says which values are replaced, and by what."""
    frames = frames_of(tasks, device)
    probes = []
    for task, step in zip(tasks, of_kind(SaltAndPepper, tasks), strict=True):
        plain = np.full((*task.size, 3), _UNTOUCHED, dtype=np.float32)
        probes.append(step.degrade(plain, generator_of(task.seed), task.original))
    replaced = stacked([to_tensor(probe.image) for probe in probes], device).pixels
    pixels = torch.where(replaced == _UNTOUCHED, frames.pixels, replaced)
    images = Frames(pixels, frames.sizes).images()
    return [Done(image, probe.mask) for image, probe in zip(images, probes, strict=True)]


def shot(tasks: Sequence[Task], device: torch.device) -> list[Done]:
    """`PoissonNoise`: 8-bit levels go to the host, and counts come back."""
    frames, steps = frames_of(tasks, device), of_kind(PoissonNoise, tasks)
    colour = frames.pixels.clamp(0.0, 1.0)
    grey = torch.tensor([step.grey for step in steps], device=device)[:, None, None, None]
    levels = to_levels(torch.where(grey, luma(colour, LUMA_OPENCV), colour))
    counts, whites = [], []
    on_host = Frames(levels.to(torch.uint8).cpu(), frames.sizes).images()
    for task, step, image in zip(tasks, steps, on_host, strict=True):
        signal = np.ascontiguousarray(image[0] if step.grey else image.permute(1, 2, 0))
        distinct = int(np.count_nonzero(np.bincount(signal.ravel(), minlength=256)))
        whites.append(1 << (distinct - 1).bit_length())
        counts.append(_planes(poisson(signal, whites[-1], generator_of(task.seed)).astype(np.float32)))
    scales = [step.scale / white for step, white in zip(steps, whites, strict=True)]
    noise = stacked(counts, device).pixels.mul_(column(scales, device))
    noise.sub_(levels.mul_(column([step.scale / 255.0 for step in steps], device)))
    return done(Frames(frames.pixels.add_(noise).clamp_(0.0, 1.0), frames.sizes))


def _planes(field: NDArray[np.float32]) -> Tensor:
    """(h, w) for all channels or (h, w, 3) to (3, h, w)."""
    tensor = torch.from_numpy(field)
    return tensor.expand(3, -1, -1) if field.ndim == 2 else tensor.permute(2, 0, 1)


def _normal(tasks: Sequence[Task], device: torch.device) -> Tensor:
    """(B, 3, H, W): normal noise of each task's deviation; grey ones repeat it."""
    fields, sigmas = [], []
    for task in tasks:
        step = task.degradation
        if not isinstance(step, (GaussianNoise, SpeckleNoise)):
            raise TypeError(f"found {type(step).__name__}, expected noise with a deviation")
        field = standard_normal(generator_of(task.seed), task.size if step.grey else (*task.size, 3))
        fields.append(_planes(field))
        sigmas.append(step.sigma / 255.0)
    return stacked(fields, device).pixels.mul_(column(sigmas, device))
