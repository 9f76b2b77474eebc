"""ParseNet as it is trained, with the parameter names of the published checkpoint."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from operators.networks.layers.equalised import SLOPE

Scaling = Literal["down", "up"]


class Norm(nn.Module):
    """Batch normalisation under the name `norm`.

    Args:
        channels: of the input.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, channels, H, W) onto itself."""
        result: Tensor = self.norm(x)
        return result


class Conv(nn.Module):
    """Doubling if asked for, mirrored border, convolution of 3 x 3, halved if asked for.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        scaling: `down` halves by stride, `up` doubles by repetition.
        normalised: batch normalisation in place of a bias.
        activate: leaky ReLU.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        scaling: Scaling | None = None,
        normalised: bool = False,
        activate: bool = False,
    ) -> None:
        super().__init__()
        self.conv2d = nn.Conv2d(in_channels, out_channels, 3, 2 if scaling == "down" else 1, bias=not normalised)
        self.norm = Norm(out_channels) if normalised else None
        self.up = scaling == "up"
        self.activate = activate

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W)."""
        if self.up:
            x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
        y: Tensor = self.conv2d(functional.pad(x, (1, 1, 1, 1), mode="reflect"))
        if self.norm is not None:
            y = self.norm(y)
        return functional.leaky_relu(y, SLOPE) if self.activate else y


class Residual(nn.Module):
    """Residual block.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        scaling: whether it halves or doubles.
    """

    def __init__(self, in_channels: int, out_channels: int, scaling: Scaling | None = None) -> None:
        super().__init__()
        direct = scaling is None and in_channels == out_channels
        self.shortcut_func = None if direct else Conv(in_channels, out_channels, scaling=scaling)
        first: Scaling | None = "up" if scaling == "up" else None
        second: Scaling | None = "down" if scaling == "down" else None
        self.conv1 = Conv(in_channels, out_channels, scaling=first, normalised=True, activate=True)
        self.conv2 = Conv(out_channels, out_channels, scaling=second, normalised=True)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W)."""
        beside = x if self.shortcut_func is None else self.shortcut_func(x)
        result: Tensor = beside + self.conv2(self.conv1(x))
        return result


class ParseNet(nn.Module):
    """Face parsing: an encoder, residual blocks at the smallest resolution, a decoder.

    Args:
        in_size: pixels a side of the input.
        out_size: of the output.
        min_feat_size: of the smallest features.
        base_ch: channels at full resolution.
        parsing_ch: classes.
        res_depth: residual blocks at the smallest resolution.
        ch_range: least and most channels.

    Raises:
        ValueError: the sizes are not powers of two times the smallest.
    """

    def __init__(
        self,
        in_size: int = 512,
        out_size: int = 512,
        *,
        min_feat_size: int = 32,
        base_ch: int = 64,
        parsing_ch: int = 19,
        res_depth: int = 10,
        ch_range: tuple[int, int] = (32, 256),
    ) -> None:
        super().__init__()
        smallest = min(in_size, min_feat_size)
        downs, ups = _doublings(smallest, in_size), _doublings(smallest, out_size)

        def clipped(channels: int) -> int:
            return max(ch_range[0], min(channels, ch_range[1]))

        head = base_ch
        encoder: list[nn.Module] = [Conv(3, base_ch)]
        for _ in range(downs):
            encoder.append(Residual(clipped(head), clipped(head * 2), "down"))
            head *= 2
        self.encoder = nn.Sequential(*encoder)
        self.body = nn.Sequential(*(Residual(clipped(head), clipped(head)) for _ in range(res_depth)))
        decoder: list[nn.Module] = []
        for _ in range(ups):
            decoder.append(Residual(clipped(head), clipped(head // 2), "up"))
            head //= 2
        self.decoder = nn.Sequential(*decoder)
        self.out_img_conv = Conv(clipped(head), 3)
        self.out_mask_conv = Conv(clipped(head), parsing_ch)

    def forward(self, x: Tensor) -> Tensor:
        """Parse.

        Args:
            x: (N, 3, in_size, in_size) in [-1, 1], RGB.

        Returns:
            (N, parsing_ch, out_size, out_size) logits. The picture that the network paints too is not computed.
        """
        features: Tensor = self.encoder(x)
        logits: Tensor = self.out_mask_conv(self.decoder(features + self.body(features)))
        return logits


def _doublings(smallest: int, size: int) -> int:
    count = (size // smallest).bit_length() - 1
    if count < 0 or smallest << count != size:
        raise ValueError(f"the size is {size}; it must be {smallest} times a power of two")
    return count
