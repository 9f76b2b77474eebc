"""The damage network as it is executed: batch normalisation folded into the convolutions."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional

from operators.networks.damage.network import Conv, DamageUnet
from operators.networks.folded.convolution import FrozenConv2d


class FoldedConv(nn.Module):
    """Convolution and ReLU.

    Args:
        layer: to be folded.
    """

    def __init__(self, layer: Conv) -> None:
        super().__init__()
        norm = layer.norm
        assert norm.running_mean is not None
        assert norm.running_var is not None
        factor = norm.weight.detach() * torch.rsqrt(norm.running_var + norm.eps)
        bias = norm.bias.detach() - norm.running_mean * factor
        self.conv = FrozenConv2d(layer.conv.weight.detach() * factor[:, None, None, None], bias, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, I, H, W)."""
        return functional.relu(self.conv(x))


class FoldedDamageUnet(nn.Module):
    """The damage network, frozen.

    Args:
        network: to be folded; it is not changed.
    """

    def __init__(self, network: DamageUnet) -> None:
        super().__init__()
        self.down = nn.ModuleList(nn.Sequential(*_folded(stage.children())) for stage in network.down)
        self.up = nn.ModuleList(_folded(network.up.children()))
        self.last = FoldedConv(network.last)
        assert network.head.bias is not None
        self.head = FrozenConv2d(network.head.weight.detach(), network.head.bias.detach())

    def forward(self, x: Tensor) -> Tensor:
        """See damage in (N, 4, H, W), any float type: float32 logits (N, kinds, H, W)."""
        x = x.to(self.head.weight.dtype)
        passed: list[Tensor] = []
        for level, stage in enumerate(self.down):
            x = stage(functional.max_pool2d(x, 2) if level else x)
            passed.append(x)
        for stage, beside in zip(self.up, reversed(passed[:-1]), strict=True):
            x = stage(torch.cat([functional.interpolate(x, scale_factor=2.0, mode="nearest"), beside], dim=1))
        logits: Tensor = self.head(self.last(x))
        return logits.float()


def _folded(layers: Iterable[nn.Module]) -> list[FoldedConv]:
    folded = []
    for layer in layers:
        assert isinstance(layer, Conv)
        folded.append(FoldedConv(layer))
    return folded
