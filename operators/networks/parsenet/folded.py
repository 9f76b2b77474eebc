"""ParseNet as it is executed: batch normalisation folded into the convolutions."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from operators.networks.folded.convolution import FrozenConv2d
from operators.networks.parsenet.network import Conv, ParseNet, Residual


class FoldedConv(nn.Module):
    """Doubling if asked for, mirrored border, convolution.

    Args:
        layer: to be folded.
    """

    def __init__(self, layer: Conv) -> None:
        super().__init__()
        weight, bias = layer.conv2d.weight.detach(), layer.conv2d.bias
        if layer.norm is not None:
            norm = layer.norm.norm
            assert norm.running_mean is not None
            assert norm.running_var is not None
            factor = norm.weight.detach() * torch.rsqrt(norm.running_var + norm.eps)
            weight = weight * factor[:, None, None, None]
            bias = nn.Parameter(norm.bias.detach() - norm.running_mean * factor)
        self.conv = FrozenConv2d(weight, bias, stride=layer.conv2d.stride[0], activate=layer.activate)
        self.up = layer.up

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, I, H, W)."""
        if self.up:
            x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
        result: Tensor = self.conv(functional.pad(x, (1, 1, 1, 1), mode="reflect"))
        return result


class FoldedResidual(nn.Module):
    """Residual block.

    Args:
        block: to be folded.
    """

    def __init__(self, block: Residual) -> None:
        super().__init__()
        self.shortcut = None if block.shortcut_func is None else FoldedConv(block.shortcut_func)
        self.inner = nn.Sequential(FoldedConv(block.conv1), FoldedConv(block.conv2))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, I, H, W)."""
        beside = x if self.shortcut is None else self.shortcut(x)
        result: Tensor = self.inner(x) + beside
        return result


class FoldedParseNet(nn.Module):
    """ParseNet, frozen.

    Args:
        network: to be folded; it is not changed.
    """

    def __init__(self, network: ParseNet) -> None:
        super().__init__()
        self.encoder = nn.Sequential(*(_folded(part) for part in network.encoder))
        self.body = nn.Sequential(*(_folded(part) for part in network.body))
        self.decoder = nn.Sequential(*(_folded(part) for part in network.decoder))
        self.classes = FoldedConv(network.out_mask_conv)

    def forward(self, x: Tensor) -> Tensor:
        """Parse (N, 3, S, S), any float type, to float32 logits; arithmetic in the weights' type."""
        features: Tensor = self.encoder(x.to(self.classes.conv.weight.dtype))
        logits: Tensor = self.classes(self.decoder(features + self.body(features)))
        return logits.float()


def _folded(part: nn.Module) -> nn.Module:
    if isinstance(part, Residual):
        return FoldedResidual(part)
    assert isinstance(part, Conv)
    return FoldedConv(part)
