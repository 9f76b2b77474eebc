"""The inference form can be captured as a graph for any batch."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch

from operators import networks
from operators.engines.contract import Network
from operators.engines.export import to_onnx

pytestmark = pytest.mark.usefixtures("one_torch_thread")


@pytest.mark.parametrize(
    "name",
    [
        *("clean", "clean, mapped", "v1", "gpen", "gpen, larger output", "gpen, other filter", "parsenet"),
        *("pggan, fused", "stylegan2", "stylegan2, noise beside", "mobilestylegan"),
        *("rrdb, folded", "srresnet", "msrresnet, thrice", "pix2pix", "pix2pix, instance", "cyclegan", "transform"),
    ],
)
def test_graph_for_any_batch(name, tiny_network, network_input):
    trained = tiny_network(name)
    early = {"early_channels": 0} if trained.state_dict().get("conv_body_first.weight") is not None else {}
    module = networks.inference_form(trained, **early)
    batch = torch.export.Dim("batch", min=1, max=16)
    exported = torch.export.export(module, (network_input(trained, 2),), dynamic_shapes=({0: batch},))
    graph = exported.module()
    for count in (1, 3, 5):
        x = network_input(trained, count)
        found = graph(x)
        assert (found - module(x)).abs().max() < 1e-5 * found.std()
    names = {parameter for parameter, _ in module.named_parameters()} | {buffer for buffer, _ in module.named_buffers()}
    weights = dict(exported.graph_signature.inputs_to_parameters) | dict(exported.graph_signature.inputs_to_buffers)
    for node in exported.graph.nodes:
        if node.op == "call_function" and "conv" in str(node.target):
            # The weight is a constant, or one that only its shape was changed of; and groups are a plain number.
            source = node.args[1]
            while source.op != "placeholder":
                source = source.args[0]
            assert weights[source.name] in names
            assert all(not isinstance(arg, torch.SymInt) for arg in node.args[2:])


def test_graph_keeps_float32_islands_in_half_precision(tiny_network, network_input):
    trained = tiny_network("gpen")
    module = networks.inference_form(trained).half()
    x = network_input(trained)
    exported = torch.export.export(module, (x,)).module()
    assert torch.equal(exported(x), module(x))
    assert exported(x).dtype == torch.float32


@pytest.mark.parametrize("name", ["stylegan2", "mobilestylegan"])
def test_onnx_draws_the_same_from_codes(name, tiny_network, network_input):
    trained = tiny_network(name)
    module = networks.inference_form(trained)
    found = module.recognised
    arguments = dict(found.arguments)
    shapes = (found.input_shape, found.output_shape)
    network = Network(module, found.architecture, arguments, networks.FORMULATION, "0" * 64, *shapes)
    session = onnxruntime.InferenceSession(to_onnx(network, "fp32"), providers=["CPUExecutionProvider"])
    for count in (1, 3):
        z = network_input(trained, count)
        expected = module(z).numpy()
        (made,) = session.run(None, {session.get_inputs()[0].name: z.numpy()})
        assert np.abs(made - expected).max() < 1e-4 * expected.std()
