"""What the table of schedules knows of GPEN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from operators.training.schedules.contract import Entry, Given
from operators.training.schedules.gpen.options import Network, Objective, Schedule
from operators.training.schedules.gpen.settings import check

if TYPE_CHECKING:
    from operators.training.contract import Schedule as Training


def build(given: Given) -> Training:
    """A training of GPEN; see `schedule.GpenTraining`."""
    from operators.training.schedules.gpen.schedule import GpenTraining  # noqa: PLC0415 - imports torch

    return GpenTraining(given)


def refuse(given: Given) -> None:
    """Raise ValueError for settings that do not go together."""
    check(given)


ENTRY = Entry(
    summary="GPEN (Yang et al. 2021): a StyleGAN2 is trained, embedded as a decoder, and tuned with its encoder",
    network=Network,
    objective=Objective,
    schedule=Schedule,
    data=("faces", "pairs"),
    build=build,
    check=refuse,
)
