"""pix2pix in the table of schedules."""

from __future__ import annotations

from operators.training.contract import Schedule as Contract
from operators.training.schedules.contract import Entry, Given
from operators.training.schedules.pix2pix.options import Network, Objective, Schedule


def _build(given: Given) -> Contract:
    from operators.training.schedules.pix2pix.schedule import Pix2PixSchedule  # noqa: PLC0415

    return Pix2PixSchedule(given)


ENTRY = Entry(
    summary="translating pictures from pairs, against patches (pix2pix, Isola et al. 2017)",
    network=Network,
    objective=Objective,
    schedule=Schedule,
    data=("faces", "pairs", "pictures"),
    build=_build,
)
