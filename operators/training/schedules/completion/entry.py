"""What the table of schedules knows of face completion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from operators.training.schedules.completion.options import Network, Objective, Schedule, check_growth
from operators.training.schedules.contract import Entry, Given

if TYPE_CHECKING:
    from operators.training.contract import Schedule as Training


def build(given: Given) -> Training:
    """A training of face completion; see `schedule.Completion`."""
    from operators.training.schedules.completion.schedule import Completion  # noqa: PLC0415 - imports torch

    return Completion(given)


def check(given: Given) -> None:
    """Refuse a training that ends before the network is grown.

    Raises:
        ValueError: says how many steps it takes.
    """
    network, schedule = given.network, given.schedule
    assert isinstance(network, Network)
    assert isinstance(schedule, Schedule)
    check_growth(network, schedule)


ENTRY = Entry(
    summary="Face completion with attributes, progressively grown (Chen, Nie, Wu, Healey 2018)",
    network=Network,
    objective=Objective,
    schedule=Schedule,
    data=("faces",),
    build=build,
    check=check,
)
