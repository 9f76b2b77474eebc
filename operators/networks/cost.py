"""What executing a network costs at least: arithmetic and memory traffic, counted without computing anything."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

_aten = torch.ops.aten
# What is not among these works on single pixels, and an engine can fuse it into its neighbours.
_MOVING = {
    _aten.convolution.default,
    _aten.addmm.default,
    _aten.mm.default,
    _aten.bmm.default,
    _aten.upsample_bilinear2d.vec,
    _aten.upsample_bilinear2d.default,
    _aten.upsample_nearest2d.vec,
    _aten.upsample_nearest2d.default,
    _aten.avg_pool2d.default,
}


@dataclass(frozen=True)
class Cost:
    """What one batch costs.

    Attributes:
        flops: of convolutions and matrix products; a multiplication with its addition is two.
        weight_bytes: of all constants, each read once.
        activation_bytes: read and written by convolutions, matrix products and resampling; everything else is taken to
            be fused into them.
    """

    flops: int
    weight_bytes: int
    activation_bytes: int

    @property
    def bytes(self) -> int:
        """All memory traffic."""
        return self.weight_bytes + self.activation_bytes


def cost(network: nn.Module, input_shape: Sequence[int], batch: int = 1, dtype: torch.dtype = torch.float32) -> Cost:
    """Count what a batch costs, on torch's meta device.

    Args:
        network: any of ours, in any form; it is not changed.
        input_shape: without the batch.
        batch: number of inputs.
        dtype: in which the network is executed.
    """
    tensors = itertools.chain(network.parameters(), network.buffers())
    shapes: dict[int, Any] = {id(tensor): _empty(tensor) for tensor in tensors}
    hollow = copy.deepcopy(network, shapes).to(dtype)
    constants = list(itertools.chain(hollow.parameters(), hollow.buffers()))
    traffic = _Traffic(constants)
    with torch.no_grad(), FlopCounterMode(display=False) as flops, traffic:
        hollow(torch.empty(batch, *input_shape, device="meta", dtype=dtype))
    return Cost(flops.get_total_flops(), sum(map(_bytes, constants)), traffic.moved)


def _empty(tensor: Tensor) -> Tensor:
    empty = torch.empty_like(tensor, device="meta")
    return nn.Parameter(empty, requires_grad=False) if isinstance(tensor, nn.Parameter) else empty


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


class _Traffic(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up what is read and written besides the constants and what follows from constants alone."""

    def __init__(self, constants: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        # The tensors are kept, since the number that identifies one is given to another when it dies.
        self._constants = {id(tensor): tensor for tensor in constants}
        self.moved = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        tensors = [arg for arg in args if isinstance(arg, Tensor)]
        read = [tensor for tensor in tensors if id(tensor) not in self._constants]
        if tensors and not read and isinstance(out, Tensor):
            self._constants[id(out)] = out
        if func in _MOVING:
            self.moved += sum(map(_bytes, [*read, out]))
        return out
