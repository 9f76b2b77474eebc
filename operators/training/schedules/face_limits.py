"""What settings of face restorers can be, said without torch."""

from __future__ import annotations

from operators.faces.templates import template_names
from operators.training.contract import Hardware
from operators.training.schedules.contract import Common
from operators.widths import widths

_GROUP = 4
"""Pictures that the discriminator of the whole face compares (`operators.training.discriminators.style`)."""

_LEAST = 32
"""Pixels a side below which feature networks see nothing, and nothing is left of an eye that is halved twice."""


def check_size(size: int) -> None:
    """Raise ValueError unless StyleGAN2's layers can have this size."""
    if not 8 <= size <= 4096 or size & (size - 1):
        raise ValueError(f"model.size is {size}; expected a power of two from 8 to 4096")


def check_template(template: str) -> None:
    """Raise ValueError unless there is an alignment of this name."""
    if template not in template_names():
        raise ValueError(f"model.template is {template!r}; expected one of {', '.join(template_names())}")


def check_widths(
    size: int,
    channel_multiplier: float,
    narrow: float,
    key: str = "narrow",
    *,
    share: float = 1.0,
    even: bool = False,
) -> None:
    """Refuse networks of which a layer has no channels, or none that can be halved.

    Args:
        size: pixels a side, checked already.
        channel_multiplier: of resolutions from 64 on.
        narrow: of all resolutions.
        key: what `narrow` is called in the job file, below `model`.
        share: of these channels, that the network has.
        even: channels of resolutions above 4 are halved.

    Raises:
        ValueError: there is such a layer.
    """
    try:
        channels = widths(size, channel_multiplier, narrow * share)
    except ValueError as error:
        raise ValueError(f"model.{key} is {narrow}: {error}; expected a larger one") from error
    odd = {resolution: count for resolution, count in channels.items() if resolution > 4 and count % 2}
    if even and odd:
        raise ValueError(
            f"model.{key} is {narrow}, model.channel_multiplier {channel_multiplier}: layers of "
            f"{', '.join(f'{count} channels at {resolution} pixels' for resolution, count in odd.items())} cannot be "
            "halved; change one of them so that all are even, or set model.sft_half to false"
        )


def check_weights(objective: object) -> None:
    """Raise ValueError if a weight of an objective is below 0."""
    for name, weight in vars(objective).items():
        if weight < 0:
            raise ValueError(f"objective.{name} is {weight}; expected 0, which leaves the term out, or more")


def check_seen(name: str, weight: float, size: int) -> None:
    """Refuse terms of which the networks need larger faces.

    Args:
        name: of the term, `perceptual` or `component`.
        weight: of it; 0 is always well.
        size: pixels a side.

    Raises:
        ValueError: they are too small.
    """
    if weight and size < _LEAST:
        raise ValueError(
            f"objective.{name} is {weight}, and model.size {size}: expected faces of at least {_LEAST} pixels a side; "
            f"set objective.{name} to 0 or use larger ones"
        )


def check_window(window: int, perceptual: float, size: int) -> None:
    """Refuse squares that the perceptual term cannot look at.

    Args:
        window: pixels a side; 0, the whole face, is always well.
        perceptual: weight of the term.
        size: pixels a side of the faces.

    Raises:
        ValueError: there is no such term, or the square is too small for its network or larger than a face.
    """
    if not window:
        return
    if not perceptual:
        raise ValueError(
            f"schedule.window is {window} and objective.perceptual 0: expected a term that looks there; set window to 0"
        )
    if not _LEAST <= window <= size:
        raise ValueError(f"schedule.window is {window}; expected 0, for the whole face, or {_LEAST} to {size} pixels")


def check_groups(schedule: Common, hardware: Hardware) -> None:
    """Refuse batches that the discriminator of the whole face cannot put into groups of four.

    Several workers have whole groups: a smaller one would be another statistic than one worker takes of the same batch.

    Raises:
        ValueError: what it would see at once is no whole number; or no multiple of four, and more than that or a part
            of what other workers see.
    """
    parts, several = hardware.world * schedule.accumulate, hardware.world > 1
    seen, rest = divmod(schedule.batch, parts)
    if rest or not seen or (seen % _GROUP and (several or seen > _GROUP)):
        expected = f"a multiple of {_GROUP}" if several else f"1, 2, 3 or a multiple of {_GROUP}"
        raise ValueError(
            f"schedule.batch is {schedule.batch}, in {hardware.world} workers x {schedule.accumulate} parts "
            f"(schedule.accumulate): expected {expected} samples in each, since the discriminator looks at groups of "
            f"{_GROUP}"
        )
