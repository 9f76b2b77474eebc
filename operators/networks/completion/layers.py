"""What the generator of completion is made of: weights with an equalised learning rate, instance normalisation."""

from __future__ import annotations

from torch import Tensor, cat, nn
from torch.nn import functional

from operators.networks.layers.equalised import SLOPE, EqualConv2d


class Layer(nn.Module):
    """Convolution 3 x 3, instance normalisation with a learnt scale and shift, leaky ReLU.

    The convolution has no bias, since the normalisation would take it away.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        activate: leaky ReLU at the end.
    """

    def __init__(self, in_channels: int, out_channels: int, *, activate: bool = True) -> None:
        super().__init__()
        self.conv = EqualConv2d(in_channels, out_channels, 3, padding=1, bias=None)
        self.norm = nn.InstanceNorm2d(out_channels, affine=True)
        self.activate = activate

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W)."""
        y: Tensor = self.norm(self.conv(x))
        return functional.leaky_relu(y, SLOPE) if self.activate else y


class Encoder(nn.Module):
    """One resolution on the way down. Level 0 has no `second`: what follows it is the squeeze to a vector.

    Args:
        channels: at this resolution.
        below: at half of it; None at level 0.
    """

    def __init__(self, channels: int, below: int | None) -> None:
        super().__init__()
        self.first = Layer(channels, channels)
        self.second = None if below is None else Layer(channels, below)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map (N, channels, H, W) to the features that are handed to the decoder, of that size, and those below.

        Returns:
            (N, channels, H, W) and (N, below, H / 2, W / 2); twice the same at level 0.
        """
        beside: Tensor = self.first(x)
        return beside, beside if self.second is None else functional.avg_pool2d(self.second(beside), 2)


class Skip(nn.Module):
    """Residual block on the way from encoder to decoder, for the conditional network.

    Copied features show the decoder what the attributes ask it to change; the block can hold that back.

    Args:
        channels: of input and output.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = Layer(channels, channels)
        self.second = Layer(channels, channels, activate=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, channels, H, W) onto itself."""
        y: Tensor = x + self.second(self.first(x))
        return y


class Decoder(nn.Module):
    """One resolution on the way up. Level 0 has no `first`: its features come from the vector.

    Args:
        channels: at this resolution.
        below: at half of it; None at level 0.
    """

    def __init__(self, channels: int, below: int | None) -> None:
        super().__init__()
        self.first = None if below is None else Layer(below, channels)
        self.merge = Layer(2 * channels, channels)

    def forward(self, x: Tensor, beside: Tensor) -> Tensor:
        """Double the resolution and join what the encoder hands over.

        Args:
            x: (N, below, H / 2, W / 2); (N, channels, H, W) at level 0.
            beside: (N, channels, H, W).

        Returns:
            (N, channels, H, W).
        """
        if self.first is not None:
            x = self.first(functional.interpolate(x, scale_factor=2.0, mode="nearest"))
        y: Tensor = self.merge(cat((x, beside), dim=1))
        return y
