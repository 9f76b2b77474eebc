"""Channel counts of StyleGAN2 by resolution, and the arguments they follow from."""

from __future__ import annotations

from collections.abc import Mapping

# Above this no network has been published, and a key that claims more is refused before anything is built from it.
MOST_LEVELS = 12

_NICE_MULTIPLIERS = (2.0, 1.0, 0.5, 4.0, 0.25, 8.0)


def level_of(size: int) -> int:
    """Binary logarithm of a resolution.

    Raises:
        ValueError: `size` is not a power of two from 8 to 4096.
    """
    level = size.bit_length() - 1
    if not 3 <= level <= MOST_LEVELS or size != 1 << level:
        raise ValueError(f"the size is {size}; it must be a power of two from 8 to {1 << MOST_LEVELS}")
    return level


def width(resolution: int, channel_multiplier: float, narrow: float) -> int:
    """Channels at one resolution (StyleGAN2, configuration E and F; halved channels by `narrow`).

    Args:
        resolution: pixels a side, a power of two from 4.
        channel_multiplier: for resolutions from 64 on; 2 in configuration F.
        narrow: for all resolutions.
    """
    if resolution <= 32:
        return int(512 * narrow)
    return int(16384 // resolution * channel_multiplier * narrow)


def widths(size: int, channel_multiplier: float, narrow: float) -> dict[int, int]:
    """Channels at every resolution from 4 to `size`.

    Raises:
        ValueError: a level would have no channels.
    """
    found = {1 << level: width(1 << level, channel_multiplier, narrow) for level in range(2, level_of(size) + 1)}
    if min(found.values()) < 1:
        raise ValueError(f"channel multiplier {channel_multiplier} and narrow {narrow} leave no channels: {found}")
    return found


def arguments_of(found: Mapping[int, int]) -> tuple[float, float]:
    """Channel multiplier and narrowing that give these channels.

    Several pairs give the same widths, since widths are rounded down; the pair with the plainest multiplier is taken.

    Args:
        found: channels by resolution; 4 must be among them.

    Returns:
        (channel_multiplier, narrow). The multiplier is 2 when no resolution shows it.

    Raises:
        ValueError: no pair gives them.
    """
    narrow = found[4] / 512
    candidates = list(_NICE_MULTIPLIERS)
    if 64 in found and narrow > 0:
        # A quarter more, so that rounding down lands on the width itself, at this resolution and at all above.
        candidates += [found[64] / (256 * narrow), (found[64] + 0.25) / (256 * narrow)]
    for multiplier in candidates:
        if all(width(resolution, multiplier, narrow) == count for resolution, count in found.items()):
            return multiplier, narrow
    raise ValueError(f"no StyleGAN2 has these channels by resolution: {dict(found)}")
