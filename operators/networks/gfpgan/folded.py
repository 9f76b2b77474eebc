"""GFPGAN as it is executed, the same for its layouts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import Tensor, cat, nn

from operators.networks.folded.constants import exact_linear, linear_constants, mapping_layers, modulations
from operators.networks.folded.convolution import constant
from operators.networks.folded.doubled import EARLY_CHANNELS
from operators.networks.folded.exact import ExactLinear, PerLatent, Together
from operators.networks.folded.styled import ExactFirDouble, FoldedStyledConv, FoldedToRGB
from operators.networks.gfpgan.decoder import Decoder, StyleConv, ToRGB
from operators.networks.gfpgan.folded_unet import FoldedDown, FoldedUp, folded_activated, folded_condition
from operators.networks.gfpgan.network import Gfpgan
from operators.networks.layers.bilinear import BilinearDouble
from operators.networks.layers.equalised import GAIN, PixelNorm
from operators.networks.layers.synthesis import rgb_places, synthesise


class FoldedGfpgan(nn.Module):
    """GFPGAN, frozen.

    Args:
        network: to be folded; it is not changed.
        sft_strength: how strongly the U-Net's features change the generator's: 1 as trained, 0 not at all. With s,
            features x become x (1 + s (scale - 1)) + s shift.
        early_channels: from so many on, bilinear doubling comes after the convolution; the same result.
    """

    def __init__(self, network: Gfpgan, *, sft_strength: float = 1.0, early_channels: int = EARLY_CHANNELS) -> None:
        super().__init__()
        decoder = network.stylegan_decoder
        convolutions: list[StyleConv] = [decoder.style_conv1, *decoder.style_convs]
        to_rgbs: list[ToRGB] = [decoder.to_rgb1, *decoder.to_rgbs]
        self.first = folded_activated(network.conv_body_first)
        self.downs = nn.ModuleList(FoldedDown(block) for block in network.conv_body_down)
        self.last = folded_activated(network.final_conv)
        self.ups = nn.ModuleList(
            FoldedUp(block, 4 << index, early_channels) for index, block in enumerate(network.conv_body_up)
        )
        s = sft_strength
        self.scales = nn.ModuleList(folded_condition(branch, s, 1.0 - s) for branch in network.condition_scale)
        self.shifts = nn.ModuleList(folded_condition(branch, s, 0.0) for branch in network.condition_shift)
        self.codes = _codes(network, convolutions, to_rgbs)
        self.constant = constant(decoder.constant_input.weight)
        self.convolutions = nn.ModuleList(_styled(decoder, convolutions, early_channels))
        self.to_rgbs = nn.ModuleList(
            FoldedToRGB(layer.modulated_conv, layer.bias, _double(layer) if index else None)
            for index, layer in enumerate(to_rgbs)
        )
        self.sft_half = decoder.sft_half

    def forward(self, x: Tensor) -> Tensor:
        """Restore (N, 3, S, S), any float type, to (N, 3, S, S) float32; arithmetic in the weights' type."""
        features: Tensor = self.first(x.to(self.constant.dtype))
        skips: list[Tensor] = []
        for down in self.downs:
            features = down(features)
            skips.append(features)
        features = self.last(features)
        styles: Sequence[Tensor] = self.codes(features.flatten(1).float())
        conditions: list[tuple[Tensor, Tensor]] = []
        for skip, up, to_scale, to_shift in zip(reversed(skips), self.ups, self.scales, self.shifts, strict=True):
            features = up(features + skip)
            conditions.append((to_scale(features), to_shift(features)))

        def transformed(level: int, inner: Tensor) -> Tensor:
            scale, shift = conditions[level]
            if not self.sft_half:
                return inner * scale + shift
            same, changed = inner.chunk(2, 1)
            return cat((same, changed * scale + shift), 1)

        count = len(self.convolutions)
        return synthesise(
            self.constant,
            list(self.convolutions),
            list(self.to_rgbs),
            styles[:count],
            styles[count:],
            [None] * count,
            transformed,
        )


def _styled(decoder: Decoder, layers: Iterable[StyleConv], early: int) -> Iterable[FoldedStyledConv]:
    layers = list(layers)
    stored = [None] * len(layers) if decoder.noises is None else decoder.noises.all()
    for index, (layer, noise) in enumerate(zip(layers, stored, strict=True)):
        # The clean layout has the activation's gain in its biases and noise weights.
        gain = 1.0 if layer.activate is None else GAIN
        bias = layer.bias if layer.activate is None else layer.activate.bias
        assert bias is not None
        weighted = None if noise is None else noise * (layer.weight.detach() * gain)
        # Odd layers double: the first of them from 4 pixels.
        side = 4 << index // 2
        yield FoldedStyledConv(layer.modulated_conv, bias.detach().flatten() * gain, weighted, side=side, early=early)


def _double(layer: ToRGB) -> nn.Module:
    return BilinearDouble() if layer.filter is None else ExactFirDouble(layer.filter.kernel)


def _codes(network: Gfpgan, convolutions: Sequence[StyleConv], to_rgbs: Sequence[ToRGB]) -> nn.Sequential:
    """The way from the U-Net's smallest features to the styles, (N, D) to a list of (N, I), in float32.

    Where latents are used as they come and every layer has its own, two linear maps follow each other: their product is
    smaller than both, and one matrix multiplication takes the place of one for each layer.
    """
    weights, biases = modulations(
        [layer.modulated_conv for layer in convolutions] + [layer.modulated_conv for layer in to_rgbs]
    )
    if not network.different_w:
        mapping = [] if network.input_is_latent else [PixelNorm(), *mapping_layers(network.stylegan_decoder.style_mlp)]
        return nn.Sequential(exact_linear(network.final_linear), *mapping, Together(weights, biases))
    places = [*range(len(convolutions)), *rgb_places(network.latents)]
    if not network.input_is_latent:
        return nn.Sequential(
            exact_linear(network.final_linear),
            nn.Unflatten(1, (network.latents, network.num_style_feat)),
            PixelNorm(),
            *mapping_layers(network.stylegan_decoder.style_mlp),
            PerLatent([ExactLinear(*pair) for pair in zip(weights, biases, strict=True)], places),
        )
    weight, bias = linear_constants(network.final_linear)
    heads, offsets = weight.chunk(network.latents), bias.chunk(network.latents)
    together = [
        ((w.double() @ heads[place].double()).float(), (w.double() @ offsets[place].double() + b).float())
        for w, b, place in zip(weights, biases, places, strict=True)
    ]
    return nn.Sequential(Together([w for w, _ in together], [b for _, b in together]))
