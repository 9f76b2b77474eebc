"""Resolutions of the networks of completion, and how many channels they have at each."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional

from operators.widths import MOST_LEVELS

SMALLEST = 4
"""Pixels a side of level 0; each level has twice those of the one before."""
MOST_CHANNELS, CHANNELS_TIMES_SIZE = 512, 16384
"""As in PGGAN: half as many channels for twice the resolution, at most 512. At 1024 pixels that leaves 16."""


def levels_of(size: int) -> int:
    """How many resolutions there are from 4 to a size.

    Raises:
        ValueError: the size is no power of two from 4 to 4096.
    """
    levels = size.bit_length() - 2
    if not 1 <= levels < MOST_LEVELS or size != SMALLEST << (levels - 1):
        raise ValueError(f"the size is {size}; it must be a power of two from {SMALLEST} to {1 << MOST_LEVELS}")
    return levels


def channels_for(size: int, most: int = MOST_CHANNELS, times_size: int = CHANNELS_TIMES_SIZE) -> tuple[int, ...]:
    """Channels by level for a size: `times_size` divided by the resolution, at most `most` and at least 1."""
    return tuple(max(1, min(times_size // (SMALLEST << level), most)) for level in range(levels_of(size)))


def checked_channels(size: int, channels: Sequence[int] | None) -> tuple[int, ...]:
    """The channels by level, those of `channels_for` where none are given.

    Raises:
        ValueError: another number of levels than the size has, or a level without channels.
    """
    found = channels_for(size) if channels is None else tuple(channels)
    if len(found) != levels_of(size) or min(found) < 1:
        raise ValueError(f"channels {found}: expected {levels_of(size)} counts from 1, for 4 to {size} pixels")
    return found


def reduced(x: Tensor, size: int) -> Tensor:
    """Pictures or masks at a smaller size, by average pooling (section 4.3 of the paper: both are brought down so).

    Args:
        x: (N, C, S, S), S a multiple of `size`.
        size: pixels a side of the result.

    Returns:
        (N, C, size, size); `x` itself where it has that size. A mask gets values between 0 and 1.
    """
    factor = x.shape[-1] // size
    return x if factor == 1 else functional.avg_pool2d(x, factor)
