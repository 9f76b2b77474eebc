"""A network that grows, through torch.compile where it stands still."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from operators.networks.completion.growth import Stage


class Steady:
    """Calls a network at a stage of its growth.

    While a size fades in, its share is another number in each step, and what is compiled would be compiled again:
    such steps go through the network as it is.

    Args:
        network: takes the keyword `stage`.
        compiled: whether sizes that stand still are compiled.
    """

    def __init__(self, network: nn.Module, *, compiled: bool) -> None:
        self._network = network
        self._compiled = torch.compile(network, dynamic=False) if compiled else network

    def __call__(self, stage: Stage, *arguments: Tensor) -> Any:
        """What the network gives."""
        network = self._network if stage.fades else self._compiled
        return network(*arguments, stage=stage)
