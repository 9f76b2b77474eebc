"""What the table of schedules knows of CycleGAN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from operators.training.schedules.contract import Entry, Given
from operators.training.schedules.cyclegan.options import Network, Objective, Schedule

if TYPE_CHECKING:
    from operators.training.contract import Schedule as Training


def build(given: Given) -> Training:
    """A training of CycleGAN; see `schedule.Cycle`."""
    from operators.training.schedules.cyclegan.schedule import Cycle  # noqa: PLC0415 - imports torch

    return Cycle(given)


ENTRY = Entry(
    summary="CycleGAN: translation between two domains without pairs (Zhu et al. 2017)",
    network=Network,
    objective=Objective,
    schedule=Schedule,
    data=("unpaired",),
    build=build,
)
