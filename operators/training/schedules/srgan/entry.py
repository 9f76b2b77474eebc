"""SRGAN in the table of schedules."""

from __future__ import annotations

from operators.training.contract import Schedule as Contract
from operators.training.schedules.contract import Entry, Given
from operators.training.schedules.srgan.options import Network, Objective, Schedule


def _build(given: Given) -> Contract:
    from operators.training.schedules.srgan.schedule import Srgan  # noqa: PLC0415  # torch, when it is needed

    return Srgan(given)


ENTRY = Entry(
    summary="enlarging with features and a discriminator (SRGAN, Ledig et al. 2017)",
    network=Network,
    objective=Objective,
    schedule=Schedule,
    data=("faces", "pairs", "pictures"),
    build=_build,
)
