"""Whether GPEN's settings go together, and what follows from them."""

from __future__ import annotations

from operators.training.schedules.contract import Given
from operators.training.schedules.face_limits import check_groups, check_seen, check_window
from operators.training.schedules.gpen.options import Network, Objective, Schedule


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
    check_window(schedule.window, objective.perceptual, network.size)
    if schedule.in_turn and not (objective.perceptual and objective.identity):
        raise ValueError(
            f"schedule.in_turn is true, with objective.perceptual {objective.perceptual} and objective.identity "
            f"{objective.identity}: expected both above 0, or in_turn false"
        )
    if objective.adversarial:
        check_groups(schedule, given.hardware)
    if schedule.prior_steps and not objective.adversarial:
        raise ValueError(
            f"schedule.prior_steps is {schedule.prior_steps} and objective.adversarial 0: a prior is trained against a "
            "discriminator; set prior_steps to 0, or adversarial above it"
        )
    return network, objective, schedule


def opening(given: Given) -> float:
    """What the weights of the encoder's features begin with."""
    if isinstance(given.network, Network) and given.network.opening is not None:
        return given.network.opening
    return 0.0 if prior_steps(given) or {"generator", "decoder"} & given.starts.keys() else 1.0


def prior_steps(given: Given) -> int:
    """How many steps train the prior."""
    _, objective, schedule = check(given)
    if schedule.prior_steps is not None:
        return schedule.prior_steps
    wanted = objective.adversarial and not {"generator", "decoder"} & given.starts.keys()
    return schedule.steps // 2 if wanted else 0
