"""Batch normalisation over the batch of all workers: two of them make the step that one makes with both their parts."""

from __future__ import annotations

from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional

_Module = TypeVar("_Module", bound=nn.Module)


def workers() -> int:
    """How many workers there are in this training."""
    found = distributed.is_available() and distributed.is_initialized()
    return distributed.get_world_size() if found else 1


class Summed(torch.autograd.Function):
    """The sum of a tensor over all workers, with a gradient: each of them gets the sum of all gradients.

    The objective is the sum of all workers' objectives, and each worker's tensor is in every one of them. Going
    backwards is the same operation, so that gradients of gradients are right, too. All workers have to come by here
    equally often and in the same order. It works on every backend that can sum, gloo among them.
    """

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:  # noqa: ARG004 - torch gives it
        """Sum (any shape, float32 or float64) over workers."""
        total = values.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # noqa: ARG004 - torch gives it
        """Sum the gradients over workers."""
        return summed(gradient)


def summed(values: Tensor) -> Tensor:
    """The sum of values, any shape, over all workers; see `Summed`."""
    total: Tensor = Summed.apply(values)  # type: ignore[no-untyped-call]  # torch gives it no types
    return total


class SyncedBatchNorm2d(nn.BatchNorm2d):
    """`nn.BatchNorm2d` whose statistics in training are those of all workers' pictures; same names in a state dict.

    Workers have equally many pictures. Mean and variance of each worker travel in one message and are joined as Chan,
    Golub and LeVeque have it ("Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979, for
    equal counts), at least in float32: nothing is lost where a mean is much larger than its deviation. Running
    statistics come out the same in all workers. Alone, it is `nn.BatchNorm2d` to the bit.

    With gradients accumulated over parts of a batch, each part is normalised by its own statistics, and running
    statistics move once for each part.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (N, C, H, W), any float type, to the same type; with several workers, N is the same for each."""
        if workers() == 1 or not self.training:
            alone: Tensor = super().forward(x)
            return alone
        self._check_input_dim(x)
        count = x.numel() // x.shape[1] * workers()
        wide = x if x.dtype == torch.float64 else x.float()
        mean, variance = _joined(wide.mean((0, 2, 3)), wide.var((0, 2, 3), correction=0))
        self._remember(mean.detach(), variance.detach() * (count / (count - 1)))
        y: Tensor = (wide - mean[:, None, None]) * torch.rsqrt(variance + self.eps)[:, None, None]
        if self.affine:
            y = y * self.weight[:, None, None] + self.bias[:, None, None]
        return y.to(x.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        """Take (C,) statistics of a batch into the running ones, the variance being the unbiased one."""
        if not self.track_running_stats:
            return
        assert self.num_batches_tracked is not None
        assert self.running_mean is not None
        assert self.running_var is not None
        self.num_batches_tracked.add_(1)
        share = 1.0 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance, share)


@torch.compiler.disable  # type: ignore[untyped-decorator]  # torch gives it no types
def _joined(mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance over all workers, (C,) each, from those of this one."""
    place = distributed.get_rank()
    own = torch.stack([mean, variance])[None]
    # Everyone writes into a row of its own, so that the sum is the collection.
    spread = functional.pad(own, (0, 0, 0, 0, place, workers() - 1 - place))
    means, variances = summed(spread).unbind(1)
    return means.mean(0), variances.mean(0) + means.var(0, correction=0)


def synced(module: _Module) -> _Module:
    """Replace every `nn.BatchNorm2d` inside by a synchronised one with the same parameters, statistics and names.

    Args:
        module: changed in place; itself no normalisation.

    Returns:
        the same module.
    """
    for part in list(module.modules()):
        for name, child in part.named_children():
            if type(child) is nn.BatchNorm2d:
                part.add_module(name, _taking_over(child))
    return module


def _taking_over(norm: nn.BatchNorm2d) -> SyncedBatchNorm2d:
    made = SyncedBatchNorm2d(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
    made.weight, made.bias = norm.weight, norm.bias
    for name, buffer in norm.named_buffers(recurse=False):
        made.register_buffer(name, buffer)
    return made.train(norm.training)
