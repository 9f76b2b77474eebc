"""The transformation network in the table of schedules."""

from __future__ import annotations

from operators.training.contract import Schedule as Contract
from operators.training.schedules.contract import Entry, Given
from operators.training.schedules.transform.options import Network, Objective, Schedule


def _build(given: Given) -> Contract:
    from operators.training.schedules.transform.schedule import TransformSchedule  # noqa: PLC0415

    return TransformSchedule(given)


ENTRY = Entry(
    summary="one style for any picture, or sharpening, by features alone (Johnson et al. 2016)",
    network=Network,
    objective=Objective,
    schedule=Schedule,
    data=("faces", "pictures"),
    build=_build,
)
