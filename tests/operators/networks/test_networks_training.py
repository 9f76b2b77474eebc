"""The trainable modules learn, and layouts of one network agree."""

from __future__ import annotations

import math
import re

import pytest
import torch

from operators import networks
from operators.networks.layers.modulation import ModulatedConv2d

pytestmark = pytest.mark.usefixtures("one_torch_thread")


def gradients(module, x):
    module.requires_grad_(True)
    module.zero_grad()
    output = module(x)
    (output * torch.linspace(-1, 1, output.shape[-1])).square().mean().backward()
    return {name: parameter.grad for name, parameter in module.named_parameters() if parameter.grad is not None}


def idle_names(module):
    """What stands in checkpoints and does nothing: a pattern."""
    recognised = module.recognised
    arguments = recognised.arguments
    if recognised.architecture == "parsenet":
        return "out_img_conv"
    if recognised.architecture == "pggan":
        kept = int(math.log2(arguments["resolution"])) - 1 - int(arguments["lod"])
        left_out = [f"layer{index}" for index in range(2 * kept, 40)] + [f"output{index}" for index in range(20)]
        left_out.remove(f"output{kept - 1}")
        return rf"lod|({'|'.join(left_out)})\."
    if recognised.architecture == "mobilestylegan" or recognised.sizeless:
        return "nothing"
    if recognised.architecture == "stylegan2":
        return "nothing" if arguments["stored_noise"] else r".*\.noise\.weight"
    if recognised.architecture == "gpen":
        reached = 2 * int(math.log2(arguments["in_size"])) - 4
        beyond = "|".join(str(index) for index in range(40) if index >= reached)
        return "nothing" if arguments["stored_noise"] else rf"generator\.convs\.({beyond})\.noise\."
    noise = "nothing" if arguments["stored_noise"] else r"stylegan_decoder\.style_conv[^.]*\.(\d+\.)?weight"
    mapping = r"stylegan_decoder\.style_mlp" if arguments["input_is_latent"] else "nothing"
    return f"toRGB|{noise}|{mapping}"


def test_every_parameter_that_is_used_gets_a_gradient(variant, tiny_network, network_input):
    trained = tiny_network(variant)
    told = {"input_is_latent": "mapped" not in variant} if "mapped" in variant or "one latent" in variant else {}
    module = networks.from_state_dict(trained.state_dict(), **told) if "mapped" in variant else trained
    if module is trained:
        module.recognised = networks.recognise(trained.state_dict(), **told)
    found = gradients(module, network_input(module))
    moved = {name for name, gradient in found.items() if gradient.abs().max() > 0}
    idle = idle_names(module)
    assert moved == {name for name, _ in module.named_parameters() if not re.match(idle, name)}


def test_scaled_and_grouped_forms_learn_alike(generator_variant, tiny_network, network_input):
    module = tiny_network(generator_variant)
    x = network_input(module)
    scaled = gradients(module, x)
    for part in module.modules():
        if isinstance(part, ModulatedConv2d):
            part.form = "grouped"
    grouped = gradients(module, x)
    assert scaled.keys() == grouped.keys()
    for name, gradient in grouped.items():
        assert (scaled[name] - gradient).abs().max() <= 1e-3 * gradient.abs().max() + 1e-7, name


def test_a_step_lowers_the_loss(tiny_network, network_input):
    module = tiny_network("gpen").train().requires_grad_(True)
    x = network_input(module)
    target = x.flip(3)
    optimizer = torch.optim.Adam(module.parameters(), 2e-3)
    losses = []
    for _ in range(8):
        optimizer.zero_grad()
        loss = (module(x) - target).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]


def test_pyramid_of_the_u_net(tiny_network, network_input):
    module = tiny_network("clean")
    x = network_input(module)
    restored, pyramid = module.with_pyramid(x)
    assert torch.equal(restored, module(x))
    assert [picture.shape[1:] for picture in pyramid] == [(3, size, size) for size in (8, 16, 32, 64)]


def test_fresh_networks_start_near_unit_variance(network_input):
    torch.manual_seed(0)
    for architecture, arguments in (
        ("gpen", {"in_size": 64, "out_size": 64, "narrow": 0.125}),
        ("gfpgan_clean", {"out_size": 64, "narrow": 0.125}),
        ("gfpgan_v1", {"out_size": 64, "narrow": 0.125}),
    ):
        module = networks.build(architecture, arguments)
        with torch.no_grad():
            assert 0.05 < module(network_input(module)).std() < 20


_ROOT = math.sqrt(2)

# Names of the paper's layout, those of the clean one, and the factor of the equalised weight or of the bias.
_AS_CLEAN = [
    (r"(stylegan_decoder\.style_conv.*\.)activate\.", r"\1", _ROOT),
    (r"(stylegan_decoder\.style_conv[^.]*\.(\d+\.)?)(?=weight)", r"\1", _ROOT),
    (r"(stylegan_decoder\.style_mlp\.)", r"\1", 0.01 * _ROOT),
    (r"(conv_body_first|final_conv)\.\d\.", r"\1.", _ROOT),
    (r"(conv_body_\w+\.\d+\.conv1)\.\d\.", r"\1.", _ROOT),
    (r"(conv_body_\w+\.\d+\.conv2)(\.\d|\.activation)?\.", r"\1.", 1.0),
    (r"(conv_body_\w+\.\d+\.skip)(\.\d)?\.", r"\1.", 1 / _ROOT),
    (r"(condition_\w+\.\d+\.0\.)", r"\1", _ROOT),
    (r"", "", 1.0),
]


def as_clean(fused):
    """The bilinear variant of the paper's layout in the names and scales of the clean one.

    Args:
        fused: its state dict.
    """
    clean = {}
    for name, value in fused.items():
        pattern, replacement, factor = next(rule for rule in _AS_CLEAN if re.match(rule[0], name))
        renamed = re.sub(pattern, replacement, name, count=1)
        if ".style_mlp." in name:
            # Activations count as layers in the clean one.
            renamed = re.sub(r"\d+", lambda match: str(2 * int(match[0]) - 1), renamed)
        if name.endswith("weight") and value.ndim > 1 and "constant_input" not in name:
            value = value / math.sqrt(value.flatten(-min(value.ndim - 1, 3)).shape[-1])  # noqa: PLW2901
        clean[renamed] = value * factor
        if name.endswith("activate.bias"):
            clean[renamed] = clean[renamed].view(1, -1, 1, 1)
    return clean


def test_bilinear_variant_is_the_clean_network_in_other_scales(tiny_network, network_input):
    fused = tiny_network("v1, bilinear")
    clean = networks.from_state_dict(as_clean(fused.state_dict()))
    assert clean.recognised.architecture == "gfpgan_clean"
    x = network_input(fused)
    expected = fused(x)
    assert (clean(x) - expected).abs().max() < 2e-5 * expected.std()
