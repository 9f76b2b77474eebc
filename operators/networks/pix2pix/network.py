"""The U-Net of pix2pix as it is trained, with the parameter names of pytorch-CycleGAN-and-pix2pix."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

SLOPE = 0.2
Normalisation = Literal["batch", "instance", "none"]
_WIDEST = 8
"""No level has more than so many times the first level's channels."""


def normalisation(kind: Normalisation, channels: int) -> nn.Module:
    """The layer that a kind of normalisation stands for; instance normalisation learns nothing, as published.

    Args:
        kind: `batch`, `instance` or `none`.
        channels: of the features.

    Raises:
        ValueError: the kind is none of these.
    """
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    if kind == "instance":
        return nn.InstanceNorm2d(channels)
    if kind == "none":
        return nn.Identity()
    raise ValueError(f"norm is {kind!r}; expected batch, instance or none")


class Level(nn.Module):
    """A level of the U-Net: halve, everything deeper, double, and its input beside the result.

    Args:
        outer: channels at the level's own resolution, of what comes back.
        inner: channels at half of it.
        entering: channels of the input; None for as many as `outer`.
        deeper: the next level; None in the innermost.
        outermost: the whole network, which returns a picture instead of features.
        norm: kind of normalisation.
        dropout: drop half of the features behind the doubling, in training.
    """

    def __init__(
        self,
        outer: int,
        inner: int,
        *,
        entering: int | None = None,
        deeper: nn.Module | None = None,
        outermost: bool = False,
        norm: Normalisation = "batch",
        dropout: bool = False,
    ) -> None:
        super().__init__()
        self.outermost = outermost
        bias = norm == "instance"
        down = nn.Conv2d(outer if entering is None else entering, inner, 4, 2, 1, bias=bias)
        coming = inner if deeper is None else 2 * inner
        up = nn.ConvTranspose2d(coming, outer, 4, 2, 1, bias=bias or outermost)
        parts: list[nn.Module]
        if outermost:
            assert deeper is not None
            parts = [down, deeper, nn.ReLU(), up, nn.Tanh()]
        elif deeper is None:
            parts = [nn.LeakyReLU(SLOPE), down, nn.ReLU(), up, normalisation(norm, outer)]
        else:
            first = [nn.LeakyReLU(SLOPE), down, normalisation(norm, inner)]
            parts = [*first, deeper, nn.ReLU(), up, normalisation(norm, outer)]
            parts += [nn.Dropout(0.5)] if dropout else []
        self.model = nn.Sequential(*parts)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, entering, H, W) to (N, outer, H, W) if outermost, else to (N, entering + outer, H, W)."""
        made: Tensor = self.model(x)
        return made if self.outermost else torch.cat((x, made), 1)


class Pix2Pix(nn.Module):
    """U-Net with skip connections at every level.

    Args:
        input_nc: channels of the input picture.
        output_nc: of the output.
        num_downs: levels; 8 is the network for 256 pixels, 7 that for 128.
        ngf: channels of the first level.
        norm: kind of normalisation.
        use_dropout: whether three of the inner levels drop features in training, as the authors' default does.

    Raises:
        ValueError: fewer than 5 levels, or a normalisation that is not known.
    """

    def __init__(
        self,
        input_nc: int = 3,
        output_nc: int = 3,
        *,
        num_downs: int = 8,
        ngf: int = 64,
        norm: Normalisation = "batch",
        use_dropout: bool = False,
    ) -> None:
        super().__init__()
        if num_downs < 5:
            raise ValueError(f"num_downs is {num_downs}; it must be 5 or more")
        self.num_downs = num_downs
        widest = ngf * _WIDEST
        level = Level(widest, widest, norm=norm)
        for _ in range(num_downs - 5):
            level = Level(widest, widest, deeper=level, norm=norm, dropout=use_dropout)
        for factor in (4, 2, 1):
            level = Level(ngf * factor, ngf * factor * 2, deeper=level, norm=norm)
        self.model = Level(output_nc, ngf, entering=input_nc, deeper=level, outermost=True, norm=norm)

    def forward(self, x: Tensor) -> Tensor:
        """Translate.

        Args:
            x: (N, input_nc, H, W) in [-1, 1], RGB; H and W multiples of 2 ** num_downs.

        Returns:
            (N, output_nc, H, W) in [-1, 1].
        """
        result: Tensor = self.model(x)
        return result
