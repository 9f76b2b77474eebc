"""A small PGGAN with random weights as a prior, and what searches with it need."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from operators.inversion.beginning import first
from operators.inversion.objective import Objective, Observation
from operators.inversion.options import SearchOptions
from operators.inversion.priors.pggan import PgganPrior
from operators.inversion.search import Found, search
from operators.inversion.state import State
from operators.inversion.stepping import Stepper
from operators.inversion.steps import Step
from operators.networks.pggan.network import Pggan

WIDTH = 32


def pggan(seed: int, side: int = 16, width: int = WIDTH, most: int = 32) -> PgganPrior:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = Pggan(side, z_space_dim=width, fmaps_base=side * 16, fmaps_max=most)
    return PgganPrior(network.eval().requires_grad_(False))


def codes(prior: PgganPrior, seed: int, count: int) -> Tensor:
    return prior.start(count, "z", torch.Generator().manual_seed(seed))


def made_by(prior: PgganPrior, seed: int, count: int) -> Tensor:
    with torch.no_grad():
        return prior.generate(codes(prior, seed, count), "z")


def objective(target: Tensor, steps: Sequence[Step] = (), known: Tensor | None = None) -> Objective:
    seen = Observation(steps, target.shape[-1], known, target.new_zeros(()))
    return Objective(seen, seen.of_photographs(target))


def found(
    prior: PgganPrior,
    goal: Objective,
    options: SearchOptions,
    seed: int = 100,
    states: Sequence[State] = (),
    *,
    tries: bool = False,
) -> tuple[Found, Tensor]:
    """A search, and the pictures that it came to; with `tries`, of a target without steps, single codes are chosen."""
    states = states or [
        first(prior, options, seed + index, objective(goal.target[index : index + 1]) if tries else None)
        for index in range(len(goal.target))
    ]
    made = search(prior, goal, states, options)
    return made, Stepper(prior, goal, made.states, options, compiled=False).pictures()


def psnr(first_pictures: Tensor, second: Tensor) -> np.ndarray:
    """Of each picture, in dB; the peak is 2, values are clipped to [-1, 1]. By NumPy alone."""
    one, other = (np.clip(pictures.numpy().astype(np.float64), -1, 1) for pictures in (first_pictures, second))
    return -10 * np.log10(np.square(one - other).mean((1, 2, 3)) / 4 + 1e-12)
