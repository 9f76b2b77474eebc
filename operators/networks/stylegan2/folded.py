"""StyleGAN2 as it is executed."""

from __future__ import annotations

from torch import Tensor, nn

from operators.networks.folded.constants import mapping_layers, modulations
from operators.networks.folded.convolution import constant
from operators.networks.folded.exact import Together
from operators.networks.folded.styled import ExactFirDouble, FoldedToRGB
from operators.networks.gpen.folded import Added, Beside
from operators.networks.gpen.layers import StyledConv, ToRGB
from operators.networks.layers.equalised import PixelNorm
from operators.networks.layers.synthesis import synthesise
from operators.networks.stylegan2.network import StyleGan2


class FoldedStyleGan2(nn.Module):
    """StyleGAN2, frozen, from z to the picture.

    Args:
        network: to be folded; it is not changed.
    """

    def __init__(self, network: StyleGan2) -> None:
        super().__init__()
        convolutions: list[StyledConv] = [network.conv1, *network.convs]
        to_rgbs: list[ToRGB] = [network.to_rgb1, *network.to_rgbs]
        self.codes = nn.Sequential(
            PixelNorm(),
            *mapping_layers(network.style),
            Together(*modulations([layer.conv for layer in convolutions] + [layer.conv for layer in to_rgbs])),
        )
        self.constant = constant(network.input.input)
        self.convolutions = nn.ModuleList(
            (Beside if layer.noise.concatenated else Added)(layer, noise)
            for layer, noise in zip(convolutions, network.stored(), strict=True)
        )
        self.to_rgbs = nn.ModuleList(
            FoldedToRGB(
                layer.conv, layer.bias, None if layer.upsample is None else ExactFirDouble(layer.upsample.kernel)
            )
            for layer in to_rgbs
        )

    def forward(self, z: Tensor) -> Tensor:
        """Map (N, D), any float type, to (N, 3, S, S) float32; arithmetic in the weights' type."""
        styles: list[Tensor] = self.codes(z.float())
        count = len(self.convolutions)
        return synthesise(
            self.constant, list(self.convolutions), list(self.to_rgbs), styles[:count], styles[count:], [None] * count
        )
