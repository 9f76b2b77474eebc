"""The running mean of a network's weights, which is what is kept of a training."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class Average:
    """Exponential moving average of weights (Karras et al. 2018, section 4: what the results are made with).

    Args:
        module: that is trained.
        half_life: steps after which what was counts half; shorter at the beginning; 0 keeps no more than the last.
    """

    def __init__(self, module: nn.Module, half_life: float) -> None:
        self.module = copy.deepcopy(module).eval().requires_grad_(False)
        self._half_life = half_life
        self._steps = 0

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Take the weights after a step in."""
        self._steps += 1
        keep = 0.5 ** (1.0 / min(self._half_life, max(1.0, self._steps / 10))) if self._half_life > 0 else 0.0
        means: list[Tensor] = list(self.module.parameters())
        now: list[Tensor] = list(module.parameters())
        torch._foreach_lerp_(means, now, 1.0 - keep)
        for mean, latest in zip(self.module.buffers(), module.buffers(), strict=True):
            mean.copy_(latest)
