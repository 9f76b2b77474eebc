"""What the table of schedules knows of GFPGAN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from operators.training.schedules.contract import Entry, Given
from operators.training.schedules.gfpgan.options import Network, Objective, Schedule
from operators.training.schedules.gfpgan.settings import check

if TYPE_CHECKING:
    from operators.training.contract import Schedule as Training


def build(given: Given) -> Training:
    """A training of GFPGAN; see `schedule.GfpganTraining`."""
    from operators.training.schedules.gfpgan.schedule import GfpganTraining  # noqa: PLC0415 - imports torch

    return GfpganTraining(given)


def refuse(given: Given) -> None:
    """Raise ValueError for settings that do not go together."""
    check(given)


ENTRY = Entry(
    summary="GFPGAN (Wang et al. 2021): a U-Net guides a prior, against discriminators of the face, its eyes and mouth",
    network=Network,
    objective=Objective,
    schedule=Schedule,
    data=("faces", "pairs"),
    build=build,
    check=refuse,
)
