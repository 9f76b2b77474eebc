"""StyleGAN2's generator in the public PyTorch layout, with its parameter names."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from operators.networks.gpen.network import Generator
from operators.widths import widths


class StyleGan2(Generator):
    """StyleGAN2's generator: a mapping network and a synthesis network, the ones that GPEN embeds.

    Where published code draws noise, the checkpoint's stored noise is used if it has some, and otherwise noise's
    expectation, zero: the same code always gives the same picture.

    Args:
        resolution: pixels a side, a power of two from 8.
        style_dim: length of z and of w.
        n_mlp: layers of the mapping network.
        channel_multiplier: 2 in configuration F of the paper, 1 in configuration E.
        narrow: factor of all channels.
        isconcat: noise stands beside the features, as in the prior that GPEN embeds; it is added otherwise.
        lr_mlp: learning rate of the mapping network.
        blur_kernel: taps of the filter that doubles the features.
        stored_noise: buffers `noises.noise_0` and on are part of the checkpoint.
        latent_avg: so is the mean of w, `latent_avg`.
    """

    latent_avg: Tensor | None

    def __init__(
        self,
        resolution: int,
        *,
        style_dim: int = 512,
        n_mlp: int = 8,
        channel_multiplier: float = 2,
        narrow: float = 1,
        isconcat: bool = False,
        lr_mlp: float = 0.01,
        blur_kernel: Sequence[float] = (1, 3, 3, 1),
        stored_noise: bool = False,
        latent_avg: bool = False,
    ) -> None:
        super().__init__(
            widths(resolution, channel_multiplier, narrow),
            style_dim=style_dim,
            n_mlp=n_mlp,
            lr_mlp=lr_mlp,
            concatenated=isconcat,
            taps=blur_kernel,
            stored_noise=stored_noise,
        )
        self.style_dim = style_dim
        self.register_buffer("latent_avg", torch.zeros(style_dim) if latent_avg else None)

    def stored(self) -> list[Tensor | None]:
        """Noise for each styled convolution, from the smallest; None where the checkpoint has none."""
        return [None] * (1 + len(self.convs)) if self.noises is None else list(self.noises.all())

    def forward(self, code: Tensor, noises: Sequence[Tensor | None] | None = None) -> Tensor:
        """Make a picture.

        Args:
            code: (N, style_dim), standard normal.
            noises: one for each styled convolution, from the smallest; the stored ones when None.

        Returns:
            (N, 3, resolution, resolution), about [-1, 1], not clamped.
        """
        return super().forward(code, self.stored() if noises is None else noises)
