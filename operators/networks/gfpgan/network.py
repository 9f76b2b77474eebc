"""GFPGAN as it is trained, with the parameter names of the published checkpoints."""

from __future__ import annotations

from torch import Tensor, nn

from operators.networks.gfpgan.decoder import Decoder
from operators.networks.gfpgan.kit import Kit
from operators.widths import widths


class Gfpgan(nn.Module):
    """GFPGAN: a U-Net that takes the degradation away, and a StyleGAN2 whose features it scales and shifts.

    Args:
        out_size: pixels a side, a power of two from 8.
        kit: layout of the layers.
        num_style_feat: length of a latent.
        channel_multiplier: 2 in the clean checkpoints, 1 in the paper's.
        num_mlp: layers of the mapping network.
        input_is_latent: the U-Net gives latents as they are used; the mapping network stands in the checkpoint but does
            nothing. So it is in every released checkpoint.
        different_w: two latents for each resolution; one for all otherwise.
        narrow: factor of all channel counts.
        sft_half: only half of the generator's channels are transformed.
        stored_noise: the checkpoint has noise buffers, which are used; without, noise is zero, its expectation.

    Raises:
        ValueError: the arguments exclude each other.
    """

    def __init__(
        self,
        out_size: int,
        *,
        kit: Kit,
        num_style_feat: int = 512,
        channel_multiplier: float = 2,
        num_mlp: int = 8,
        input_is_latent: bool = True,
        different_w: bool = True,
        narrow: float = 1,
        sft_half: bool = True,
        stored_noise: bool = True,
    ) -> None:
        super().__init__()
        channels = widths(out_size, channel_multiplier, narrow)
        if sft_half and any(count % 2 for resolution, count in channels.items() if resolution > 4):
            raise ValueError(f"half of the channels cannot be transformed where their number is odd: {channels}")
        # The U-Net has half the generator's channels.
        inner = widths(out_size, channel_multiplier, narrow * 0.5)
        sizes = sorted(inner)
        self.conv_body_first = kit.convolution(3, inner[out_size], 1)
        self.conv_body_down = nn.ModuleList(kit.down(inner[size], inner[size // 2]) for size in sizes[:0:-1])
        self.final_conv = kit.convolution(inner[4], inner[4], 3)
        self.conv_body_up = nn.ModuleList(kit.up(inner[size // 2], inner[size]) for size in sizes[1:])
        self.toRGB = nn.ModuleList(kit.to_rgb(inner[size]) for size in sizes[1:])
        self.latents = 2 * len(sizes)
        self.final_linear = kit.linear(inner[4] * 16, num_style_feat * (self.latents if different_w else 1))
        self.stylegan_decoder = Decoder(
            channels,
            latent_features=num_style_feat,
            num_mlp=num_mlp,
            sft_half=sft_half,
            stored_noise=stored_noise,
            kit=kit,
        )
        factor = 1 if sft_half else 2
        self.condition_scale = nn.ModuleList(kit.condition(inner[s], inner[s] * factor, 1.0) for s in sizes[1:])
        self.condition_shift = nn.ModuleList(kit.condition(inner[s], inner[s] * factor, 0.0) for s in sizes[1:])
        self.num_style_feat = num_style_feat
        self.input_is_latent = input_is_latent
        self.different_w = different_w

    def forward(self, x: Tensor) -> Tensor:
        """Restore.

        Args:
            x: (N, 3, out_size, out_size) in [-1, 1], RGB.

        Returns:
            (N, 3, out_size, out_size), about [-1, 1], not clamped.
        """
        return self._restored(x)[0]

    def with_pyramid(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Restore, and give the U-Net's pictures at every resolution from 8 on, which training compares too.

        Args:
            x: as in `forward`.

        Returns:
            The restored face, and pictures (N, 3, S, S) from the smallest.
        """
        picture, pyramid = self._restored(x)
        return picture, [to_rgb(inner) for to_rgb, inner in zip(self.toRGB, pyramid, strict=True)]

    def _restored(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The restored face, and the U-Net's features from the smallest."""
        features: Tensor = self.conv_body_first(x)
        skips: list[Tensor] = []
        for down in self.conv_body_down:
            features = down(features)
            skips.append(features)
        features = self.final_conv(features)
        code: Tensor = self.final_linear(features.flatten(1))
        pyramid: list[Tensor] = []
        for skip, up in zip(reversed(skips), self.conv_body_up, strict=True):
            features = up(features + skip)
            pyramid.append(features)
        scales = [to_scale(inner) for to_scale, inner in zip(self.condition_scale, pyramid, strict=True)]
        shifts = [to_shift(inner) for to_shift, inner in zip(self.condition_shift, pyramid, strict=True)]
        picture: Tensor = self.stylegan_decoder(self._latents(code), scales, shifts)
        return picture, pyramid

    def _latents(self, code: Tensor) -> list[Tensor]:
        if self.different_w:
            code = code.view(-1, self.latents, self.num_style_feat)
        if not self.input_is_latent:
            code = self.stylegan_decoder.style_mlp(code)
        return list(code.unbind(1)) if self.different_w else [code] * self.latents
