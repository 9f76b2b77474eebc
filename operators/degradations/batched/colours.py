"""Colour and light of many images, in the order of the CPU path's own sums."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from operators.degradations.batched.frames import Frames, column
from operators.degradations.batched.tasks import Done, Task, done, frames_of, from_levels, of_kind
from operators.degradations.colour import Brightness, ColourShift, Contrast, Exposure, Haze, Hue, Saturation

_LUMA = (0.2989, 0.587, 0.114)
LUMA_OPENCV = (0.299, 0.587, 0.114)
_EPSILON = 1.1920929e-07
"""FLT_EPSILON, which OpenCV adds to divisors."""


def colour_shift(tasks: Sequence[Task], device: torch.device) -> list[Done]:
    """`ColourShift`."""
    frames, steps = frames_of(tasks, device), of_kind(ColourShift, tasks)
    levels = [[step.red, step.green, step.blue] for step in steps]
    shift = from_levels(torch.tensor(levels, dtype=torch.float32)).to(device)[:, :, None, None]
    return _clipped(frames.pixels.add_(shift), frames)


def brightness(tasks: Sequence[Task], device: torch.device) -> list[Done]:
    """`Brightness`."""
    frames = frames_of(tasks, device)
    factors = column([step.factor for step in of_kind(Brightness, tasks)], device)
    return _clipped(frames.pixels.mul_(factors), frames)


def exposure(tasks: Sequence[Task], device: torch.device) -> list[Done]:
    """`Exposure`."""
    frames = frames_of(tasks, device)
    factors = column([step.factor for step in of_kind(Exposure, tasks)], device)
    return _clipped(frames.pixels.mul_(factors), frames)


def contrast(tasks: Sequence[Task], device: torch.device) -> list[Done]:
    """`Contrast`: means are taken image by image, in float64."""
    frames = frames_of(tasks, device)
    factors = column([step.factor for step in of_kind(Contrast, tasks)], device)
    lumas = Frames(luma(frames.pixels, _LUMA), frames.sizes).images()
    means = torch.stack([image.mean(dtype=torch.float64) for image in lumas]).to(torch.float32)[:, None, None, None]
    return _clipped((frames.pixels - means).mul_(factors).add_(means), frames)


def saturation(tasks: Sequence[Task], device: torch.device) -> list[Done]:
    """`Saturation`."""
    frames = frames_of(tasks, device)
    factors = column([step.factor for step in of_kind(Saturation, tasks)], device)
    own = luma(frames.pixels, _LUMA)
    return _clipped((frames.pixels - own).mul_(factors).add_(own), frames)


def hue(tasks: Sequence[Task], device: torch.device) -> list[Done]:
    """`Hue`, through OpenCV's hexagon."""
    frames = frames_of(tasks, device)
    turns = column([360.0 * step.turn for step in of_kind(Hue, tasks)], device)
    pixels = frames.pixels.clamp_(0.0, 1.0)
    red, green, blue = (pixels[:, channel : channel + 1] for channel in range(3))
    value = pixels.amax(dim=1, keepdim=True)
    spread = value - pixels.amin(dim=1, keepdim=True)
    sixth = 60.0 / (spread + _EPSILON)
    angle = torch.where(
        value == red,
        (green - blue) * sixth,
        torch.where(value == green, (blue - red) * sixth + 120.0, (red - green) * sixth + 240.0),
    )
    angle = torch.remainder(torch.where(angle < 0.0, angle + 360.0, angle) + turns, 360.0)
    chroma = value * (spread / (value + _EPSILON))
    # How far a channel lies from its own sextant, n from red: chroma is taken away by min(k, 4 - k) in [0, 1].
    corner = torch.tensor([5.0, 3.0, 1.0], dtype=torch.float32, device=device)[None, :, None, None]
    place = torch.remainder(angle * (6.0 / 360.0) + corner, 6.0)
    return _clipped(value - chroma * torch.minimum(place, 4.0 - place).clamp_(0.0, 1.0), frames)


def grey(tasks: Sequence[Task], device: torch.device) -> list[Done]:
    """`Grey`."""
    frames = frames_of(tasks, device)
    return done(Frames(luma(frames.pixels, LUMA_OPENCV).expand(-1, 3, -1, -1), frames.sizes))


def haze(tasks: Sequence[Task], device: torch.device) -> list[Done]:
    """`Haze`."""
    frames, steps = frames_of(tasks, device), of_kind(Haze, tasks)
    left, veil = column([step.alpha for step in steps], device), column([1.0 - step.alpha for step in steps], device)
    return done(Frames(frames.pixels.mul_(left).add_(veil), frames.sizes))


def luma(pixels: Tensor, weights: tuple[float, float, float]) -> Tensor:
    """Weighted sum of red, green and blue: (B, 3, H, W) to (B, 1, H, W)."""
    red, green, blue = (pixels[:, channel : channel + 1] for channel in range(3))
    return red * weights[0] + green * weights[1] + blue * weights[2]


def _clipped(pixels: Tensor, frames: Frames) -> list[Done]:
    return done(Frames(pixels.clamp(0.0, 1.0), frames.sizes))
