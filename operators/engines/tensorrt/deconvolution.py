"""Transposed convolutions as convolutions, for types in which TensorRT has no transposed ones.

Neither TensorRT 10 and 11 nor TensorRT-RTX 1.7 builds a bf16 transposed convolution ("Could not infer output types";
NVIDIA/TensorRT issue 4829). With stride s, each of the s x s phases of its output is an ordinary convolution of the
input with every s-th tap of the kernel (polyphase decomposition). All phases are channels of one convolution here, and
DepthToSpace interleaves them. The sums are the same ones; where the stride does not divide the kernel's side, some taps
are zeros: 16 for 9 at a kernel of 3 and a stride of 2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from operators.engines.errors import EngineError

REWRITING = "operators.engines.tensorrt.deconvolution/1"
"""Part of an artefact's key: changes whenever the same graph would be rewritten to another one."""

_TO_END = np.iinfo(np.int64).max


def without_deconvolutions(data: bytes, element_type: int = onnx.TensorProto.BFLOAT16) -> bytes:
    """Rewrite every transposed convolution of one type.

    Args:
        data: serialised ONNX model, its weights inside and constant.
        element_type: of the weights of those that are rewritten, from `onnx.TensorProto`.

    Returns:
        A serialised model that computes the same; the same bytes where there is nothing to rewrite.

    Raises:
        EngineError: one is written in a way that this does not know.
    """
    model = onnx.load_from_string(data)
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes: list[Any] = []
    found = 0
    for node in model.graph.node:
        if node.op_type == "ConvTranspose" and weights[node.input[1]].data_type == element_type:
            nodes += _rewritten(node, weights, model.graph.initializer)
            found += 1
        else:
            nodes.append(node)
    if not found:
        return data
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    kept = [tensor for tensor in model.graph.initializer if tensor.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    rewritten: bytes = model.SerializeToString(deterministic=True)
    return rewritten


def _rewritten(node: Any, weights: dict[str, Any], initializers: Any) -> list[Any]:
    """Convolution, DepthToSpace and crop in place of one node; new constants are added to `initializers`."""
    given = {item.name: helper.get_attribute_value(item) for item in node.attribute}
    kernel = weights[node.input[1]].dims[2:]
    stride, side = given.get("strides", [1, 1])[0], kernel[0]
    pads, beyond = given.get("pads", [0] * 4), given.get("output_padding", [0, 0])
    unknown = set(given) - {"strides", "pads", "group", "kernel_shape", "dilations", "output_padding", "auto_pad"}
    square = all(len(set(values)) == 1 for values in (given.get("strides", [1, 1]), kernel, beyond))
    plain = set(given.get("dilations", [1])) == {1} and given.get("auto_pad", b"NOTSET") == b"NOTSET"
    taps = -(-side // stride)
    surplus = stride * taps - side
    if unknown or not (square and plain) or any(surplus + pad < beyond[0] for pad in pads[2:]):
        raise EngineError(f"{node.name or node.op_type} cannot be written as a convolution: {given}")
    group, base = given.get("group", 1), node.output[0]
    weight = _phases(_bits(weights[node.input[1]]), group, stride, taps)
    inputs = [node.input[0], _added(initializers, f"{base}_phases", weight, weights[node.input[1]])]
    if len(node.input) > 2:
        bias = np.repeat(_bits(weights[node.input[2]]), stride**2)
        inputs.append(_added(initializers, f"{base}_bias", bias, weights[node.input[2]]))
    crop = {
        "starts": [pads[0], pads[1]],
        "ends": [-(surplus + pad - beyond[0]) or _TO_END for pad in pads[2:]],
        "axes": [2, 3],
    }
    for name, values in crop.items():
        initializers.append(numpy_helper.from_array(np.array(values, np.int64), f"{base}_{name}"))
    return [
        helper.make_node(
            "Conv", inputs, [f"{base}_channels"], pads=[taps - 1] * 4, kernel_shape=[taps, taps], group=group
        ),
        helper.make_node("DepthToSpace", [f"{base}_channels"], [f"{base}_whole"], blocksize=stride, mode="CRD"),
        helper.make_node("Slice", [f"{base}_whole", *(f"{base}_{name}" for name in crop)], [base]),
    ]


def _phases(weight: np.ndarray[Any, Any], group: int, stride: int, taps: int) -> np.ndarray[Any, Any]:
    """The weight of the convolution that gives all phases.

    Args:
        weight: (I, O / group, k, k), of the transposed convolution; any type whose zero is zero bits.
        group: of channels.
        stride: of the transposed convolution.
        taps: k over stride, rounded up.

    Returns:
        (O * stride^2, I / group, taps, taps); the phases of an output channel follow each other, row by row.
    """
    inputs, outputs, side, _ = weight.shape
    full = np.zeros((inputs, outputs, stride * taps, stride * taps), weight.dtype)
    full[:, :, :side, :side] = weight
    # Tap t of phase a is the kernel's element s * t + a; a convolution reads them in reverse.
    split = full.reshape(group, inputs // group, outputs, taps, stride, taps, stride)[:, :, :, ::-1, :, ::-1, :]
    phases = split.transpose(0, 2, 4, 6, 1, 3, 5)
    return np.ascontiguousarray(phases.reshape(group * outputs * stride**2, inputs // group, taps, taps))


def _bits(tensor: Any) -> np.ndarray[Any, Any]:
    """A constant's values as unsigned integers of their size: numpy has no bf16, and nothing is computed with them."""
    count = int(np.prod(tensor.dims))
    if not tensor.raw_data or len(tensor.raw_data) not in (2 * count, 4 * count):
        raise EngineError(f"constant {tensor.name} is not stored as 2 or 4 raw bytes a value")
    kind = np.uint16 if len(tensor.raw_data) == 2 * count else np.uint32
    return np.frombuffer(tensor.raw_data, kind).reshape(tuple(tensor.dims))


def _added(initializers: Any, name: str, values: np.ndarray[Any, Any], like: Any) -> str:
    """Add a constant of the type of another; returns its name."""
    tensor = onnx.TensorProto(name=name, data_type=like.data_type, dims=values.shape, raw_data=values.tobytes())
    initializers.append(tensor)
    return name
