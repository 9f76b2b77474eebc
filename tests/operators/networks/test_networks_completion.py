"""The networks of face completion: what goes in, how they grow, are recognised, executed, and learn."""

from __future__ import annotations

import json

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from operators import networks
from operators.completion.drawing import random_masks
from operators.engines.choose import Runner
from operators.engines.contract import Network
from operators.engines.options import EngineOptions, Profile
from operators.networks.completion.discriminator import CompletionDiscriminator
from operators.networks.completion.generator import CompletionGenerator, up_to
from operators.networks.completion.growth import Growth, Stage
from operators.networks.completion.levels import channels_for, reduced
from operators.networks.completion.packing import pack, unpacked
from operators.networks.completion.recognise import discriminator_arguments
from operators.networks.completion.tone import tone_of, without_tone
from operators.networks.layout import layout_of
from operators.networks.load import recognised_of

pytestmark = pytest.mark.usefixtures("one_torch_thread")

SIZE = 16
CHANNELS = (8, 8, 6)


def generator(attributes: int = 0, **arguments: object) -> CompletionGenerator:
    torch.manual_seed(attributes)
    made = CompletionGenerator(SIZE, channels=CHANNELS, attributes=attributes, **arguments)  # type: ignore[arg-type]
    with torch.no_grad():  # scales and shifts that are not 1 and 0, so that a form without them differs
        for name, parameter in made.named_parameters():
            if "norm" in name or name.endswith("bias"):
                parameter.add_(torch.randn_like(parameter), alpha=0.3)
    return made


