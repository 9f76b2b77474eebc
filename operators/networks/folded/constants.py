"""Weights of trained layers as they are applied: learning-rate factors and the activation's gain multiplied in."""

from __future__ import annotations

from torch import Tensor, nn

from operators.networks.folded.convolution import FrozenConv2d
from operators.networks.folded.exact import ExactLinear
from operators.networks.layers.convolution import ConvLayer
from operators.networks.layers.equalised import GAIN, EqualConv2d, EqualLinear, FusedLeakyReLU
from operators.networks.layers.modulation import ModulatedConv2d


def linear_constants(layer: nn.Module) -> tuple[Tensor, Tensor]:
    """Weight (O, I) and bias (O,) of a linear or an equalised linear layer.

    Raises:
        TypeError: the layer is another.
    """
    if isinstance(layer, nn.Linear):
        return layer.weight.detach(), layer.bias.detach()
    if not isinstance(layer, EqualLinear):
        raise TypeError(f"not a linear layer: {type(layer).__name__}")
    gain = GAIN if layer.activate else 1.0
    return layer.weight.detach() * (layer.scale * gain), layer.bias.detach() * (layer.rate * gain)


def exact_linear(layer: nn.Module, *, activate: bool = False) -> ExactLinear:
    """A linear layer in float32.

    Args:
        layer: linear or equalised linear.
        activate: a leaky ReLU follows that the layer itself does not have.
    """
    own = isinstance(layer, EqualLinear) and layer.activate
    return ExactLinear(*linear_constants(layer), activate=activate or own)


def mapping_layers(layers: nn.Sequential) -> list[ExactLinear]:
    """The linear layers of a mapping network, with their activations; the normalisation before them is left out."""
    return [exact_linear(layer, activate=True) for layer in layers if isinstance(layer, nn.Linear | EqualLinear)]


def modulations(convolutions: list[ModulatedConv2d]) -> tuple[list[Tensor], list[Tensor]]:
    """Weights (I, D) and biases (I,) that make the styles."""
    found = [linear_constants(conv.modulation) for conv in convolutions]
    return [weight for weight, _ in found], [bias for _, bias in found]


def conv_weight(layer: nn.Module, gain: float = 1.0) -> Tensor:
    """Weight of a convolution or an equalised convolution, times `gain`.

    Raises:
        TypeError: the layer is another.
    """
    if isinstance(layer, nn.Conv2d):
        return layer.weight.detach() * gain
    if not isinstance(layer, EqualConv2d):
        raise TypeError(f"not a convolution: {type(layer).__name__}")
    return layer.weight.detach() * (layer.scale * gain)


def conv_bias(layer: nn.Module) -> Tensor:
    """Bias of a convolution or an equalised convolution that has one.

    Raises:
        TypeError: the layer is another, or has none.
    """
    if not isinstance(layer, nn.Conv2d | EqualConv2d) or layer.bias is None:
        raise TypeError(f"no convolution with a bias: {type(layer).__name__}")
    return layer.bias.detach()


def frozen_layer(layer: ConvLayer, gain: float = GAIN) -> FrozenConv2d:
    """Convolution, bias and activation of an encoder's layer; what halves the resolution before is left out.

    Args:
        layer: an activated one.
        gain: of the activation, which another may be divided out of.
    """
    conv, activation = layer[-2], layer[-1]
    assert isinstance(conv, EqualConv2d)
    assert isinstance(activation, FusedLeakyReLU)
    bias = activation.bias.detach() * gain
    return FrozenConv2d(conv_weight(conv, gain), bias, stride=conv.stride, padding=conv.padding, activate=True)
