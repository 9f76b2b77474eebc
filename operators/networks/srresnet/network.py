"""SRResNet as it is trained, in the paper's form and in the one without normalisation, under published names."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from operators.networks.layers.named import applied, place
from operators.networks.srresnet.names import MODIFIED, NAMES

LEAK = 0.1
"""Slope of the leaky ReLU of the form without normalisation."""


class SrResNet(nn.Module):
    """The paper's form: batch normalisation, PReLU, enlargement by pixel shuffle, wide first and last kernels.

    Args:
        channels: of the features.
        blocks: residual blocks.
        factors: of the enlargements, one after the other.
        small, large: sides of the kernels, the large one of the first and last convolution; odd.
        bias: whether the convolutions before a normalisation have one.
        slopes: numbers that a PReLU learns, 1 or one for each channel.
        names: set of parameter names, a key of `NAMES`.

    Raises:
        ValueError: the names are none of those, or a kernel is even.
    """

    def __init__(
        self,
        *,
        channels: int = 64,
        blocks: int = 16,
        factors: Sequence[int] = (2, 2),
        small: int = 3,
        large: int = 9,
        bias: bool = True,
        slopes: int = 1,
        names: str = "leftthomas",
    ) -> None:
        super().__init__()
        if names not in NAMES:
            raise ValueError(f"names is {names!r}; expected one of {', '.join(NAMES)}")
        if small % 2 == 0 or large % 2 == 0:
            raise ValueError(f"kernels of {small} and {large} pixels; expected odd ones")
        self.blocks, self.factors = blocks, tuple(factors)
        self.names = NAMES[names]

        def conv(name: str, entering: int, leaving: int, side: int, bias: bool = True) -> None:
            place(self, name, nn.Conv2d(entering, leaving, side, padding=side // 2, bias=bias))

        def prelu(name: str) -> None:
            place(self, name, nn.PReLU(slopes))

        first, second = self.names.first
        conv(first, 3, channels, large)
        prelu(second)
        for number in range(blocks):
            conv1, norm1, between, conv2, norm2 = self.names.block(number)
            conv(conv1, channels, channels, small, bias)
            place(self, norm1, nn.BatchNorm2d(channels))
            prelu(between)
            conv(conv2, channels, channels, small, bias)
            place(self, norm2, nn.BatchNorm2d(channels))
        middle, norm = self.names.middle(blocks)
        conv(middle, channels, channels, small, bias)
        place(self, norm, nn.BatchNorm2d(channels))
        for number, factor in enumerate(self.factors):
            widening, activation = self.names.up(blocks, number)
            conv(widening, channels, channels * factor**2, small)
            prelu(activation)
        conv(self.names.last(blocks, len(self.factors)), channels, 3, large)

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge.

        Args:
            x: (N, 3, H, W), RGB; in [0, 1], or normalised by ImageNet's mean and deviation where the ending is `tanh`.

        Returns:
            (N, 3, s H, s W); in [-1, 1] where the ending is `tanh`, else in [0, 1].
        """
        names = self.names
        first = applied(self, names.first, x)
        features = first
        for number in range(self.blocks):
            features = features + applied(self, names.block(number), features)
        features = first + applied(self, names.middle(self.blocks), features)
        for number, factor in enumerate(self.factors):
            widening, activation = names.up(self.blocks, number)
            features = functional.pixel_shuffle(applied(self, (widening,), features), factor)
            features = applied(self, (activation,), features)
        return ended(applied(self, (names.last(self.blocks, len(self.factors)),), features), names.ending)


def ended(x: Tensor, ending: str) -> Tensor:
    """What becomes of the last convolution's result.

    Args:
        x: any shape.
        ending: `shifted`, `tanh` or `clamp`.
    """
    if ending == "clamp":
        return x.clamp(0.0, 1.0)
    return (torch.tanh(x) + 1.0) / 2.0 if ending == "shifted" else torch.tanh(x)


class ModifiedSrResNet(nn.Module):
    """The form without normalisation ("MSRResNet"): it adds to a bilinear enlargement (Wang et al., ESRGAN, 2018).

    Args:
        channels: of the features.
        blocks: residual blocks.
        factors: of the enlargements; (2,), (3,) or (2, 2).
        names: set of parameter names, a key of `MODIFIED`.

    Raises:
        ValueError: the names are none of those.
    """

    def __init__(
        self, *, channels: int = 64, blocks: int = 16, factors: Sequence[int] = (2, 2), names: str = "basicsr"
    ) -> None:
        super().__init__()
        if names not in MODIFIED:
            raise ValueError(f"names is {names!r}; expected one of {', '.join(MODIFIED)}")
        self.blocks, self.factors = blocks, tuple(factors)
        self.names = MODIFIED[names]
        self._put("conv_first", 3, channels)
        for number in range(blocks):
            for conv in self.block(number):
                self._put(conv, channels, channels, 0.1)
        for number, factor in enumerate(self.factors, 1):
            self._put(self.names.up(number), channels, channels * factor**2)
        self._put(self.names.hr, channels, channels)
        self._put("conv_last", channels, 3)

    def block(self, number: int) -> tuple[str, str]:
        """Names of a block's convolutions."""
        return f"{self.names.body}{number}.conv1", f"{self.names.body}{number}.conv2"

    def _put(self, name: str, entering: int, leaving: int, gain: float = 1.0) -> None:
        conv = nn.Conv2d(entering, leaving, 3, padding=1)
        # The authors begin residual blocks small.
        nn.init.kaiming_normal_(conv.weight)
        with torch.no_grad():
            conv.weight.mul_(gain)
        place(self, name, conv)

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge.

        Args:
            x: (N, 3, H, W) in [0, 1], RGB.

        Returns:
            (N, 3, s H, s W), in about [0, 1].
        """
        features = functional.leaky_relu(applied(self, ("conv_first",), x), LEAK)
        for number in range(self.blocks):
            first, second = self.block(number)
            features = features + applied(self, (second,), functional.relu(applied(self, (first,), features)))
        scale = 1
        for number, factor in enumerate(self.factors, 1):
            wide = applied(self, (self.names.up(number),), features)
            features = functional.leaky_relu(functional.pixel_shuffle(wide, factor), LEAK)
            scale *= factor
        features = functional.leaky_relu(applied(self, (self.names.hr,), features), LEAK)
        base = functional.interpolate(x, scale_factor=float(scale), mode="bilinear", align_corners=False)
        return applied(self, ("conv_last",), features) + base
