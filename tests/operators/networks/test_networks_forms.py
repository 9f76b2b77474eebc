"""The three ways to write a network give the same; batches, repeats and precisions do not matter."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from operators import networks
from operators.networks.layers.modulation import ModulatedConv2d

pytestmark = pytest.mark.usefixtures("one_torch_thread")


def deviation(found, expected):
    """Largest difference in standard deviations."""
    return float((found - expected).abs().max() / expected.std())


def decibels(found, expected):
    """PSNR over the range of what is expected."""
    span = expected.max() - expected.min()
    return float(10 * torch.log10(span.square() / (found.double() - expected.double()).square().mean()))


def test_grouped_form_is_equal(generator_variant, tiny_network, network_input):
    module = tiny_network(generator_variant)
    x = network_input(module, 3)
    published = networks.published_form(module)
    forms = {part.form for part in published.modules() if isinstance(part, ModulatedConv2d)}
    assert forms == {"grouped"}
    assert deviation(published(x), module(x)) < 2e-5


def test_published_form_shares_weights_and_leaves_the_module_alone(tiny_network):
    module = tiny_network("gpen")
    published = networks.published_form(module)
    assert all(one is other for one, other in zip(module.parameters(), published.parameters(), strict=True))
    assert {part.form for part in module.modules() if isinstance(part, ModulatedConv2d)} == {"scaled"}


def test_inference_form_is_equal(variant, tiny_network, network_input):
    module = tiny_network(variant)
    x = network_input(module, 3)
    expected = module(x)
    frozen = networks.inference_form(module)
    assert expected.std() > 0.05
    # Normalisation amplifies rounding where features are near zero, or nearly constant: by how much depends on the CPU.
    assert deviation(frozen(x), expected) < (1e-3 if variant.startswith(("pggan", "transform")) else 2e-5)
    assert frozen.recognised.input_shape == x.shape[1:]
    assert frozen.recognised.output_shape == expected.shape[1:]


def test_input_matters(variant, tiny_network, network_input):
    module = networks.inference_form(tiny_network(variant))
    first, second = module(network_input(tiny_network(variant), 2))
    assert (first - second).abs().max() > 0.01 * first.std()


def test_a_face_does_not_depend_on_its_batch(variant, tiny_network, network_input):
    trained = tiny_network(variant)
    x = network_input(trained, 5)
    module = networks.inference_form(trained)
    together = module(x)
    alone = torch.cat([module(x[index : index + 1]) for index in range(5)])
    assert deviation(alone, together) < 2e-5
    swapped = module(x.flip(0)).flip(0)
    assert deviation(swapped, together) < 2e-5


def test_same_input_same_output(variant, tiny_network, network_input):
    trained = tiny_network(variant)
    x = network_input(trained)
    for module in (trained, networks.inference_form(trained)):
        torch.manual_seed(1)
        first = module(x)
        torch.manual_seed(2)
        assert torch.equal(module(x), first)


def test_input_is_not_changed(variant, tiny_network, network_input):
    trained = tiny_network(variant)
    x = network_input(trained)
    kept = x.clone()
    networks.inference_form(trained)(x)
    trained(x)
    assert torch.equal(x, kept)


def test_inference_form_is_independent(variant, tiny_network, network_input):
    module = tiny_network(variant)
    x = network_input(module)
    frozen = networks.inference_form(module)
    before = frozen(x)
    for tensor in [*module.parameters(), *module.buffers()]:
        tensor.zero_()
    assert torch.equal(frozen(x), before)
    assert not any(parameter.requires_grad for parameter in frozen.parameters())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_shorter_types(variant, dtype, tiny_network, network_input):
    trained = tiny_network(variant)
    x = network_input(trained)
    module = networks.inference_form(trained)
    expected = module(x)
    short = module.to(dtype)(x)
    assert short.dtype == torch.float32
    # The instance normalisation of nearly constant features amplifies what a short type rounds.
    least = 55 if variant == "transform" else 60
    assert decibels(short, expected) > (least if dtype == torch.float16 else 40)


def test_styles_and_demodulation_stay_exact(tiny_network):
    frozen = networks.inference_form(tiny_network("gpen"))
    exact = {name: value.clone() for name, value in frozen.named_buffers()}
    assert any("energy" in name for name in exact)
    assert any(name.startswith("codes.") for name in exact)
    frozen.half().bfloat16()
    for name, value in frozen.named_buffers():
        assert value.dtype == torch.float32
        assert torch.equal(value, exact[name])
    assert {parameter.dtype for parameter in frozen.parameters()} == {torch.bfloat16}


def pushed(module, factor):
    """The module with stronger styles where they are demodulated, which changes nothing but rounding."""
    pushed = copy.deepcopy(module)
    for part in pushed.modules():
        if isinstance(part, ModulatedConv2d) and part.demodulate:
            part.modulation.weight.mul_(factor)
            part.modulation.bias.mul_(factor)
    return pushed


@pytest.mark.parametrize("name", ["clean", "v1", "gpen", "gpen, larger output"])
def test_strong_modulation_survives_half_precision(name, tiny_network, network_input):
    module = pushed(tiny_network(name), 300)
    x = network_input(module)
    expected = module(x)
    frozen = networks.inference_form(module).half()
    assert decibels(frozen(x), expected) > 60
    # Why: the published form squares what half precision cannot hold, and demodulates everything to zero, finitely.
    collapsed = networks.published_form(module).half()(x.half()).float()
    assert collapsed.isfinite().all()
    assert decibels(collapsed, expected) < 25


def test_strength_of_style_cancels(tiny_network, network_input):
    module = tiny_network("clean")
    x = network_input(module)
    assert deviation(networks.inference_form(pushed(module, 300))(x), module(x)) < 1e-4


@pytest.mark.parametrize("name", ["clean", "clean, all channels", "v1"])
def test_sft_strength(name, tiny_network, network_input):
    module = tiny_network(name)
    x = network_input(module)
    trained = module(x)
    whole = networks.inference_form(module, sft_strength=1.0)
    assert whole.variant == {"sft_strength": 1.0}
    assert deviation(whole(x), trained) < 2e-5
    # Without transforms: scale one, shift zero, whatever the U-Net says.
    plain = copy.deepcopy(module)
    for branches, value in ((plain.condition_scale, 1.0), (plain.condition_shift, 0.0)):
        for branch in branches:
            nn.init.zeros_(branch[2].weight)
            nn.init.constant_(branch[2].bias, value)
    none = networks.inference_form(module, sft_strength=0.0)(x)
    assert deviation(none, plain(x)) < 2e-5
    assert deviation(none, trained) > 0.1
    half = networks.inference_form(module, sft_strength=0.5)(x)
    assert deviation(half, trained) > 0.01
    assert deviation(half, none) > 0.01


@pytest.mark.parametrize("name", ["clean", "v1, bilinear", "v1"])
def test_doubling_after_the_convolution_changes_nothing(name, tiny_network, network_input):
    module = tiny_network(name)
    x = network_input(module)
    plain = networks.inference_form(module, early_channels=10**6)
    early = networks.inference_form(module, early_channels=0)
    assert len(dict(early.named_parameters())) > len(dict(plain.named_parameters()))
    assert deviation(early(x), plain(x)) < 2e-5
    assert decibels(early.half()(x), module(x)) > 60
    assert decibels(early.bfloat16()(x), module(x)) > 40


def test_variants_are_checked(tiny_network):
    with pytest.raises(ValueError, match=r"sft_strength is 1\.5"):
        networks.inference_form(tiny_network("clean"), sft_strength=1.5)
    with pytest.raises(ValueError, match="sft_strength is nan"):
        networks.inference_form(tiny_network("clean"), sft_strength=float("nan"))
    with pytest.raises(ValueError, match="gpen can vary nothing, not sft_strength"):
        networks.inference_form(tiny_network("gpen"), sft_strength=0.5)
    with pytest.raises(ValueError, match="early_channels is -1"):
        networks.inference_form(tiny_network("clean"), early_channels=-1)
    with pytest.raises(networks.UnknownArchitectureError):
        networks.inference_form(nn.Linear(3, 3))


def test_stored_noise_is_used(tiny_network, network_input):
    for name in ("clean", "gpen, stored noise", "gpen, added stored noise"):
        module = tiny_network(name)
        x = network_input(module)
        before = networks.inference_form(module)(x)
        noises = [buffer for buffer_name, buffer in module.named_buffers() if ".noises." in buffer_name]
        noises[-1].add_(1.0)
        assert deviation(networks.inference_form(module)(x), before) > 1e-3


def test_missing_noise_is_its_expectation(tiny_network, network_input):
    stored = tiny_network("gpen, stored noise")
    for buffer in stored.generator.noises.buffers():
        buffer.zero_()
    without = {name: value for name, value in stored.state_dict().items() if ".noises." not in name}
    module = networks.from_state_dict(without)
    assert not module.recognised.arguments["stored_noise"]
    x = network_input(module)
    assert torch.equal(module(x), stored(x))
