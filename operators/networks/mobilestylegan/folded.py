"""MobileStyleGAN as it is executed."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from operators.networks.folded.convolution import FrozenConv2d, constant
from operators.networks.folded.exact import ExactLinear, Together
from operators.networks.folded.styled import per_channel
from operators.networks.layers.equalised import GAIN, SLOPE, PixelNorm
from operators.networks.mobilestylegan.layers import (
    ModulatedConv,
    Modulation,
    SeparableModulatedConv,
    StyledConv,
    haar_inverse,
)
from operators.networks.mobilestylegan.network import Block, MobileStyleGan


class FoldedConv(nn.Module):
    """Convolution of features that a style has multiplied, noise, bias and leaky ReLU.

    Args:
        layer: to be folded; its factor of the style is in the style.
    """

    def __init__(self, layer: StyledConv) -> None:
        super().__init__()
        conv = layer.conv
        if isinstance(conv, SeparableModulatedConv):
            depthwise = FrozenConv2d(conv.weight_dw, padding=1, groups=len(conv.weight_dw))
            self.convolution: nn.Module = nn.Sequential(depthwise, FrozenConv2d(conv.weight_permute))
        else:
            self.convolution = FrozenConv2d(conv.weight, padding=conv.padding)
        self.noise = constant(layer.noise)
        self.bias = constant(layer.bias)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Map (N, I, H, W) under styles (N, I) float32."""
        y: Tensor = self.convolution(x * per_channel(style, x))
        return functional.leaky_relu(y.add_(self.noise).add_(self.bias), SLOPE, inplace=True)


class FoldedMobileStyleGan(nn.Module):
    """MobileStyleGAN, frozen, from z to the picture.

    Args:
        network: to be folded; it is not changed.
    """

    def __init__(self, network: MobileStyleGan) -> None:
        super().__init__()
        synthesis = network.synthesis
        blocks = [block for block in synthesis.layers if isinstance(block, Block)]
        picture = blocks[-1].to_img
        assert picture is not None
        convolutions = [synthesis.conv1, *(conv for block in blocks for conv in (block.conv1, block.conv2))]
        styles = [_factors(conv.conv) for conv in convolutions]
        styles += [_factors(picture.conv), *(_linear(block.up.modulation, 0.5) for block in blocks)]
        self.codes = nn.Sequential(
            PixelNorm(),
            *(ExactLinear(*_linear(layer, GAIN), activate=True) for layer in network.mapping.layers),
            Together([weight for weight, _ in styles], [bias for _, bias in styles]),
        )
        self.constant = constant(synthesis.input.input)
        self.convolutions = nn.ModuleList(FoldedConv(conv) for conv in convolutions)
        self.bands = FrozenConv2d(picture.conv.weight * 0.5, picture.bias.flatten() * 0.5)

    def forward(self, z: Tensor) -> Tensor:
        """Map (N, D), any float type, to (N, 3, S, S) float32; arithmetic in the weights' type."""
        styles: list[Tensor] = self.codes(z.float())
        count = len(self.convolutions)
        ups = styles[count + 1 :]
        x = self.constant.expand(z.shape[0], -1, -1, -1)
        for index, convolution in enumerate(self.convolutions):
            if index % 2 == 1:
                x = haar_inverse(x * per_channel(ups[index // 2], x))
            x = convolution(x, styles[index])
        bands: Tensor = self.bands(x * per_channel(styles[count], x))
        return haar_inverse(bands.float())


def _factors(conv: ModulatedConv | SeparableModulatedConv) -> tuple[Tensor, Tensor]:
    return _linear(conv.modulation, conv.scale)


def _linear(layer: nn.Module, factor: float) -> tuple[Tensor, Tensor]:
    assert isinstance(layer, nn.Linear | Modulation)
    return layer.weight.detach() * factor, layer.bias.detach() * factor
