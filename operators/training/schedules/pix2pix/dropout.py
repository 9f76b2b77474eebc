"""Dropout whose masks are drawn by the step, so that a training goes on exactly, with any number of workers."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from operators.training.draws import Draws


class DrawnDropout(nn.Module):
    """Stands where `nn.Dropout` stood; without a name in a state dict, like that.

    Args:
        share: of the features that are dropped, from 0 to below 1.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share
        self.factors: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Multiply (N, C, H, W) with what was drawn: 0, or 1 / (1 - share); outside of training with nothing.

        Raises:
            RuntimeError: it is in training, and nothing was drawn.
        """
        if not self.training:
            return x
        if self.factors is None:
            raise RuntimeError("nothing was drawn for dropout in this step")
        return x * self.factors.to(x.dtype)


class Dropouts:
    """All dropout of a network.

    Args:
        network: in which every `nn.Dropout` is replaced, in place; takes (N, channels, S, S).
        channels: of its input.
    """

    def __init__(self, network: nn.Module, channels: int) -> None:
        self._network = network
        self._channels = channels
        self._side = 0
        self._shapes: list[tuple[int, ...]] = []
        for part in list(network.modules()):
            for name, child in part.named_children():
                if isinstance(child, nn.Dropout):
                    part.add_module(name, DrawnDropout(child.p))
        self._found = _dropouts(network)

    def draw(self, draws: Draws, like: Tensor, parts: int) -> list[list[Tensor]]:
        """Draw for a step.

        Args:
            draws: of the step.
            like: all of this worker's input pictures, (N, channels, S, S).
            parts: in which they are gone through, every `parts`-th in each.

        Returns:
            for each part what `use` takes.
        """
        if like.shape[-1] != self._side:
            self._side = like.shape[-1]
            self._shapes = self._seen_shapes()
        drawn = [
            (draws.uniform(f"dropout {number}", len(like), *shape, like=like) >= one.share) / (1 - one.share)
            for number, (one, shape) in enumerate(zip(self._found, self._shapes, strict=True))
        ]
        return [[one[part::parts] for one in drawn] for part in range(parts)]

    def use(self, factors: list[Tensor]) -> None:
        """Have the network's next call multiply with these."""
        for one, drawn in zip(self._found, factors, strict=True):
            one.factors = drawn

    def forget(self) -> None:
        """Keep nothing of a step."""
        for one in self._found:
            one.factors = None

    def _seen_shapes(self) -> list[tuple[int, ...]]:
        """(C, H, W) of what comes by each dropout, found without computing anything."""
        probe = copy.deepcopy(self._network).to("meta").eval()
        shapes: list[tuple[int, ...]] = []
        for one in _dropouts(probe):
            one.register_forward_hook(lambda _, given, __: shapes.append(tuple(given[0].shape[1:])))
        probe(torch.empty(1, self._channels, self._side, self._side, device="meta"))
        return shapes


def _dropouts(network: nn.Module) -> list[DrawnDropout]:
    return [one for one in network.modules() if isinstance(one, DrawnDropout)]
