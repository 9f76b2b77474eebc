"""Small RRDBNets whose weights are random around those that repeat pixels, put into a cache as a person would."""

from __future__ import annotations

from pathlib import Path

import torch

from operators.networks import build

from .small_models import add, saved

ARGUMENTS = {"num_feat": 8, "num_block": 1, "num_grow_ch": 4}


def enlarger(doublings: int, seed: int = 0, noise: float = 0.01) -> dict[str, torch.Tensor]:
    """Weights of a network of scale 2 ** doublings."""
    torch.manual_seed(seed)
    state: dict[str, torch.Tensor] = build("rrdb", {**ARGUMENTS, "ups": doublings}).state_dict()
    for name, tensor in state.items():
        tensor.normal_(0.0, noise)
        if name.endswith("weight") and not name.startswith(("body", "conv_body")):
            for channel in range(3):
                tensor[channel, channel, 1, 1] += 1.0
    return state


def add_enlarger(cache: Path, name: str, doublings: int = 1, *more: str, seed: int = 0) -> str:
    """Such a network under a name; gives its hash."""
    return add(cache, saved(cache, name, {"params_ema": enlarger(doublings, seed)}), name, *more)
