"""A network with its optimiser: gradients of several parts of a batch and of several workers make one step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import torch
from torch import Tensor, distributed, nn

from operators.training.muon import Muon

OptimiserKind = Literal["adam", "muon"]


def averaged(tensors: Iterable[Tensor]) -> None:
    """Replace tensors by their means over all workers, in one message; nothing to do for one worker."""
    if not (distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1):
        return
    found = list(tensors)
    flat = torch.cat([one.reshape(-1).float() for one in found])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    for one, mean in zip(found, torch.split(flat, [one.numel() for one in found]), strict=True):
        one.copy_(mean.view_as(one))


class Player:
    """One or more modules that one optimiser improves.

    A game has several networks and calls each more than once in a step, with gradients of gradients between: gradients
    are averaged over workers after the backward passes, by hand, where `DistributedDataParallel` would have
    to be told of every pass.

    Args:
        groups: modules, each with the share of the learning rate that it gets.
        rate: of learning.
        betas: Adam's.
        kind: `adam`, or `muon`, which is Adam for all that is no matrix.
    """

    def __init__(
        self,
        groups: Iterable[tuple[nn.Module, float]],
        rate: float,
        betas: tuple[float, float],
        kind: OptimiserKind = "adam",
    ) -> None:
        self._groups = [(list(module.parameters()), share) for module, share in groups]
        self._rate = rate
        self._slower = 1.0
        learning = [{"params": parameters, "lr": rate * share} for parameters, share in self._groups]
        self.optimiser: torch.optim.Optimizer = (
            Muon(learning, betas) if kind == "muon" else torch.optim.Adam(learning, betas=betas)
        )

    @property
    def parameters(self) -> list[nn.Parameter]:
        """All of them."""
        return [one for parameters, _ in self._groups for one in parameters]

    def begin(self) -> None:
        """Forget all gradients."""
        self.optimiser.zero_grad(set_to_none=True)

    def finish(self, factor: float = 1.0) -> None:
        """One step with the gradients there are, averaged over workers.

        Args:
            factor: of the learning rate in this step, as warming up and decay have it.
        """
        for group, (_, share) in zip(self.optimiser.param_groups, self._groups, strict=True):
            group["lr"] = self._rate * share * factor * self._slower
        averaged([one.grad for one in self.parameters if one.grad is not None])
        self.optimiser.step()

    def improve(self, loss: Tensor, factor: float = 1.0) -> None:
        """`begin`, one backward pass, `finish`."""
        self.begin()
        torch.autograd.backward(loss, inputs=[one for one in self.parameters if one.requires_grad])
        self.finish(factor)

    def slower(self, factor: float) -> None:
        """Multiply the learning rate from now on."""
        self._slower *= factor

    def state(self) -> dict[str, Any]:
        """Of the optimiser."""
        return {"optimiser": self.optimiser.state_dict(), "slower": self._slower}

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self.optimiser.load_state_dict(dict(state["optimiser"]))
        self._slower = float(state["slower"])
