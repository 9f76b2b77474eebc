"""GFPGAN's U-Net as it is executed, the same for its layouts."""

from __future__ import annotations

from torch import Tensor, nn

from operators.networks.folded.constants import conv_bias, conv_weight, frozen_layer
from operators.networks.folded.convolution import FrozenConv2d, depthwise_filter
from operators.networks.folded.doubled import doubled_convolution
from operators.networks.gfpgan.kit import CleanBlock, FusedDown, FusedUp, LeakyConv2d
from operators.networks.layers.bilinear import BilinearHalf, doubled
from operators.networks.layers.convolution import ConvLayer
from operators.networks.layers.equalised import GAIN, EqualConv2d
from operators.networks.layers.fir import Blur


class FoldedDown(nn.Module):
    """Halving residual block.

    Args:
        block: to be folded.
    """

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.inner: nn.Module = BilinearHalf()
        self.outer: nn.Module = BilinearHalf()
        if isinstance(block, CleanBlock):
            self.conv1, self.conv2 = folded_activated(block.conv1), folded_activated(block.conv2)
            self.skip = FrozenConv2d(block.skip.weight)
            return
        assert isinstance(block, FusedDown)
        # The block divides by sqrt(2), which takes the gain of the second activation away.
        self.conv1, self.conv2 = folded_activated(block.conv1), frozen_layer(block.conv2, 1.0)
        self.skip = FrozenConv2d(conv_weight(block.skip[-1], 1.0 / GAIN))
        inner, outer = block.conv2[0], block.skip[0]
        if isinstance(inner, Blur) and isinstance(outer, Blur):
            channels = self.skip.weight.shape[1]
            self.inner = depthwise_filter(inner.kernel, channels, inner.padding)
            # The skip reads every second pixel only, so the others need not be filtered.
            self.outer = depthwise_filter(outer.kernel, channels, outer.padding, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, I, H, W) to (N, O, H/2, W/2)."""
        y: Tensor = self.conv2(self.inner(self.conv1(x)))
        beside: Tensor = self.skip(self.outer(x))
        return y.add_(beside)


class FoldedUp(nn.Module):
    """Doubling residual block. Its skip is linear, as doubling is, and comes first, where it costs a quarter.

    Args:
        block: to be folded.
        side: pixels of its input.
        early: channels from which on doubling comes after the convolution.
    """

    def __init__(self, block: nn.Module, side: int, early: int) -> None:
        super().__init__()
        if isinstance(block, CleanBlock):
            weight, bias, skip = block.conv2.weight, block.conv2.bias, block.skip.weight
            self.conv1 = folded_activated(block.conv1)
        else:
            assert isinstance(block, FusedUp)
            assert block.conv2.activation is not None
            # The block divides by sqrt(2), which takes the gain of the second activation away.
            weight, bias = conv_weight(block.conv2), block.conv2.activation.bias
            skip = conv_weight(block.skip, 1.0 / GAIN)
            self.conv1 = folded_activated(block.conv1)
        self.conv2 = doubled_convolution(weight, side, early, bias, activate=True)
        self.skip = FrozenConv2d(skip)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, I, H, W) to (N, O, 2H, 2W)."""
        y: Tensor = self.conv2(self.conv1(x))
        beside: Tensor = self.skip(x)
        return y.add_(doubled(beside))


def folded_activated(layer: nn.Module) -> FrozenConv2d:
    """A convolution with its activation."""
    if isinstance(layer, LeakyConv2d):
        return FrozenConv2d(layer.weight, layer.bias, padding=layer.kernel_size[0] // 2, activate=True)
    assert isinstance(layer, ConvLayer)
    return frozen_layer(layer)


def folded_condition(branch: nn.Module, factor: float, offset: float) -> nn.Sequential:
    """A branch that makes scales or shifts, its output multiplied by `factor` and `offset` added."""
    assert isinstance(branch, nn.Sequential)
    first, second = branch[0], branch[2]
    gain = GAIN if isinstance(first, EqualConv2d) else 1.0
    return nn.Sequential(
        FrozenConv2d(conv_weight(first, gain), conv_bias(first) * gain, padding=1, activate=True),
        FrozenConv2d(conv_weight(second, factor), conv_bias(second) * factor + offset, padding=1),
    )
