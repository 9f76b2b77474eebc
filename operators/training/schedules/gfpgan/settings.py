"""Whether GFPGAN's settings go together."""

from __future__ import annotations

from operators.training.schedules.contract import Given
from operators.training.schedules.face_limits import check_groups, check_seen
from operators.training.schedules.gfpgan.options import Network, Objective, Schedule


def check(given: Given) -> tuple[Network, Objective, Schedule]:
    """The settings, with their types.

    Raises:
        ValueError: they do not go together.
    """
    network, objective, schedule = given.network, given.objective, given.schedule
    assert isinstance(network, Network)
    assert isinstance(objective, Objective)
    assert isinstance(schedule, Schedule)
    check_seen("perceptual", objective.perceptual, network.size)
    check_seen("component", objective.component, network.size)
    if objective.adversarial:
        check_groups(schedule, given.hardware)
    if schedule.prior == "frozen" and not {"generator", "prior"} & given.starts.keys():
        raise ValueError(
            "schedule.prior is frozen, and nothing says what it is: give start.prior or start.generator, or set "
            "schedule.prior to tuned"
        )
    return network, objective, schedule
