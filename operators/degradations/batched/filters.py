"""Blurs, resizes and JPEG of many images."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import torch

from operators.degradations.batched import jpeg
from operators.degradations.batched.convolution import filtered, lengths
from operators.degradations.batched.frames import Frames, canvas
from operators.degradations.batched.resampling import resized
from operators.degradations.batched.tasks import Done, Task, done, frames_of, from_levels, of_kind, to_levels
from operators.degradations.blur import Blur, Sinc
from operators.degradations.contract import Size
from operators.degradations.jpeg import Jpeg
from operators.degradations.kernels import bell, sinc
from operators.degradations.resize import Resize


def blur_shape(task: Task) -> Hashable:
    """Canvas, and the transform's lengths."""
    (blur,) = of_kind(Blur, [task])
    return canvas(task.size), lengths(task.size, blur.size)


def blur(tasks: Sequence[Task], device: torch.device) -> list[Done]:
    """`Blur`, with whole kernels."""
    kernels = [
        bell(step.kernel, step.size, step.sigma, step.sigma_y, step.angle, step.beta) for step in of_kind(Blur, tasks)
    ]
    return done(filtered(frames_of(tasks, device), kernels))


def sinc_shape(task: Task) -> Hashable:
    """Canvas, and the transform's lengths."""
    (ringing,) = of_kind(Sinc, [task])
    return canvas(task.size), lengths(task.size, ringing.size)


def ringing(tasks: Sequence[Task], device: torch.device) -> list[Done]:
    """`Sinc`."""
    kernels = [sinc(step.size, step.cutoff) for step in of_kind(Sinc, tasks)]
    return done(filtered(frames_of(tasks, device), kernels))


def resize_shape(task: Task) -> Hashable:
    """Canvases before and after; interpolations apart, since they need unlike numbers of taps."""
    (resize,) = of_kind(Resize, [task])
    target = _target(task)
    # A picture that keeps its size is passed on as it is.
    return None if target == task.size else (canvas(task.size), canvas(target), resize.interpolation)


def resize(tasks: Sequence[Task], device: torch.device) -> list[Done]:
    """`Resize`."""
    targets = [_target(task) for task in tasks]
    if targets[0] == tasks[0].size:
        return [Done(task.image) for task in tasks]
    ways = [step.interpolation for step in of_kind(Resize, tasks)]
    return done(resized(frames_of(tasks, device), ways, targets))


def _target(task: Task) -> Size:
    (resize,) = of_kind(Resize, [task])
    return resize.size(task.size, task.original)


def jpeg_shape(task: Task) -> Hashable:
    """Canvas and subsampling."""
    (step,) = of_kind(Jpeg, [task])
    return canvas(task.size), step.subsampling


def compress(tasks: Sequence[Task], device: torch.device) -> list[Done]:
    """`Jpeg`."""
    steps = of_kind(Jpeg, tasks)
    frames = frames_of(tasks, device)
    levels = Frames(to_levels(frames.pixels), frames.sizes)
    coded = jpeg.coded(levels, [int(step.quality) for step in steps], steps[0].subsampling)
    return done(Frames(from_levels(coded), frames.sizes))
