"""Transposed convolutions written as convolutions compute the same."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch.nn import functional

from operators.engines.errors import EngineError
from operators.engines.export import to_onnx
from operators.engines.tensorrt.deconvolution import without_deconvolutions


def run(data, faces):
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: faces})[0]


def transposed(weight, bias=None, **attributes):
    """A model of one transposed convolution."""
    constants = [numpy_helper.from_array(weight, "weight")]
    if bias is not None:
        constants.append(numpy_helper.from_array(bias, "bias"))
    node = helper.make_node("ConvTranspose", ["x", *(one.name for one in constants)], ["y"], **attributes)
    entering = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", weight.shape[0], "h", "w"])
    leaving = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph([node], "one", [entering], [leaving], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10).SerializeToString()


SHAPES = [
    (side, stride, group, padding, beyond)
    for side in (1, 2, 3, 4, 5, 6)
    for stride in (1, 2, 3)
    for group, padding, beyond in ((1, 0, 0), (2, 0, 0), (4, 1, 0), (1, 1, 1))
    if side > 2 * padding and beyond < stride
]


@pytest.mark.parametrize(("side", "stride", "group", "padding", "beyond"), SHAPES)
def test_every_shape_of_transposed_convolution(side, stride, group, padding, beyond):
    draw = np.random.default_rng(side * 10 + stride)
    weight = draw.normal(size=(4, 8 // group, side, side)).astype(np.float32)
    bias = draw.normal(size=8).astype(np.float32)
    faces = draw.normal(size=(2, 4, 5, 7)).astype(np.float32)
    attributes = {"strides": [stride] * 2, "group": group, "pads": [padding] * 4, "output_padding": [beyond] * 2}
    data = transposed(weight, bias, **attributes)
    expected = functional.conv_transpose2d(
        *(torch.from_numpy(values) for values in (faces, weight, bias)), stride, padding, beyond, group
    ).numpy()
    taps = -(-side // stride)
    if stride * taps - side + padding < beyond:
        with pytest.raises(EngineError, match="output_padding"):
            without_deconvolutions(data, TensorProto.FLOAT)
        return
    rewritten = without_deconvolutions(data, TensorProto.FLOAT)
    assert {node.op_type for node in onnx.load_from_string(rewritten).graph.node} == {"Conv", "DepthToSpace", "Slice"}
    np.testing.assert_allclose(run(rewritten, faces), expected, atol=1e-5)


def test_other_types_stay_as_they_are():
    data = transposed(np.ones((2, 2, 3, 3), np.float32), strides=[2, 2])
    assert without_deconvolutions(data) == data


@pytest.mark.parametrize("attributes", [{"dilations": [2, 2]}, {"strides": [1, 2]}, {"auto_pad": "SAME_UPPER"}])
def test_what_it_does_not_know_is_refused(attributes):
    with pytest.raises(EngineError, match="cannot be written"):
        without_deconvolutions(transposed(np.ones((2, 2, 3, 3), np.float32), **attributes), TensorProto.FLOAT)


def test_a_generator_keeps_its_pictures(tiny_generator, faces32):
    network = tiny_generator("gpen")
    data = to_onnx(network, "fp32")
    rewritten = without_deconvolutions(data, TensorProto.FLOAT)
    model = onnx.load_from_string(rewritten)
    onnx.checker.check_model(model, full_check=True)
    assert not any(node.op_type == "ConvTranspose" for node in model.graph.node)
    with torch.no_grad():
        expected = network.module(faces32).numpy()
    assert np.abs(run(rewritten, faces32.numpy()) - expected).max() < 1e-5 * np.ptp(expected)
