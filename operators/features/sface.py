"""SFace as a torch module, from the ONNX file that comes with the package: differentiable, unlike the file itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional

from operators.models import locate

SIDE = 112
"""Pixels a side of the square for which it gives a vector."""
_CENTRE, _SCALE = 127.5, 0.0078125


class Step(nn.Module):
    """Convolution, batch normalisation with its stored statistics, PReLU.

    Args:
        weight: (O, I / groups, k, k).
        norm: gamma, beta, mean and variance, (O,) each.
        slope: (O,).
        stride: of the convolution.
        groups: of the convolution.
        epsilon: of the normalisation.
    """

    def __init__(
        self, weight: Tensor, norm: tuple[Tensor, ...], slope: Tensor, stride: int, groups: int, epsilon: float
    ) -> None:
        super().__init__()
        gamma, beta, mean, variance = norm
        factor = gamma / torch.sqrt(variance + epsilon)
        self.register_buffer("weight", weight * factor[:, None, None, None])
        self.register_buffer("bias", beta - mean * factor)
        self.register_buffer("slope", slope)
        self.stride, self.groups = stride, groups

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, I, H, W)."""
        weight, bias, slope = (self.get_buffer(name) for name in ("weight", "bias", "slope"))
        y = functional.conv2d(x, weight, bias, self.stride, weight.shape[-1] // 2, groups=self.groups)
        return functional.prelu(y, slope)


class SFace(nn.Module):
    """SFace: 27 convolutions in a row and a linear layer.

    Y. Zhong, W. Deng et al., "SFace: Sigmoid-constrained Hypersphere Loss for Robust Face Recognition", IEEE
    Transactions on Image Processing 30 (2021); OpenCV Zoo's 2021dec weights, whose 8-bit blocks are turned to float
    when it is made. All that is known of the file is read from its graph; a graph of another shape is refused.

    Args:
        model: the ONNX file, parsed; the one that comes with the package if None.

    Raises:
        operators.models.ModelFileError: the model file is missing or not the expected one.
        ValueError: the graph is no chain of convolution, normalisation and PReLU.
    """

    def __init__(self, model: onnx.ModelProto | None = None) -> None:
        super().__init__()
        graph = (model or onnx.load_model(str(locate("sface")))).graph
        constants = _constants(graph)
        self.steps = nn.ModuleDict()
        chain = [node for node in graph.node if node.op_type in ("Conv", "BatchNormalization", "PRelu", "Gemm")]
        while [node.op_type for node in chain[:3]] == ["Conv", "BatchNormalization", "PRelu"]:
            self.steps[chain[0].output[0].removesuffix("_conv2d")] = _step(chain[:3], constants)
            chain = chain[3:]
        if [node.op_type for node in chain] != ["BatchNormalization", "Gemm", "BatchNormalization"]:
            raise ValueError(f"SFace's graph goes on with {[node.op_type for node in chain]} after its convolutions")
        before, linear, after = chain
        for name, node in (("before", before), ("after", after)):
            gamma, beta, mean, variance = _norm(node, constants)
            factor = gamma / torch.sqrt(variance + _attributes(node)["epsilon"])
            self.register_buffer(f"{name}_factor", factor)
            self.register_buffer(f"{name}_shift", beta - mean * factor)
        self.register_buffer("weight", constants[linear.input[1]])
        self.register_buffer("bias", constants[linear.input[2]])

    def maps(self, pictures: Tensor, names: tuple[str, ...]) -> dict[str, Tensor]:
        """Feature maps after some of the steps.

        Args:
            pictures: (N, 3, H, W) RGB in [-1, 1], any size from 32 on.
            names: of steps, such as `conv_4`.

        Returns:
            By name; nothing after the last of them is computed.
        """
        x, found = pictures * (_CENTRE * _SCALE), {}
        for name, step in self.steps.items():
            x = step(x)
            if name in names:
                found[name] = x
                if len(found) == len(names):
                    break
        return found

    def forward(self, faces: Tensor) -> Tensor:
        """Vectors that stand for faces.

        Args:
            faces: (N, 3, 112, 112) RGB in [-1, 1], aligned to SFace's template.

        Returns:
            (N, 128), not normalised; the cosine of the angle between two tells whether they are one person.
        """
        last = list(self.steps)[-1]
        x = self.maps(faces, (last,))[last]
        x = x * self.get_buffer("before_factor").view(1, -1, 1, 1) + self.get_buffer("before_shift").view(1, -1, 1, 1)
        x = functional.linear(x.flatten(1), self.get_buffer("weight"), self.get_buffer("bias"))
        return x * self.get_buffer("after_factor") + self.get_buffer("after_shift")


class SFaceMaps(nn.Module):
    """The trunk of a `FeatureNetwork`.

    Args:
        sface: the network.
        names: of the steps whose maps are wanted.
    """

    def __init__(self, sface: SFace, names: tuple[str, ...]) -> None:
        super().__init__()
        self.sface = sface
        self.names = names

    def forward(self, pictures: Tensor) -> Mapping[str, Tensor]:
        """Map (N, 3, H, W) in [-1, 1]."""
        return self.sface.maps(pictures, self.names)


def _constants(graph: onnx.GraphProto) -> dict[str, Tensor]:
    """Every float constant, with 8-bit blocks turned to float and brought into shape."""
    stored = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    for node in graph.node:
        if node.op_type == "DequantizeLinear":
            given = _attributes(node)
            quantised, scales, zeros = (stored[name] for name in node.input)
            stored[node.output[0]] = _dequantised(quantised, scales, zeros, given["axis"], given["block_size"])
        elif node.op_type == "Reshape" and node.input[0] in stored:
            stored[node.output[0]] = stored[node.input[0]].reshape(stored[node.input[1]])
    return {name: torch.from_numpy(np.array(one)) for name, one in stored.items() if one.dtype == np.float32}


def _dequantised(
    quantised: NDArray[Any], scales: NDArray[np.float32], zeros: NDArray[Any], axis: int, block: int
) -> NDArray[np.float32]:
    """(q - zero) * scale with one scale for each block along an axis (ONNX, DequantizeLinear 21)."""
    length = quantised.shape[axis]
    scale = np.repeat(scales, block, axis).take(range(length), axis)
    zero = np.repeat(zeros, block, axis).take(range(length), axis)
    return np.asarray((quantised.astype(np.float32) - zero.astype(np.float32)) * scale, np.float32)


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}


def _norm(node: onnx.NodeProto, constants: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
    return tuple(constants[name] for name in node.input[1:5])


def _step(nodes: list[onnx.NodeProto], constants: Mapping[str, Tensor]) -> Step:
    convolution, norm, bent = nodes
    given = _attributes(convolution)
    return Step(
        constants[convolution.input[1]],
        _norm(norm, constants),
        constants[bent.input[1]].flatten(),
        given["strides"][0],
        given["group"],
        _attributes(norm)["epsilon"],
    )
