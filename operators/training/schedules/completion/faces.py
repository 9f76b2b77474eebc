"""What a step of completion is about: faces and masks at the size in training, attributes that are asked for."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from operators.networks.completion.growth import Stage
from operators.networks.completion.levels import reduced
from operators.networks.completion.packing import pack
from operators.training.contract import At, Tensors
from operators.training.terms.content import boundary_weights

_KEEP = 0.5


@dataclass(frozen=True)
class Faces:
    """Samples of a worker, or a part of them, at a size S.

    Attributes:
        seen: (N, 4, S, S), what the generator is given.
        truth: (N, 3, S, S) in [-1, 1].
        real: likewise; the truth as the discriminator sees it, as coarse as completed faces while a size fades in.
        mask: (N, 1, S, S) in [0, 1], 1 where the face is made anew.
        edges: (N, 1, S, S), weights of the boundary term.
        told: (N, A) in [0, 1], the faces' attributes.
        asked: (N, A), those that the generator is asked for.
        flipped: (N, 1, 1, 1), 1 where these differ.
        places: (N, 1, 1, 1) in [0, 1], on the lines of Wasserstein's penalty.
    """

    seen: Tensor
    truth: Tensor
    real: Tensor
    mask: Tensor
    edges: Tensor
    told: Tensor
    asked: Tensor
    flipped: Tensor
    places: Tensor


def with_draws(at: At, batch: Tensors) -> dict[str, Tensor]:
    """A worker's samples with what is drawn for each, so that parts of it need nothing but themselves.

    Args:
        at: the step.
        batch: `truth`, `mask`, and `attributes` where there are any.

    Returns:
        the same, with `attributes` (N, A) in any case, `asked` (N, A), and `places` (N, 1, 1, 1).
    """
    truth = batch["truth"]
    count = len(truth)
    told = batch.get("attributes", truth.new_zeros(count, 0))
    drawn = at.draws.uniform("completion.flip", count, 2, like=truth)
    places = at.draws.uniform("completion.places", count, 1, 1, 1, like=truth)
    return {
        "truth": truth,
        "mask": batch["mask"],
        "attributes": told,
        "asked": flipped(told, drawn),
        "places": places,
    }


def flipped(attributes: Tensor, drawn: Tensor) -> Tensor:
    """A_obs ~ p_attr(A_real): the real attributes with p < 0.5, else one of them, drawn evenly, flipped.

    `operators.completion.drawing.flipped`, for a step's own draws.

    Args:
        attributes: (N, A) in [0, 1].
        drawn: (N, 2) in [0, 1): p, and which one.

    Returns:
        (N, A).
    """
    count = attributes.shape[1]
    if not count:
        return attributes
    chosen = functional.one_hot((drawn[:, 1] * count).long().clamp(max=count - 1), count)
    change = (drawn[:, :1] >= _KEEP) & (chosen > 0)
    return torch.where(change, 1.0 - attributes, attributes)


def at_stage(part: Tensors, stage: Stage, radius: int) -> Faces:
    """A part of a batch at the stage's size; pictures and masks are brought down by averaging (the paper, section 4.3).

    Args:
        part: of what `with_draws` gives.
        stage: of the growth.
        radius: of the boundary's mean filter, in pixels of the stage's size.
    """
    truth, mask = reduced(part["truth"], stage.size), reduced(part["mask"], stage.size)
    changed = (part["asked"] != part["attributes"]).any(1)
    return Faces(
        seen=pack(truth, mask),
        truth=truth,
        real=faded(truth, stage),
        mask=mask,
        # An averaged mask has many values; its boundary is where what is hidden at all ends.
        edges=boundary_weights((mask > 0).to(mask.dtype), radius),
        told=part["attributes"],
        asked=part["asked"],
        flipped=changed.to(mask.dtype).view(-1, 1, 1, 1),
        places=part["places"],
    )


def faded(pictures: Tensor, stage: Stage) -> Tensor:
    """Real pictures between two sizes, as completed ones are then (Karras et al. 2018, section 3).

    Args:
        pictures: (N, 3, S, S) of the stage's size.
        stage: of the growth.
    """
    if not stage.fades:
        return pictures
    coarse = functional.interpolate(reduced(pictures, stage.size // 2), scale_factor=2.0, mode="nearest")
    return coarse + stage.alpha * (pictures - coarse)
