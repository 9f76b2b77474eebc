"""The two sides of the objective of completion: what the discriminator minimises, and what the generator does."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from operators.networks.completion.discriminator import Judgement
from operators.training.schedules.completion.faces import Faces
from operators.training.schedules.completion.options import Game, Objective
from operators.training.terms import adversarial, content

Judge = Callable[[Tensor], Judgement]
Looking = Callable[[Tensor], Tensor]
Terms = dict[str, Tensor]


def game_terms(objective: Objective, judge: Judge, faces: Faces, shown: Tensor) -> Terms:
    """The discriminator's terms but for the penalty.

    Args:
        objective: says which.
        judge: the discriminator at the stage.
        faces: of this part.
        shown: (N, 3, S, S), completed faces of this step or earlier ones, without a gradient.

    Returns:
        `discriminator`, `drift` and `attributes_real`, as far as they count.
    """
    terms: Terms = {}
    real = judge(faces.real)
    if objective.adversarial:
        made = judge(shown)
        wasserstein = objective.game == "wasserstein"
        play = adversarial.wasserstein_discriminator if wasserstein else adversarial.logistic_discriminator
        terms["discriminator"] = play(real.realness.float(), made.realness.float())
        if wasserstein and objective.drift:
            terms["drift"] = real.realness.float().square().mean()
    if objective.attributes and faces.told.shape[1]:
        terms["attributes_real"] = content.attributes(real.attributes.float(), faces.told)
    return terms


def penalty(game: Game, judge: Judge, faces: Faces, shown: Tensor) -> Tensor:
    """What keeps the discriminator smooth: Wasserstein's gradient penalty, or R1.

    Places on the lines are drawn for each sample, so that two workers have those of one.

    Args:
        game: which of the two.
        judge: the discriminator in float32, and not compiled: gradients are taken of gradients.
        faces: of this part.
        shown: (N, 3, S, S), without a gradient.
    """
    if game == "logistic":
        pictures = faces.real.detach().requires_grad_()
        return adversarial.gradient_penalty(pictures, judge(pictures).realness)
    return adversarial.wasserstein_penalty(lambda x: judge(x).realness, faces.real, shown, faces.places)


def completion_terms(
    objective: Objective, judge: Judge | None, look: Looking | None, faces: Faces, made: Tensor
) -> Terms:
    """The generator's terms.

    Args:
        objective: says which.
        judge: the discriminator at the stage, whose weights take no gradient; None where none is played against.
        look: pictures to the feature maps that are compared; None without the term.
        faces: of this part.
        made: (N, 3, S, S), completed.

    Returns:
        `reconstruction`, `boundary`, `feature`, `adversarial` and `attributes`, as far as they count.
    """
    terms: Terms = {}
    truth = faces.truth
    if not objective.flipped_truth:
        truth = torch.lerp(truth, made.detach(), faces.flipped * faces.mask)
    if objective.reconstruction:
        terms["reconstruction"] = content.masked(made, truth, faces.mask, objective.inside)
    if objective.boundary:
        terms["boundary"] = content.boundary(made, truth, faces.edges)
    if look is not None:
        with torch.no_grad():
            expected = look(truth)
        terms["feature"] = content.squared(look(made), expected)
    if judge is not None:
        told = judge(made)
        if objective.adversarial:
            wasserstein = objective.game == "wasserstein"
            play = adversarial.wasserstein_generator if wasserstein else adversarial.logistic_generator
            terms["adversarial"] = play(told.realness.float())
        if objective.attributes and faces.told.shape[1]:
            terms["attributes"] = content.attributes(told.attributes.float(), faces.asked)
    return terms
