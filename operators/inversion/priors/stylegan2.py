"""StyleGAN2 as a prior."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from operators.inversion.priors.contract import Features, Place
from operators.inversion.priors.styled import StyledPrior
from operators.networks.gpen.layers import StyledConv, ToRGB
from operators.networks.stylegan2.network import StyleGan2


class StyleGan2Prior(StyledPrior):
    """StyleGAN2 with its styled convolutions as places: one at 4 pixels, two at each further resolution.

    Layer l is the l-th styled convolution, with noise and activation. Its features carry the picture of the resolutions
    before its own; what its own resolution adds to the picture is made of the composed features. Noise is the
    checkpoint's stored one, or zero.

    Args:
        network: as `from_state_dict` makes it; its weights are not changed.
        psi: truncation of w in space z, 0 to 1.
    """

    name = "stylegan2"

    def __init__(self, network: StyleGan2, psi: float = 1.0) -> None:
        self._network = network
        self._convolutions: list[StyledConv] = [network.conv1, *network.convs]
        self._to_rgbs: list[ToRGB] = [network.to_rgb1, *network.to_rgbs]
        self.layers = len(self._convolutions)
        self.resolution = 4 << self.layers // 2
        self.places = tuple(
            Place(index + 1, 4 << (index + 1) // 2, int(layer.activate.bias.shape[0]))
            for index, layer in enumerate(self._convolutions)
        )
        super().__init__(psi)

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return self._network.input.input.device

    @property
    def _width(self) -> int:
        return self._network.style_dim

    @property
    def _mapping(self) -> nn.Module:
        return self._network.style

    def _stored_mean(self) -> Tensor | None:
        return self._network.latent_avg

    def _early(self, latents: Tensor, layer: int) -> Features:
        start = self._network.input.input.expand(latents.shape[0], -1, -1, -1)
        return self._on(Features(start, None, latents), 0, layer)

    def _late(self, features: Features, layer: int) -> Tensor:
        end = self._on(features, layer, self.layers)
        assert end.styles is not None
        picture: Tensor = self._to_rgbs[-1](end.maps, end.styles[:, 0], end.picture)
        return picture

    def _on(self, features: Features, done: int, layer: int) -> Features:
        """From after `done` layers to after `layer`."""
        maps, picture, styles = features.maps, features.picture, features.styles
        assert styles is not None
        noises = self._network.stored()
        for index in range(done, layer):
            latent = styles[:, index - done]
            if index % 2 == 1:
                # The resolution before is complete; its picture shares the latent of the next one's first convolution.
                picture = self._to_rgbs[index // 2](maps, latent, picture)
            maps = self._convolutions[index](maps, latent, noises[index])
        return Features(maps, picture, styles[:, layer - done :])
