"""MobileStyleGAN as a prior."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from operators.inversion.priors.contract import Features, Place
from operators.inversion.priors.styled import StyledPrior
from operators.networks.mobilestylegan.network import Block, MobileStyleGan


class MobileStyleGanPrior(StyledPrior):
    """MobileStyleGAN with its styled convolutions as places: one at 4 pixels, two at each further resolution.

    Layer l is the l-th styled convolution, with noise and activation; doubling belongs to the convolution after it. The
    last resolution of features is half that of the picture, which a wavelet transform doubles. Nothing but styles goes
    beside the features. Noise is the checkpoint's stored one.

    Args:
        network: as `from_state_dict` makes it; its weights are not changed.
        psi: truncation of w in space z, 0 to 1.
    """

    name = "mobilestylegan"

    def __init__(self, network: MobileStyleGan, psi: float = 1.0) -> None:
        self._network = network
        synthesis = network.synthesis
        blocks = [block for block in synthesis.layers if isinstance(block, Block)]
        widths = [synthesis.conv1.bias.shape[1]]
        widths += [conv.bias.shape[1] for block in blocks for conv in (block.conv1, block.conv2)]
        self.layers = len(widths)
        self.resolution = network.resolution
        self.places = tuple(Place(index + 1, 4 << (index + 1) // 2, width) for index, width in enumerate(widths))
        super().__init__(psi)

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return self._network.synthesis.input.input.device

    @property
    def _width(self) -> int:
        return self._network.style_dim

    @property
    def _mapping(self) -> nn.Module:
        return self._network.mapping

    def _stored_mean(self) -> Tensor | None:
        return None

    def _early(self, latents: Tensor, layer: int) -> Features:
        maps = self._network.synthesis.begin(latents.shape[0])
        for index in range(layer):
            maps = self._network.synthesis.step(maps, latents[:, index], index)
        return Features(maps, None, latents[:, layer:])

    def _late(self, features: Features, layer: int) -> Tensor:
        assert features.styles is not None
        maps = features.maps
        for index in range(layer, self.layers + 1):
            maps = self._network.synthesis.step(maps, features.styles[:, index - layer], index)
        return maps
