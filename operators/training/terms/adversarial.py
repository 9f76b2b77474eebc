"""Games between generator and discriminator: logistic, least squares, Wasserstein; and what keeps them smooth."""

from __future__ import annotations

import math
from collections.abc import Callable

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


def least_squares_discriminator(real: Tensor, made: Tensor) -> Tensor:
    """E[(D(real) - 1)^2] / 2 + E[D(made)^2] / 2.

    Mao et al., "Least Squares Generative Adversarial Networks" (2017), equation 9; CycleGAN's objective (section 4).

    Args:
        real: what the discriminator says of real pictures, any shape.
        made: of made ones.
    """
    return ((real - 1).square().mean() + made.square().mean()) / 2


def least_squares_generator(made: Tensor) -> Tensor:
    """E[(D(made) - 1)^2] (the same equation; its factor 1/2 is left out, as in CycleGAN's code).

    Args:
        made: what the discriminator says of made pictures.
    """
    return (made - 1).square().mean()


def wasserstein_discriminator(real: Tensor, made: Tensor) -> Tensor:
    """E[D(made)] - E[D(real)].

    Arjovsky, Chintala, Bottou, "Wasserstein GAN" (2017), equation 2, with the sign of something to be made small.

    Args:
        real: what the critic says of real pictures, any shape.
        made: of made ones.
    """
    return made.mean() - real.mean()


def wasserstein_generator(made: Tensor) -> Tensor:
    """-E[D(made)] (the same paper, algorithm 1)."""
    return -made.mean()


def wasserstein_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, made: Tensor, places: Tensor) -> Tensor:
    """E[(|grad D(x)| - 1)^2] on lines between real and made pictures, to be weighted with lambda = 10.

    Gulrajani et al., "Improved Training of Wasserstein GANs" (2017), equation 3.

    Args:
        critic: pictures (N, C, H, W) to one number each, any shape.
        real: (N, C, H, W).
        made: as many; no gradient flows into what made them.
        places: (N, 1, 1, 1) from 0 to 1, on the lines.
    """
    between = (places * real.detach() + (1 - places) * made.detach()).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    # Unlike the root of a sum, the norm has a gradient where it is 0.
    lengths: Tensor = torch.linalg.vector_norm(gradient.flatten(1), dim=1)
    return (lengths - 1).square().mean()


def path_lengths(pictures: Tensor, latents: Tensor, noise: Tensor) -> Tensor:
    """|J^T y| for each picture, by one pass backwards: how far it moves where its latent does.

    Karras et al., "Analyzing and Improving the Image Quality of StyleGAN" (2020), equation 4; where there is a latent
    for each layer, the squares are averaged over layers, as in its code.

    Args:
        pictures: (N, C, H, W) with a gradient to `latents`.
        latents: (N, D) or (N, L, D).
        noise: standard normal, of the pictures' shape.

    Returns:
        (N,).
    """
    height, width = pictures.shape[-2:]
    weighted = (pictures * noise).sum() / math.sqrt(height * width)
    (gradient,) = torch.autograd.grad(weighted, latents, create_graph=True)
    squares = gradient.square().sum(-1)
    return (squares if squares.ndim == 1 else squares.mean(1)).sqrt()


def path_length(lengths: Tensor, usual: Tensor) -> Tensor:
    """E[(|J^T y| - a)^2] (the same equation).

    Args:
        lengths: (N,), of `path_lengths`.
        usual: a, the running mean of earlier lengths; no gradient flows into it.
    """
    return (lengths - usual.detach()).square().mean()
