"""GPEN as it is executed."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, cat, nn
from torch.nn import functional

from operators.networks.folded.constants import exact_linear, frozen_layer, mapping_layers, modulations
from operators.networks.folded.convolution import constant, depthwise_filter
from operators.networks.folded.exact import Together
from operators.networks.folded.styled import ExactFirDouble, FoldedStyledConv, FoldedToRGB
from operators.networks.gpen.layers import StyledConv, ToRGB
from operators.networks.gpen.network import Gpen
from operators.networks.layers.convolution import ConvLayer
from operators.networks.layers.equalised import GAIN, SLOPE, PixelNorm
from operators.networks.layers.fir import Blur
from operators.networks.layers.synthesis import synthesise


class Beside(nn.Module):
    """A styled convolution and the noise that stands beside its output.

    Args:
        layer: to be folded, noise concatenated.
        noise: (1, 1, H, W) stored noise for a layer that no encoder feature reaches, or None.
    """

    def __init__(self, layer: StyledConv, noise: Tensor | None) -> None:
        super().__init__()
        own, beside = layer.activate.bias.detach().chunk(2)
        self.conv = FoldedStyledConv(layer.conv, own * GAIN)
        self.weight = constant(layer.noise.weight.detach().view(1, 1, 1, 1) * GAIN)
        self.bias = constant(beside.view(1, -1, 1, 1) * GAIN)
        self.noise = None if noise is None else constant(noise)

    def forward(self, features: Tensor, style: Tensor, feature: Tensor | None) -> Tensor:
        """Map (N, I, H, W) and an encoder's (N, O, H', W') to (N, 2 O, H', W')."""
        y: Tensor = self.conv(features, style)
        noise = self.noise if feature is None else feature
        beside = self.bias if noise is None else noise * self.weight + self.bias
        return cat((y, functional.leaky_relu(beside, SLOPE).expand_as(y)), 1)


class Added(nn.Module):
    """A styled convolution with the noise added to its output.

    Args:
        layer: to be folded.
        noise: (1, 1, H, W) stored noise for a layer that no encoder feature reaches, or None.
    """

    def __init__(self, layer: StyledConv, noise: Tensor | None) -> None:
        super().__init__()
        weight = layer.noise.weight.detach().view(1, 1, 1, 1) * GAIN
        self.conv = FoldedStyledConv(
            layer.conv, layer.activate.bias.detach() * GAIN, None if noise is None else noise * weight
        )
        self.weight = constant(weight)

    def forward(self, features: Tensor, style: Tensor, feature: Tensor | None) -> Tensor:
        """Map (N, I, H, W) and an encoder's (N, O, H', W') to (N, O, H', W')."""
        result: Tensor = self.conv(features, style, None if feature is None else feature * self.weight)
        return result


class FoldedGpen(nn.Module):
    """GPEN, frozen.

    Args:
        network: to be folded; it is not changed.
    """

    def __init__(self, network: Gpen) -> None:
        super().__init__()
        generator = network.generator
        encoders = [_encoder(network.get_submodule(f"ecd{index}.0")) for index in range(network.encoders)]
        self.encoders = nn.ModuleList(encoders)
        convolutions: list[StyledConv] = [generator.conv1, *generator.convs]
        to_rgbs: list[ToRGB] = [generator.to_rgb1, *generator.to_rgbs]
        reached = 2 * network.encoders - 1
        stored = [None] * len(convolutions) if generator.noises is None else generator.noises.all()
        self.codes = nn.Sequential(
            exact_linear(network.final_linear[0]),
            PixelNorm(),
            *mapping_layers(generator.style),
            Together(*modulations([layer.conv for layer in convolutions] + [layer.conv for layer in to_rgbs])),
        )
        self.constant = constant(generator.input.input)
        self.convolutions = nn.ModuleList(
            (Beside if layer.noise.concatenated else Added)(layer, None if index < reached else stored[index])
            for index, layer in enumerate(convolutions)
        )
        self.to_rgbs = nn.ModuleList(
            FoldedToRGB(
                layer.conv, layer.bias, None if layer.upsample is None else ExactFirDouble(layer.upsample.kernel)
            )
            for layer in to_rgbs
        )
        self.skip = None if network.skip is None else constant(network.skip)

    def forward(self, x: Tensor) -> Tensor:
        """Restore (N, 3, in, in), any float type, to (N, 3, out, out) float32; arithmetic in the weights' type."""
        given, x = x, x.to(self.constant.dtype)
        features: list[Tensor] = []
        for encoder in self.encoders:
            x = encoder(x)
            features.append(x)
        styles: Sequence[Tensor] = self.codes(x.flatten(1).float())
        count = len(self.convolutions)
        reached = [feature for feature in features[::-1] for _ in (0, 1)][1:]
        noises = [*reached, *[None] * (count - len(reached))]
        picture = synthesise(
            self.constant, list(self.convolutions), list(self.to_rgbs), styles[:count], styles[count:], noises
        )
        return picture if self.skip is None else picture + (given.float() - picture) * self.skip


def _encoder(layer: nn.Module) -> nn.Module:
    assert isinstance(layer, ConvLayer)
    conv = frozen_layer(layer)
    blur = layer[0]
    if not isinstance(blur, Blur):
        return conv
    return nn.Sequential(depthwise_filter(blur.kernel, conv.weight.shape[1], blur.padding), conv)
