"""Modulated convolutions in the activation-scaled form, with the demodulation's constants computed once.

Each output channel's weight is divided by its norm, which demodulation cancels: together with the styles divided by
their largest magnitude, no intermediate value is larger than the features times a few, whatever the checkpoint's
weights are. Styles and demodulation are float32 in every precision; the convolution is not.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from operators.networks.folded.convolution import FrozenConv2d, FrozenTransposedConv2d, constant, depthwise_filter
from operators.networks.folded.doubled import doubled_convolution
from operators.networks.folded.exact import Exact
from operators.networks.layers.equalised import GAIN, SLOPE
from operators.networks.layers.fir import upsample_depthwise
from operators.networks.layers.modulation import EPSILON, ModulatedConv2d, demodulation, normalised


def per_channel(values: Tensor, like: Tensor) -> Tensor:
    """(N, C) as a factor of (N, C, H, W), in the type of `like`."""
    return values.to(like.dtype)[:, :, None, None]


def unit_rows(weight: Tensor) -> tuple[Tensor, Tensor]:
    """A weight with every output channel divided by its norm.

    Args:
        weight: (O, I, k, k).

    Returns:
        The same shape, and the norms (O,).
    """
    norms = weight.double().flatten(1).norm(dim=1).clamp_min(1e-12)
    return (weight.double() / norms[:, None, None, None]).float(), norms


class FoldedStyledConv(Exact):
    """Modulated and demodulated convolution, noise, bias and activation.

    Args:
        conv: to be folded.
        bias: (O,), the activation's gain included.
        noise: (1, 1, H, W) to be added, weight and gain included; None for none.
        side: pixels of the features it takes, where it doubles them bilinearly.
        early: channels from which on bilinear doubling comes after the convolution.
    """

    energy: Tensor
    floor: Tensor

    def __init__(
        self, conv: ModulatedConv2d, bias: Tensor, noise: Tensor | None = None, *, side: int = 0, early: int = 0
    ) -> None:
        super().__init__()
        weight, norms = unit_rows(conv.weight.detach()[0] * conv.scale)
        self.keep("energy", weight.double().square().sum((2, 3)).t())
        self.keep("floor", EPSILON / norms.square())
        self.convolution: nn.Module
        if conv.up == "bilinear":
            self.convolution = doubled_convolution(weight, side, early)
        elif conv.blur is None:
            self.convolution = FrozenConv2d(weight, padding=weight.shape[2] // 2)
        else:
            transposed = FrozenTransposedConv2d(weight.transpose(0, 1))
            blur = depthwise_filter(conv.blur.kernel, len(weight), conv.blur.padding)
            self.convolution = nn.Sequential(transposed, blur)
        self.bias = constant(bias.detach().view(1, -1, 1, 1))
        self.noise = None if noise is None else constant(noise)

    def forward(self, features: Tensor, style: Tensor, noise: Tensor | None = None) -> Tensor:
        """Map features under a style.

        Args:
            features: (N, I, H, W).
            style: (N, I) float32.
            noise: (N, O, H', W') to be added, weight and gain included.

        Returns:
            (N, O, H', W').
        """
        scaled, peak = normalised(style)
        x = features * per_channel(scaled, features)
        y: Tensor = self.convolution(x)
        factor = demodulation(scaled, peak, self.energy, self.floor) * GAIN
        y = y.mul_(per_channel(factor, y))
        for addend in (noise, self.noise):
            if addend is not None:
                y = y.add_(addend)
        return functional.leaky_relu(y.add_(self.bias), SLOPE, inplace=True)


class FoldedToRGB(Exact):
    """A resolution's contribution to the picture; pictures are float32 in every precision.

    Styles are not demodulated here, so a picture may be large; it has few channels, and float32 costs nothing.

    Args:
        conv: to be folded.
        bias: (1, 3, 1, 1).
        larger: doubles the smaller picture; None where there is none.
    """

    norms: Tensor
    bias: Tensor

    def __init__(self, conv: ModulatedConv2d, bias: Tensor, larger: nn.Module | None) -> None:
        super().__init__()
        weight, norms = unit_rows(conv.weight.detach()[0] * conv.scale)
        self.convolution = FrozenConv2d(weight)
        self.keep("norms", norms)
        self.keep("bias", bias)
        self.larger = larger

    def forward(self, features: Tensor, style: Tensor, smaller: Tensor | None) -> Tensor:
        """Map features (N, I, S, S) under (N, I) float32, and the picture so far, to (N, 3, S, S) float32."""
        scaled, peak = normalised(style)
        y: Tensor = self.convolution(features * per_channel(scaled, features))
        picture = y.float() * (peak * self.norms)[:, :, None, None] + self.bias
        if self.larger is None or smaller is None:
            return picture
        above: Tensor = self.larger(smaller)
        return picture + above


class ExactFirDouble(Exact):
    """Doubling by a filter, in float32.

    Args:
        kernel: (n, n), summing to 4.
        channels: of the picture.
    """

    weight: Tensor

    def __init__(self, kernel: Tensor, channels: int = 3) -> None:
        super().__init__()
        self.keep("weight", kernel.expand(channels, 1, -1, -1))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C, 2H, 2W)."""
        return upsample_depthwise(x, self.weight)
