"""GPEN as it is trained, with the parameter names of the published `FullGenerator` and `FullGenerator_SR`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from operators.networks.gpen.layers import StyledConv, ToRGB
from operators.networks.layers.convolution import ConvLayer
from operators.networks.layers.equalised import EqualLinear, PixelNorm
from operators.networks.layers.fir import Taps
from operators.networks.layers.synthesis import Noises, synthesise
from operators.widths import level_of, widths


class ConstantInput(nn.Module):
    """The learned start of the synthesis.

    Args:
        channels: of it.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.input = nn.Parameter(torch.randn(1, channels, 4, 4))


class Generator(nn.Module):
    """Mapping and synthesis network.

    Args:
        channels: by resolution, from 4 to the output's.
        style_dim: length of the latent.
        n_mlp: layers of the mapping network.
        lr_mlp: their learning rate.
        concatenated: how noise is brought in.
        taps: of the filter that doubles features; the picture's own is always (1, 3, 3, 1).
        stored_noise: whether noise maps are stored.
    """

    def __init__(
        self,
        channels: dict[int, int],
        *,
        style_dim: int,
        n_mlp: int,
        lr_mlp: float,
        concatenated: bool,
        taps: Taps,
        stored_noise: bool,
    ) -> None:
        super().__init__()
        mapping = [EqualLinear(style_dim, style_dim, rate=lr_mlp, activate=True) for _ in range(n_mlp)]
        self.style = nn.Sequential(PixelNorm(), *mapping)
        self.input = ConstantInput(channels[4])
        factor = 1 + concatenated
        before = channels[4]
        self.conv1 = StyledConv(before, before, style_dim, up=False, taps=taps, concatenated=concatenated)
        self.to_rgb1 = ToRGB(before * factor, style_dim, up=False)
        self.convs = nn.ModuleList()
        self.to_rgbs = nn.ModuleList()
        for resolution, count in channels.items():
            if resolution == 4:
                continue
            for up, entering in ((True, before), (False, count)):
                self.convs.append(
                    StyledConv(entering * factor, count, style_dim, up=up, taps=taps, concatenated=concatenated)
                )
            self.to_rgbs.append(ToRGB(count * factor, style_dim, up=True))
            before = count
        self.noises = Noises(len(channels), "noise_") if stored_noise else None

    def forward(self, code: Tensor, noises: Sequence[Tensor | None]) -> Tensor:
        """Make a picture.

        Args:
            code: (N, style_dim).
            noises: one for each styled convolution, from the smallest.

        Returns:
            (N, 3, S, S).
        """
        latent: Tensor = self.style(code)
        convolutions, to_rgbs = [self.conv1, *self.convs], [self.to_rgb1, *self.to_rgbs]
        return synthesise(
            self.input.input, convolutions, to_rgbs, [latent] * len(convolutions), [latent] * len(to_rgbs), noises
        )


class Gpen(nn.Module):
    """GPEN: an encoder whose last features become the latent and whose others become the noise of a StyleGAN2.

    Where the output is larger than the input, the published code draws fresh noise for the resolutions that have no
    encoder feature. Here the checkpoint's stored noise is used if it has some, and otherwise noise's expectation,
    zero: the same input always gives the same output. The layers see that zero before their bias and activation.

    Args:
        in_size: pixels a side of the input, a power of two from 8.
        out_size: of the output, not smaller.
        style_dim: length of the latent.
        n_mlp: layers of the mapping network.
        channel_multiplier: 2 in the released models but for 1 in GPEN-BFR-256.
        narrow: 1 in the released models but for 0.5 in GPEN-BFR-256.
        isconcat: encoder features stand beside the generator's, as in every released model; they are added otherwise.
        lr_mlp: learning rate of the mapping network.
        blur_kernel: taps of the filter that doubles the generator's features. The encoder's and the picture's have
            always been (1, 3, 3, 1).
        stored_noise: buffers `generator.noises.noise_0` and on, each (1, 1, S, S), are part of the checkpoint.
        skip: share of the input in the output, 0 to 1, a buffer of the checkpoint; None for a network without one, as
            all published ones are. With one, the network learns what to change instead of the whole face.

    Raises:
        ValueError: a size is not possible.
    """

    def __init__(
        self,
        in_size: int,
        out_size: int,
        *,
        style_dim: int = 512,
        n_mlp: int = 8,
        channel_multiplier: float = 2,
        narrow: float = 1,
        isconcat: bool = True,
        lr_mlp: float = 0.01,
        blur_kernel: Sequence[float] = (1, 3, 3, 1),
        stored_noise: bool = False,
        skip: float | None = None,
    ) -> None:
        super().__init__()
        if in_size > out_size:
            raise ValueError(f"the input is {in_size} and the output {out_size}; it cannot be smaller")
        if skip is not None and in_size != out_size:
            raise ValueError(f"a share of the input ({in_size}) in the output ({out_size}) needs both of one size")
        channels = widths(out_size, channel_multiplier, narrow)
        self.generator = Generator(
            channels,
            style_dim=style_dim,
            n_mlp=n_mlp,
            lr_mlp=lr_mlp,
            concatenated=isconcat,
            taps=blur_kernel,
            stored_noise=stored_noise,
        )
        levels = level_of(in_size)
        self.ecd0 = nn.Sequential(ConvLayer(3, channels[in_size], 1))
        for index in range(1, levels - 1):
            before, after = (channels[in_size >> step] for step in (index - 1, index))
            setattr(self, f"ecd{index}", nn.Sequential(ConvLayer(before, after, 3, half="fir")))
        self.encoders = levels - 1
        self.final_linear = nn.Sequential(EqualLinear(channels[4] * 16, style_dim, activate=True))
        self.skip: Tensor | None
        self.register_buffer("skip", None if skip is None else torch.tensor([float(skip)]))

    def forward(self, x: Tensor) -> Tensor:
        """Restore.

        Args:
            x: (N, 3, in_size, in_size) in [-1, 1], RGB; a segmentation map in [0, 1] for segmentation to face.

        Returns:
            (N, 3, out_size, out_size), about [-1, 1], not clamped.
        """
        features: list[Tensor] = []
        given = x
        for index in range(self.encoders):
            x = self.get_submodule(f"ecd{index}")(x)
            features.append(x)
        picture: Tensor = self.generator(self.final_linear(x.flatten(1)), self._noises(features[::-1]))
        return (
            picture if self.skip is None else torch.lerp(picture, given.to(picture.dtype), self.skip.to(picture.dtype))
        )

    def _noises(self, features: Sequence[Tensor]) -> list[Tensor | None]:
        """The features from the smallest, twice each but the first once, then what stands for noise."""
        found = [feature for feature in features for _ in (0, 1)][1:]
        stored = self.generator.noises
        if stored is None:
            return [*found, *[None] * (len(self.generator.convs) + 1 - len(found))]
        return [*found, *stored.all()[len(found) :]]
