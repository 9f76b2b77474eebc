"""From the representation in which MobileStyleGAN is published to the state dict of `MobileStyleGan`.

The representation keeps the author's parameter names for all that a name was left to. What was computed from constants
when it was exported stands in it as a constant: the weights have the demodulation's factors in them, the noise has its
strength, and one noise map for each convolution was drawn. Every number of the two files is accounted for: it is a
parameter, or a constant of the architecture that is compared.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from operators.networks.layers.equalised import GAIN, SLOPE
from operators.networks.mobilestylegan.ir import Graph, IrError, Layer

Tensors = dict[str, NDArray[np.float32]]

_PREFIX = "m."
_HAAR = math.sqrt(0.5)
_PIXEL_NORM = (1.0, 2.0, 1e-8, 0.5, -1.0)
"""x * (1 / (mean(x^2) + 1e-8)^0.5)^1, as the representation writes it."""


def state_dict_of(mapping: Graph, synthesis: Graph) -> Tensors:
    """The tensors of `MobileStyleGan`, by name.

    Args:
        mapping: of the mapping network.
        synthesis: of the synthesis network.

    Raises:
        IrError: the graphs are of other networks.
    """
    return {**_mapping(mapping), **_synthesis(synthesis)}


def _mapping(graph: Graph) -> Tensors:
    found: Tensors = {}
    used: set[str] = set()
    for index, product in enumerate(graph.of_kind("MatMul")):
        weight = graph.inputs(product)[1]
        reshaped = graph.inputs(graph.user(product, "Add"))[1]
        bias = graph.inputs(reshaped)[0]
        found[f"mapping.layers.{index}.weight"] = _floats(graph, weight)
        found[f"mapping.layers.{index}.bias"] = _floats(graph, bias)
        used |= {weight.number, bias.number}
    _check_rest(graph, used, (*_PIXEL_NORM, SLOPE, GAIN))
    return found


def _synthesis(graph: Graph) -> Tensors:
    found: Tensors = {}
    used: set[str] = set()
    for layer in graph.of_kind("Const"):
        if not layer.name.startswith(_PREFIX):
            continue
        path = layer.name.removeprefix(_PREFIX)
        found[f"synthesis.{path}"] = _as_stored(path, _floats(graph, layer))
        used.add(layer.number)
        if path.endswith("conv.modulation.bias"):
            used.add(_checked_scale(graph, layer, path))
        elif path.endswith((".conv1.bias", ".conv2.bias")) or path == "conv1.bias":
            noise = _noise(graph, layer)
            found[f"synthesis.{path.removesuffix('bias')}noise"] = _floats(graph, noise)
            used.add(noise.number)
    _check_rest(graph, used, (SLOPE, _HAAR, -_HAAR))
    return found


def _as_stored(path: str, value: NDArray[np.float32]) -> NDArray[np.float32]:
    """A constant in the shape in which the author's parameters have it."""
    if path.endswith("weight_dw"):
        return value[:, 0]
    return value[0] if path.endswith("modulation.bias") else value


def _checked_scale(graph: Graph, bias: Layer, path: str) -> str:
    """The number of the constant that a style is multiplied with, after comparing it with the architecture's.

    Raises:
        IrError: it is another.
    """
    product = graph.user(graph.user(graph.user(bias, "Add"), "Reshape"), "Multiply")
    scale = next((layer for layer in graph.inputs(product) if layer.kind == "Const"), None)
    if scale is None:
        raise IrError(f"{graph.place}: the style of {path} is multiplied with no constant")
    channels = int(graph.constant(bias).size)
    kernel = 1 if "to_img" in path else 9
    value, expected = _floats(graph, scale), 1.0 / math.sqrt(channels * kernel)
    if value.size != 1 or not np.isclose(value.item(), expected, rtol=1e-6):
        raise IrError(f"{graph.place}: the style of {path} is multiplied with {value.flatten()[:3]}, not {expected}")
    return scale.number


def _noise(graph: Graph, bias: Layer) -> Layer:
    """The noise map that is added before a bias.

    Raises:
        IrError: there is none.
    """
    before = next((layer for layer in graph.inputs(graph.user(bias, "Add")) if layer.kind == "Add"), None)
    constants = [] if before is None else [layer for layer in graph.inputs(before) if layer.kind == "Const"]
    if len(constants) != 1:
        raise IrError(f"{graph.place}: no noise is added before {bias.name}")
    return constants[0]


def _floats(graph: Graph, layer: Layer) -> NDArray[np.float32]:
    value = graph.constant(layer)
    if value.dtype != np.float32:
        raise IrError(f"{graph.place}: {layer.name} holds {value.dtype}, expected float32")
    return value.astype(np.float32)


def _check_rest(graph: Graph, used: Iterable[str], known: tuple[float, ...]) -> None:
    """Refuse numbers that are neither parameters nor constants of the architecture.

    Raises:
        IrError: there are some.
    """
    taken = set(used)
    for layer in graph.of_kind("Const"):
        if layer.number in taken or layer.data.get("element_type") != "f32":
            continue
        value = graph.constant(layer).astype(np.float64)
        if not np.isclose(value[..., None], known, rtol=1e-6, atol=0.0).any(-1).all():
            raise IrError(f"{graph.place}: {layer.name} holds {value.flatten()[:4]}, which is no part of the network")
