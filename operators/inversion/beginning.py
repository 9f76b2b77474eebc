"""Where a search begins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from operators.inversion.objective import Objective
from operators.inversion.options import SearchOptions
from operators.inversion.priors.contract import Prior
from operators.inversion.search import search
from operators.inversion.state import State

Trial = Callable[[], State]
Remember = Callable[[int, Trial], State]
"""Gives what a trial came to, by its number: makes it, or has it from an earlier attempt."""


def made(_place: int, trial: Trial) -> State:
    """Make each trial anew."""
    return trial()


def first(
    prior: Prior,
    options: SearchOptions,
    seed: int,
    objective: Objective | None = None,
    remember: Remember = made,
) -> State:
    """Codes as the prior starts them, each with its share of the importance.

    `alpha` is 1 / N, as in the authors' code; that code divides the sum by N once more, which the paper does not.

    Args:
        prior: whose codes are searched.
        options: of the search.
        seed: of the face; 64 bits. Drawn on the CPU, so that every device begins with the same codes.
        objective: of this face alone; with it, a single code is the best of `options.starts`: the one that has come
            nearest after `options.trial` iterations, or that is nearest where no trial is made.
        remember: where trials may be had from.

    Raises:
        ValueError: the prior has no such space or layer.
    """
    generator = torch.Generator().manual_seed(seed % 2**63)
    tries = options.starts if options.codes == 1 and objective is not None else 1
    drawn = prior.start(options.codes * tries, options.space, generator).detach()
    if objective is None or tries == 1:
        return _state(prior, drawn, options)
    if options.trial == 0:
        return _state(prior, _nearest(prior, drawn, options, objective), options)
    short = trial_of(options)

    def trial(code: Tensor) -> State:
        return search(prior, objective, [_state(prior, code[None], short)], short).states[0]

    # One after the other: a code's bits must not depend on those that are tried beside it.
    tried = [remember(place, partial(trial, code)).codes for place, code in enumerate(drawn)]
    return _state(prior, _nearest(prior, torch.from_numpy(np.concatenate(tried)), options, objective), options)


def trial_of(options: SearchOptions) -> SearchOptions:
    """The options of the short search with which each of several codes is tried."""
    return replace(options, iterations=options.trial, checkpoint=0, early_stop=0.0, seconds=None)


def _state(prior: Prior, drawn: Tensor, options: SearchOptions) -> State:
    codes = np.array(drawn.cpu().numpy(), dtype=np.float32)
    channels = prior.channels(options.layer)
    alpha = np.full((options.codes, channels), 1.0 / options.codes, dtype=np.float32)
    return State(codes, np.zeros_like(codes), np.zeros_like(codes), alpha, np.zeros_like(alpha), np.zeros_like(alpha))


def _nearest(prior: Prior, codes: Tensor, options: SearchOptions, objective: Objective) -> Tensor:
    """The code (1, *code_shape) of several with the least loss; each is tried by itself, the first of equals wins."""
    with torch.no_grad():
        losses = [objective(prior.generate(code[None].to(prior.device), options.space)).total.item() for code in codes]
    best = int(np.argmin(losses))
    return codes[best : best + 1]
