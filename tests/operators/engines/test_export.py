"""The ONNX form of both generators."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from operators.engines.errors import EngineError
from operators.engines.export import INPUT, OUTPUT, to_onnx
from operators.engines.graphs import with_graph

from .tiny import GENERATORS, network_of, pictures, tiny_network

PRECISIONS = ("fp32", "bf16", "fp16")
TYPES = {"fp32": onnx.TensorProto.FLOAT, "bf16": onnx.TensorProto.BFLOAT16, "fp16": onnx.TensorProto.FLOAT16}


@pytest.fixture(scope="module")
def exported(engine_store):
    """Each generator in each precision, once; in fp32 as the CPU engines keep it."""
    made = {}

    def export(architecture, precision):
        key = architecture, precision
        if key not in made:
            network = tiny_network(architecture)
            fp32 = precision == "fp32"
            made[key] = with_graph(network, engine_store, bytes).loaded if fp32 else to_onnx(network, precision)
        return made[key]

    return export


@pytest.mark.parametrize("architecture", GENERATORS)
def test_onnx_runtime_agrees_with_eager_at_every_batch(architecture, exported):
    network = tiny_network(architecture)
    session = onnxruntime.InferenceSession(exported(architecture, "fp32"), providers=["CPUExecutionProvider"])
    for count in (1, 2, 3, 5):
        batch = pictures(count, seed=count)
        expected = network.module(batch).numpy()
        found = session.run([OUTPUT], {INPUT: batch.numpy()})[0]
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() <= 1e-5 * np.ptp(expected)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("architecture", GENERATORS)
def test_every_convolution_has_a_constant_weight_of_the_precision(architecture, precision, exported):
    graph = onnx.load_from_string(exported(architecture, precision)).graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    convolutions = [node for node in graph.node if node.op_type in ("Conv", "ConvTranspose")]
    assert len(convolutions) > 20
    for node in convolutions:
        weight = constants[node.input[1]]
        group = next((attribute.i for attribute in node.attribute if attribute.name == "group"), 1)
        picture = group == 3  # the sum of all resolutions, which is fp32 in every precision
        assert weight.data_type == TYPES["fp32" if picture else precision]
        # Dense, or one filter for each channel; never one for each image of the batch.
        assert group == 1 or (group == weight.dims[0] and weight.dims[1] == 1)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("architecture", GENERATORS)
def test_floats_outside_and_a_batch_that_is_free(architecture, precision, exported):
    graph = onnx.load_from_string(exported(architecture, precision)).graph
    for value in (*graph.input, *graph.output):
        assert value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
        dims = value.type.tensor_type.shape.dim
        assert (dims[0].dim_param, [dim.dim_value for dim in dims[1:]]) == ("batch", [3, 32, 32])
    assert [value.name for value in (*graph.input, *graph.output)] == [INPUT, OUTPUT]


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_demodulation_stays_in_fp32_and_convolutions_do_not(precision, exported):
    inferred = onnx.shape_inference.infer_shapes(
        onnx.load_from_string(exported("gfpgan_clean", precision)), strict_mode=True, data_prop=True
    )
    types = {value.name: value.type.tensor_type.elem_type for value in inferred.graph.value_info}
    of = {
        kind: {types.get(node.output[0]) for node in inferred.graph.node if node.op_type == kind}
        for kind in ("Conv", "Sqrt")
    }
    assert of["Conv"] == {TYPES[precision]}
    assert of["Sqrt"] == {onnx.TensorProto.FLOAT}


@pytest.mark.parametrize("architecture", GENERATORS)
def test_nothing_of_this_machine_is_inside(architecture, exported):
    data = exported(architecture, "fp32")
    model = onnx.load_from_string(data)
    for trace in (".py", "stack", "torch.nn", "aten", "tiny", str(Path.cwd()), str(Path.home())):
        assert trace.encode() not in data
    assert not model.metadata_props
    assert not any(node.doc_string or node.metadata_props for node in model.graph.node)


ELSEWHERE = """
import hashlib
from tests_of_engines.tiny import tiny_network
from operators.engines.export import to_onnx
print(hashlib.sha256(to_onnx(tiny_network("gfpgan_clean"), "fp32")).hexdigest())
"""


def test_another_process_gives_the_same_bytes(exported, tmp_path):
    exported("gpen", "fp16")  # here it is not the first export, there it is
    first = exported("gfpgan_clean", "fp32")
    (tmp_path / "tests_of_engines").symlink_to(Path(__file__).parent)
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[3])])
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "7"},
        cwd=tmp_path,
    )
    assert done.stdout.strip() == hashlib.sha256(first).hexdigest()


def test_again_it_gives_the_same_bytes_says_nothing_and_leaves_the_module_alone(exported, capfd, recwarn):
    network = tiny_network("gpen")
    before = {name: value.clone() for name, value in network.module.state_dict().items()}
    assert to_onnx(network, "fp16") == exported("gpen", "fp16")
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list
    for name, value in network.module.state_dict().items():
        assert value.dtype == before[name].dtype
        assert torch.equal(value, before[name])


class Modulated(nn.Module):
    """The published form: a weight for each image."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3, 3, 3, 3))

    def forward(self, faces):
        weights = self.weight * faces.mean((2, 3))[:, None, :, None, None]
        joined = faces.reshape(1, -1, 32, 32)
        return nn.functional.conv2d(joined, weights.flatten(0, 1), padding=1, groups=len(faces)).view(-1, 3, 32, 32)


class Computed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3, 3, 3, 3))

    def forward(self, faces):
        return nn.functional.conv2d(faces, self.weight * faces.mean(), padding=1)


class Fixed(nn.Module):
    def forward(self, faces):
        return torch.cat([faces[:1] * 2, faces[1:2]])


@pytest.mark.parametrize(("module", "message"), [(Modulated(), "."), (Computed(), "computed"), (Fixed(), "shapes")])
def test_a_network_that_engines_cannot_take_is_refused(module, message):
    with pytest.raises(EngineError, match=f"ONNX export.*{message}"):
        to_onnx(network_of(module), "fp32")