def faces(count: int = 2, size: int = SIZE) -> tuple[Tensor, Tensor]:
    """Smooth pictures and masks."""
    drawn = torch.Generator().manual_seed(count)
    coarse = torch.rand(count, 3, 4, 4, generator=drawn) * 2 - 1
    pictures = functional.interpolate(coarse, size=(size, size), mode="bilinear", align_corners=False)
    masks = torch.zeros(count, 1, size, size)
    masks[..., size // 4 : size // 2, size // 4 : 3 * size // 4] = 1.0
    return pictures, masks


def test_nothing_under_the_mask_is_seen() -> None:
    pictures, masks = faces()
    hidden = torch.where(masks > 0, torch.rand_like(pictures), pictures)
    assert torch.equal(pack(pictures, masks), pack(hidden, masks))
    module = generator(2)
    attributes = torch.rand(2, 2)
    assert torch.equal(module(pack(pictures, masks, attributes)), module(pack(hidden, masks, attributes)))


def test_attributes_travel_in_one_plane() -> None:
    pictures, masks = faces()
    attributes = torch.tensor([[0.25, 1.0, 0.0], [0.5, 0.0, 1.0]])
    packed = pack(pictures, masks, attributes)
    assert packed.shape == (2, 5, SIZE, SIZE)
    assert torch.equal(packed[:, 4, 0, :3], attributes)
    assert packed[:, 4].count_nonzero() == attributes.count_nonzero()
    seen, inside = unpacked(packed, 3)
    assert torch.equal(seen, pack(pictures, masks))
    assert torch.equal(inside, attributes)
    module = generator(3)
    assert torch.equal(module(packed), module(seen, attributes))
    small = pack(*faces(2, 4))
    assert module(small, torch.rand(2, 3), Stage(4)).shape == (2, 3, 4, 4)
    with pytest.raises(ValueError, match="17 attributes do not fit into a plane of 16"):
        pack(*faces(1, 4), torch.zeros(1, 17))


def test_attributes_change_the_picture_and_skips_carry_the_face() -> None:
    module = generator(2)
    seen = pack(*faces())
    off, on = (module(seen, torch.full((2, 2), value)) for value in (0.0, 1.0))
    assert (off - on).abs().max() > 0.01
    plain = generator()
    before = plain(seen)
    with torch.no_grad():
        plain.expand.weight.zero_()
        plain.expand.bias.zero_()
    assert plain(seen).flatten(1).std() > 0.1 * before.flatten(1).std()


def test_tone_is_measured_where_the_face_is_seen_and_put_back() -> None:
    pictures, masks = faces()
    mean, deviation = tone_of(pack(pictures, masks))
    for picture, mask, found, spread in zip(pictures, masks, mean, deviation, strict=True):
        known = picture[:, mask[0] == 0]
        assert torch.allclose(found.flatten(), known.mean(1), atol=1e-5)
        expected = ((known - known.mean(1, keepdim=True)).square().mean() + 0.05**2).sqrt()
        assert spread.item() == pytest.approx(expected.item(), rel=1e-4)
    plain = without_tone(pack(pictures, masks), mean, deviation)
    assert (plain[:, :3] * masks).count_nonzero() == 0
    assert torch.equal(plain[:, 3:], masks)
    module = generator()
    # A darker, flatter print is completed as a darker, flatter face, but for the floor of the deviation.
    faded = module(pack(0.5 * pictures - 0.3, masks))
    assert torch.allclose(faded, 0.5 * module(pack(pictures, masks)) - 0.3, atol=0.05)
    assert torch.isfinite(module(pack(pictures, torch.ones_like(masks)))).all()


@pytest.mark.parametrize("alpha", [0.0, 0.25, 1.0])
def test_new_layers_are_faded_in(alpha: float) -> None:
    module, judge = generator(1), CompletionDiscriminator(SIZE, channels=CHANNELS, attributes=1)
    module.requires_grad_(True)
    pictures, masks = faces(2, SIZE)
    made = module(pack(pictures, masks), torch.rand(2, 1), Stage(SIZE, alpha))
    said = judge(made, Stage(SIZE, alpha))
    (said.realness.sum() + said.attributes.sum()).backward()
    for network, old, new in (
        (module, ("from_picture.1.", "to_picture.1."), ("from_picture.2.", "to_picture.2.", "decoder.2.")),
        (judge, ("from_picture.1.",), ("from_picture.2.", "blocks.2.")),
    ):
        for name, parameter in network.named_parameters():
            moved = parameter.grad is not None and bool(parameter.grad.abs().max() > 0)
            if name.startswith(old):
                assert moved is (alpha < 1.0), name
            elif name.startswith(new):
                assert moved is (alpha > 0.0), name


def test_without_its_newest_layers_a_network_is_the_one_before() -> None:
    module, judge = generator(1), CompletionDiscriminator(SIZE, channels=CHANNELS, attributes=1)
    # Blocks of 2 x 2 equal pixels, so that the tone is the same at both sizes.
    pictures, masks = (functional.interpolate(x, scale_factor=2.0, mode="nearest") for x in faces(2, SIZE // 2))
    seen, attributes = pack(pictures, masks), torch.rand(2, 1)
    small = module(reduced(seen, 8), attributes, Stage(8))
    begun = module(seen, attributes, Stage(SIZE, 0.0))
    assert torch.allclose(begun, functional.interpolate(small, scale_factor=2.0, mode="nearest"), atol=1e-5)
    assert (module(seen, attributes, Stage(SIZE, 0.5)) - begun).abs().max() > 0.01
    told, before = judge(pictures, Stage(SIZE, 0.0)), judge(reduced(pictures, 8), Stage(8))
    assert torch.allclose(told.realness, before.realness, atol=1e-5)
    assert torch.allclose(told.attributes, before.attributes, atol=1e-5)
    assert [features.shape[-1] for features in told.features] == [16, 8, 4]


def test_smaller_inputs_are_averages() -> None:
    pictures, masks = faces(1, 8)
    assert torch.equal(reduced(pictures, 8), pictures)
    small = reduced(masks, 4)
    assert torch.allclose(small[0, 0, 1, 1], masks[0, 0, 2:4, 2:4].mean())
    assert small.shape == (1, 1, 4, 4)


def test_the_schedule_of_growth() -> None:
    growth = Growth(4, 16, fading=10, steady=100)
    stages = {shown: growth.stage(shown) for shown in (0, 99, 100, 105, 110, 209, 210, 215, 10**9)}
    assert stages[0] == stages[99] == Stage(4)
    assert stages[100] == Stage(8, 0.0)
    assert stages[105] == Stage(8, 0.5)
    assert stages[110] == stages[209] == Stage(8)
    assert stages[210] == Stage(16, 0.0)
    assert stages[10**9] == Stage(16)
    assert not Stage(4, 0.5).fades
    for wrong in ({"first": 16, "last": 8}, {"fading": 0}, {"last": 24}):
        with pytest.raises(ValueError, match=r"must|expected"):
            Growth(**wrong)
    with pytest.raises(ValueError, match="alpha"):
        Stage(8, 1.5)


def test_channels_halve_as_sizes_double() -> None:
    assert channels_for(1024) == (512, 512, 512, 512, 256, 128, 64, 32, 16)
    with pytest.raises(ValueError, match="expected 3 counts"):
        CompletionGenerator(SIZE, channels=(8, 8))
    with pytest.raises(ValueError, match="this cannot be"):
        CompletionGenerator(SIZE, channels=CHANNELS, attributes=1, conditional=False)


@pytest.mark.parametrize(
    "arguments",
    [
        {"size": 4, "channels": [3]},
        {"size": 8, "channels": [16, 8], "attributes": 0},
        {"size": 8, "channels": [16, 8], "attributes": 0, "conditional": True},
        {"size": 64, "channels": [12, 8, 8, 4, 4], "attributes": 7},
        {"size": 1024, "attributes": 40},
    ],
)
def test_what_it_is_follows_from_shapes(arguments: dict[str, object]) -> None:
    with torch.device("meta"):
        state = networks.build("completion", arguments).state_dict()
    found = networks.recognise(state)
    assert json.loads(json.dumps(found.arguments)) == found.arguments
    assert found.architecture == "completion"
    size, count = arguments["size"], arguments.get("attributes", 0)
    assert found.input_shape == (5 if count else 4, size, size)
    assert found.output_shape == (3, size, size)
    assert {name: found.arguments[name] for name in arguments} == arguments
    with torch.device("meta"):
        again = networks.build("completion", found.arguments).state_dict()
    assert layout_of(again) == layout_of(state)


def test_a_discriminator_is_read_from_shapes_too() -> None:
    judge = CompletionDiscriminator(SIZE, channels=CHANNELS, attributes=3)
    found = discriminator_arguments(layout_of(judge.state_dict()))
    CompletionDiscriminator(**found).load_state_dict(judge.state_dict())
    with pytest.raises(networks.UnknownArchitectureError, match="the discriminator of a completion network"):
        networks.recognise(judge.state_dict())


def test_a_network_that_lacks_a_tensor_is_refused() -> None:
    state = generator(1).state_dict()
    del state["skips.1.first.norm.weight"]
    with pytest.raises(networks.UnknownArchitectureError, match=r"skips\.1\.first\.norm\.weight"):
        networks.from_state_dict(state)


def test_a_smaller_stage_is_a_network_of_its_own() -> None:
    module = generator(1)
    small = up_to(module, 8)
    seen, attributes = pack(*faces(2, 8)), torch.rand(2, 1)
    assert torch.equal(small(seen, attributes), module(seen, attributes, Stage(8)))
    assert networks.recognise(small.state_dict()).input_shape == (5, 8, 8)
    with pytest.raises(ValueError, match="16 pixels, and 32"):
        up_to(module, 32)


@pytest.mark.parametrize("arguments", [{}, {"attributes": 2}, {"conditional": True}])
def test_the_form_that_is_executed_gives_the_same(arguments: dict[str, int]) -> None:
    trained = generator(**arguments)
    pictures, masks = faces(3)
    x = pack(pictures, masks, torch.rand(3, 2) if "attributes" in arguments else None)
    form = networks.inference_form(networks.from_state_dict(trained.state_dict()))
    expected = trained(x)
    assert (form(x) - expected).abs().max() < 1e-5
    assert not any(parameter.requires_grad for parameter in form.parameters())
    half = networks.inference_form(networks.from_state_dict(trained.state_dict())).to(torch.bfloat16)(x)
    assert half.dtype == torch.float32
    assert 0 < (half - expected).abs().max() < 0.2


@pytest.mark.parametrize("engine", ["eager", "onnxruntime", "openvino"])
def test_engines_take_the_one_tensor(engine: str) -> None:
    module = networks.from_state_dict(generator(2).state_dict())
    known = recognised_of(module)
    network = Network(
        module=networks.inference_form(module),
        architecture=known.architecture,
        arguments=known.arguments,
        formulation=networks.FORMULATION,
        weights_sha256="0" * 64,
        input_shape=known.input_shape,
        output_shape=known.output_shape,
    )
    runner = Runner(network, EngineOptions(engine, "fp32", "cpu", True, Profile(1, 2, 2), threads=1), None)
    runner.prepare()
    x = pack(*faces(3), torch.rand(3, 2))
    found = runner.run(x)
    assert (found - module(x)).abs().max() < 1e-4
    alone = torch.cat([runner.run(x[index : index + 1]) for index in range(3)])
    assert torch.equal(found, alone)


class Toys:
    """Faces of three numbers, mouth open or not: what is masked follows from what is seen, but for the mouth."""

    def __init__(self, size: int) -> None:
        self.y, self.x = torch.meshgrid(torch.linspace(-1, 1, size), torch.linspace(-1, 1, size), indexing="ij")
        self.mouth = ((self.y > 0.2) & (self.x.abs() < 0.5)).float()[None, None]
        self.around = ((self.y > 0.0) & (self.x.abs() < 0.8)).float()[None, None]

    def draw(self, opened: Tensor) -> Tensor:
        slope, level, bend = torch.rand(3, len(opened), 1, 1, 1) * 2 - 1
        colour = torch.tensor([1.0, 0.6, 0.3]).view(1, 3, 1, 1)
        skin = (0.6 * slope * self.x + 0.4 * level + 0.5 * bend * self.y.square()) * colour
        return (skin + (opened.view(-1, 1, 1, 1) - 0.5) * self.mouth).clamp(-1, 1)


def test_a_tiny_network_grows_and_learns_to_fill() -> None:
    size, steps, batch = 8, 140, 8
    torch.manual_seed(1)
    toys, growth = Toys(size), Growth(4, size, fading=20 * batch, steady=20 * batch)
    module = CompletionGenerator(size, channels=(16, 12), attributes=1)
    judge = CompletionDiscriminator(size, channels=(8, 8), attributes=1)
    makes, judges = (torch.optim.Adam(one.parameters(), 0.01, betas=(0.5, 0.99)) for one in (module, judge))
    every = torch.from_numpy(random_masks(batch * steps, size, seed=3))
    every[::2] = torch.maximum(every[::2], toys.around)
    for step in range(steps):
        stage = growth.stage(step * batch)
        wanted = (torch.rand(batch, 1) > 0.5).float()
        real = reduced(toys.draw(wanted), stage.size)
        mask = reduced(every[batch * step : batch * (step + 1)], stage.size)
        made = module(pack(real, mask), wanted, stage)
        told, fooled = judge(real, stage), judge(made.detach(), stage)
        loss = functional.softplus(-told.realness).mean() + functional.softplus(fooled.realness).mean()
        loss = loss + functional.binary_cross_entropy_with_logits(told.attributes, wanted)
        judges.zero_grad()
        loss.backward()
        judges.step()
        told = judge(made, stage)
        loss = (made - real).abs().mean() + 2 * (mask * (made - real)).abs().mean()
        loss = loss + 0.02 * functional.softplus(-told.realness).mean()
        loss = loss + 0.02 * functional.binary_cross_entropy_with_logits(told.attributes, wanted)
        makes.zero_grad()
        loss.backward()
        makes.step()
    with torch.no_grad():
        wanted = (torch.rand(64, 1) > 0.5).float()
        real, mask = toys.draw(wanted), torch.from_numpy(random_masks(64, size, seed=4))
        made, known, inside = module(pack(real, mask), wanted), 1 - mask, mask.expand_as(real) > 0
        mean = (real * known).sum((2, 3), keepdim=True) / known.sum((2, 3), keepdim=True)
        assert (made - real)[inside].abs().mean() < 0.6 * (mean - real)[inside].abs().mean()
        # Asked for the other value of the attribute, the same hole is filled in the attribute's direction.
        seen = pack(real, toys.around.expand(64, 1, size, size))
        change = module(seen, torch.ones(64, 1)) - module(seen, torch.zeros(64, 1))
        assert change[toys.mouth.expand_as(change) > 0].mean() > 0.25
        assert ((judge(real).attributes > 0) == (wanted > 0.5)).float().mean() > 0.9
