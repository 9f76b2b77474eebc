"""The non-saturating logistic game between generator and discriminator, and what keeps the discriminator smooth."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def logistic_discriminator(real: Tensor, made: Tensor) -> Tensor:
    """What the discriminator minimises: E[softplus(-D(real))] + E[softplus(D(made))].

    Goodfellow et al., "Generative Adversarial Nets" (2014), equation 1, with D the logit; GPEN's equation 2 is the
    same.

    Args:
        real: logits of real pictures, any shape.
        made: logits of made ones.
    """
    return functional.softplus(-real).mean() + functional.softplus(made).mean()


def logistic_generator(made: Tensor) -> Tensor:
    """What the generator minimises, non-saturating: E[softplus(-D(made))] (the same paper, section 3).

    Args:
        made: logits of made pictures.
    """
    return functional.softplus(-made).mean()


def gradient_penalty(real: Tensor, logits: Tensor) -> Tensor:
    """R1: E[|grad D(real)|^2], to be weighted with gamma / 2.

    Mescheder, Geiger, Nowozin, "Which Training Methods for GANs do actually Converge?" (2018), equation 9.

    Args:
        real: (N, C, H, W) pictures of which the gradient is known (`requires_grad`).
        logits: D(real).
    """
    (gradient,) = torch.autograd.grad(logits.sum(), real, create_graph=True)
    return gradient.square().sum((1, 2, 3)).mean()
