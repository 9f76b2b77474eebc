"""CycleGAN's objective: of both generators together, and of each discriminator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from operators.training.schedules.cyclegan.options import Objective
from operators.training.terms.adversarial import least_squares_discriminator, least_squares_generator
from operators.training.terms.content import absolute

Call = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Networks:
    """What is called in a step; each maps (N, 3, H, W) and gives float32.

    Attributes:
        to_second: G, from the first domain to the second.
        to_first: F, from the second to the first.
        judge_first: D_X, (N, 1, h, w) numbers for pictures of the first domain.
        judge_second: D_Y, of the second.
    """

    to_second: Call
    to_first: Call
    judge_first: Call
    judge_second: Call


@dataclass(frozen=True)
class Made:
    """Pictures that the generators have made in a step, (N, 3, H, W) each.

    Attributes:
        first: F(y).
        second: G(x).
    """

    first: Tensor
    second: Tensor


def translation_terms(
    objective: Objective, networks: Networks, first: Tensor, second: Tensor
) -> tuple[dict[str, Tensor], Made]:
    """The generators' terms (section 3.3, equation 3; the identity of section 5.2).

    Args:
        objective: says which count.
        networks: the discriminators' weights take no gradient.
        first: x, (N, 3, H, W) in [-1, 1].
        second: y, likewise; nobody's pair.

    Returns:
        `adversarial_first` and `adversarial_second` by the domain that is made, and `cycle` and `identity`, summed over
        both directions, as far as they count; and what was made.
    """
    made = Made(networks.to_first(second), networks.to_second(first))
    terms: dict[str, Tensor] = {}
    if objective.adversarial:
        terms["adversarial_first"] = least_squares_generator(networks.judge_first(made.first))
        terms["adversarial_second"] = least_squares_generator(networks.judge_second(made.second))
    if objective.cycle:
        there, back = networks.to_first(made.second), networks.to_second(made.first)
        terms["cycle"] = absolute(there, first) + absolute(back, second)
    if objective.identity:
        terms["identity"] = absolute(networks.to_second(second), second) + absolute(networks.to_first(first), first)
    return terms, made


def weights(objective: Objective) -> dict[str, float]:
    """What each of these terms counts."""
    game = objective.adversarial
    return {
        "adversarial_first": game,
        "adversarial_second": game,
        "cycle": objective.cycle,
        "identity": objective.identity,
    }


def game_terms(networks: Networks, first: Tensor, second: Tensor, shown: Made) -> dict[str, Tensor]:
    """The discriminators' terms.

    Args:
        networks: whose discriminators learn.
        first: x, (N, 3, H, W) in [-1, 1].
        second: y, likewise.
        shown: pictures made now or earlier, without a gradient.

    Returns:
        `discriminator_first` and `discriminator_second`.
    """
    return {
        "discriminator_first": least_squares_discriminator(
            networks.judge_first(first), networks.judge_first(shown.first)
        ),
        "discriminator_second": least_squares_discriminator(
            networks.judge_second(second), networks.judge_second(shown.second)
        ),
    }
