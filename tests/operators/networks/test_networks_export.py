"""The inference form can be captured as a graph for any batch."""

from __future__ import annotations

import pytest
import torch

from operators import networks

pytestmark = pytest.mark.usefixtures("one_torch_thread")


@pytest.mark.parametrize(
    "name",
    ["clean", "clean, mapped", "v1", "gpen", "gpen, larger output", "gpen, other filter", "parsenet", "pggan, fused"],
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
