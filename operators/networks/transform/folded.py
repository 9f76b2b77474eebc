"""The transformation network of perceptual losses as it is executed."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from operators.networks.folded.convolution import FrozenConv2d
from operators.networks.folded.norms import FrozenInstanceNorm
from operators.networks.transform.network import Conv, Residual, Transform


class FoldedConv(nn.Module):
    """Doubling, mirrored border, convolution, and normalisation and activation if asked for.

    Args:
        conv: to be frozen.
        norm: behind it; None for none.
        activate: ReLU.
    """

    def __init__(self, conv: Conv, norm: nn.InstanceNorm2d | None, *, activate: bool = False) -> None:
        super().__init__()
        layer = conv.conv2d
        assert layer.bias is not None
        # A bias that is the same all over a channel is what the normalisation takes away.
        bias = None if norm is not None else layer.bias.detach()
        self.conv = FrozenConv2d(layer.weight.detach(), bias, stride=layer.stride[0])
        self.norm = None if norm is None else FrozenInstanceNorm(norm, norm.num_features)
        self.margin, self.factor, self.activate = conv.side // 2, float(conv.factor), activate

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, I, H, W)."""
        if self.factor > 1:
            x = functional.interpolate(x, scale_factor=self.factor, mode="nearest")
        y: Tensor = self.conv(functional.pad(x, (self.margin,) * 4, mode="reflect"))
        if self.norm is not None:
            y = self.norm(y)
        return functional.relu(y) if self.activate else y


class FoldedResidual(nn.Module):
    """Residual block, frozen.

    Args:
        block: to be folded.
    """

    def __init__(self, block: Residual) -> None:
        super().__init__()
        first = FoldedConv(block.conv1, block.in1, activate=True)
        self.inner = nn.Sequential(first, FoldedConv(block.conv2, block.in2))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) onto itself."""
        result: Tensor = self.inner(x) + x
        return result


class FoldedTransform(nn.Module):
    """The transformation network, frozen.

    Args:
        network: to be folded; it is not changed.
    """

    def __init__(self, network: Transform) -> None:
        super().__init__()
        downs = ((network.conv1, network.in1), (network.conv2, network.in2), (network.conv3, network.in3))
        self.down = nn.Sequential(*(FoldedConv(conv, norm, activate=True) for conv, norm in downs))
        blocks = [network.get_submodule(f"res{number}") for number in range(1, network.blocks + 1)]
        self.blocks = nn.Sequential(*(FoldedResidual(block) for block in blocks if isinstance(block, Residual)))
        ups = ((network.deconv1, network.in4), (network.deconv2, network.in5))
        self.up = nn.Sequential(*(FoldedConv(conv, norm, activate=True) for conv, norm in ups))
        self.last = FoldedConv(network.deconv3, None)

    def forward(self, x: Tensor) -> Tensor:
        """Transform (N, 3, H, W), any float type, to float32; arithmetic in the weights' type."""
        features = self.blocks(self.down(x.to(self.last.conv.weight.dtype)))
        picture: Tensor = self.last(self.up(features))
        return picture.float()
