"""What a state dict is, told from its names and shapes; and what is said of one that is nothing we know."""

from __future__ import annotations

import json

import pytest
import torch

from operators import networks

pytestmark = pytest.mark.usefixtures("one_torch_thread")


def hollow(architecture, **arguments):
    """The state dict of an architecture, on the meta device."""
    with torch.device("meta"):
        return networks.build(architecture, arguments).state_dict()


def told(state_dict):
    recognised = networks.recognise(state_dict)
    # Arguments are kept in records and in the keys of compiled artefacts.
    assert json.loads(json.dumps(recognised.arguments)) == recognised.arguments
    return recognised


@pytest.mark.parametrize("in_size", [8, 64, 256, 512, 1024, 2048])
@pytest.mark.parametrize("factor", [1, 4])
@pytest.mark.parametrize("concatenated", [True, False])
def test_gpen_sizes(in_size, factor, concatenated):
    out_size = min(in_size * factor, 4096)
    arguments = {"in_size": in_size, "out_size": out_size, "isconcat": concatenated}
    found = told(hollow("gpen", **arguments))
    assert found.architecture == "gpen"
    assert found.input_shape == (3, in_size, in_size)
    assert found.output_shape == (3, out_size, out_size)
    assert {name: found.arguments[name] for name in arguments} == arguments


@pytest.mark.parametrize("channel_multiplier", [0.5, 1, 2, 4])
@pytest.mark.parametrize("narrow", [0.125, 0.25, 0.5, 1, 1.5])
def test_gpen_widths(channel_multiplier, narrow):
    arguments = {"channel_multiplier": channel_multiplier, "narrow": narrow, "style_dim": 96, "n_mlp": 5}
    found = told(hollow("gpen", in_size=256, out_size=512, **arguments))
    assert {name: found.arguments[name] for name in arguments} == arguments


@pytest.mark.parametrize(
    ("channel_multiplier", "narrow"), [(2, 0.3), (1, 0.3), (1.7, 1), (3, 0.77), (0.6, 0.7), (2, 1 / 3)]
)
def test_widths_that_are_rounded_down(channel_multiplier, narrow):
    """Other arguments may give the same widths; the tensors must be the same."""
    for architecture, size in (("gpen", {"in_size": 512, "out_size": 1024}), ("gfpgan_v1", {"out_size": 512})):
        odd = {} if architecture == "gpen" else {"sft_half": False}
        layout = hollow(architecture, channel_multiplier=channel_multiplier, narrow=narrow, **size, **odd)
        found = told(layout)
        again = hollow(architecture, **found.arguments)
        assert {name: tensor.shape for name, tensor in again.items()} == {
            name: tensor.shape for name, tensor in layout.items()
        }


@pytest.mark.parametrize("architecture", ["gfpgan_clean", "gfpgan_v1"])
@pytest.mark.parametrize("out_size", [8, 512])
@pytest.mark.parametrize("different_w", [True, False])
@pytest.mark.parametrize("sft_half", [True, False])
@pytest.mark.parametrize("stored_noise", [True, False])
def test_gfpgan_arguments(architecture, out_size, different_w, sft_half, stored_noise):
    arguments = {
        "out_size": out_size,
        "different_w": different_w,
        "sft_half": sft_half,
        "stored_noise": stored_noise,
        "num_mlp": 3,
        "num_style_feat": 128,
        "channel_multiplier": 2 if out_size < 64 else 1,
        "narrow": 0.5,
    }
    found = told(hollow(architecture, **arguments))
    assert found.architecture == architecture
    assert found.input_shape == found.output_shape == (3, out_size, out_size)
    assert {name: found.arguments[name] for name in arguments} == arguments


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"in_size": 256, "out_size": 512},
        {"in_size": 512, "out_size": 64, "parsing_ch": 11},
        {"in_size": 32, "out_size": 32, "res_depth": 4},
        {"base_ch": 16, "ch_range": [8, 128], "res_depth": 0},
        {"in_size": 64, "out_size": 512},
    ],
)
def test_parsenet_arguments(arguments):
    layout = hollow("parsenet", **arguments)
    found = told(layout)
    assert found.architecture == "parsenet"
    size = arguments.get("out_size", 512)
    assert found.input_shape == (3, arguments.get("in_size", 512), arguments.get("in_size", 512))
    assert found.output_shape == (arguments.get("parsing_ch", 19), size, size)


@pytest.mark.parametrize(
    "arguments",
    [
        {"resolution": 1024},
        {"resolution": 256, "fused_scale": True},
        {"resolution": 8, "z_space_dim": 100, "fmaps_base": 1000, "fmaps_max": 60},
        {"resolution": 128, "fmaps_base": 8192, "fmaps_max": 256, "image_channels": 1},
    ],
)
def test_pggan_arguments(arguments):
    found = told(hollow("pggan", **arguments))
    assert found.architecture == "pggan"
    size = arguments["resolution"]
    assert found.output_shape == (arguments.get("image_channels", 3), size, size)
    assert found.input_shape == (arguments.get("z_space_dim", 512),)
    assert found.arguments["fused_scale"] == arguments.get("fused_scale", False)


@pytest.mark.parametrize("resolution", [8, 256, 1024])
@pytest.mark.parametrize("flags", [(), ("isconcat",), ("stored_noise", "latent_avg")])
def test_stylegan2_arguments(resolution, flags):
    arguments = {"resolution": resolution, "channel_multiplier": 1 if resolution > 32 else 2, "style_dim": 128}
    arguments |= {flag: flag in flags for flag in ("isconcat", "stored_noise", "latent_avg")}
    found = told(hollow("stylegan2", n_mlp=5, **arguments))
    assert found.architecture == "stylegan2"
    assert found.output_shape == (3, resolution, resolution)
    assert found.input_shape == (128,)
    assert {name: found.arguments[name] for name in (*arguments, "n_mlp")} == {**arguments, "n_mlp": 5}


def test_the_mean_of_w_beside_a_moving_average_belongs_to_it(tiny_network):
    state_dict = tiny_network("stylegan2").state_dict()
    mean = state_dict.pop("latent_avg") + 3
    loaded = networks.from_state_dict({"g": {}, "g_ema": state_dict, "latent_avg": mean, "g_optim": {}})
    assert torch.equal(loaded.latent_avg, mean)
    assert networks.from_state_dict({"g_ema": state_dict}).latent_avg is None


@pytest.mark.parametrize("channels", [[512, 512, 512, 512, 512, 256, 128, 64], [4, 1], [16, 8, 12]])
def test_mobilestylegan_arguments(channels):
    found = told(hollow("mobilestylegan", style_dim=64, n_mlp=3, channels=channels))
    assert found.architecture == "mobilestylegan"
    assert found.arguments == {"style_dim": 64, "n_mlp": 3, "channels": channels}
    assert found.output_shape == (3, 4 << len(channels), 4 << len(channels))


@pytest.mark.parametrize("architecture", ["gfpgan_clean", "gfpgan_v1"])
@pytest.mark.parametrize("both", [True, False])
def test_latents_are_taken_as_released_or_as_the_constructor_has_them(architecture, both):
    layout = hollow(architecture, out_size=32, different_w=both, input_is_latent=both)
    assert told(layout).arguments["input_is_latent"] is both


def test_round_trip(variant, tiny_network, network_input):
    """Constructor, state dict, recognition, loading: the same network."""
    module = tiny_network(variant)
    hidden = {}
    if "mapped" in variant or "one latent" in variant:
        hidden["input_is_latent"] = "mapped" not in variant
    if "bilinear" in variant:
        hidden["resampling"] = "bilinear"
    loaded = networks.from_state_dict(module.state_dict(), **hidden)
    x = network_input(module)
    assert torch.equal(loaded(x), module(x))
    assert not loaded.training
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    assert loaded.state_dict().keys() == module.state_dict().keys()
    assert loaded.recognised == networks.recognise(module.state_dict(), **hidden)


def test_lod_is_read_from_its_value(tiny_network):
    state_dict = tiny_network("pggan").state_dict()
    assert networks.recognise(state_dict).arguments["lod"] == 0.0
    state_dict["lod"] = torch.tensor(1.0)
    assert networks.recognise(state_dict).arguments["lod"] == 1.0
    state_dict["lod"] = torch.tensor(float("nan"))
    with pytest.raises(networks.UnknownArchitectureError, match="lod is nan"):
        networks.recognise(state_dict)


@pytest.mark.parametrize("wrapper", ["params_ema", "params", "g_ema"])
def test_wrapped_forms(wrapper, tiny_network, network_input):
    module = tiny_network("gpen")
    others = {name: torch.zeros_like(value) for name, value in module.state_dict().items()}
    wrapped = {"iteration": 12, wrapper: module.state_dict(), "d": others}
    x = network_input(module)
    assert torch.equal(networks.from_state_dict(wrapped)(x), module(x))


def test_moving_average_comes_first(tiny_network, network_input):
    module = tiny_network("clean")
    raw = {name: torch.zeros_like(value) for name, value in module.state_dict().items()}
    x = network_input(module)
    assert torch.equal(networks.from_state_dict({"params": raw, "params_ema": module.state_dict()})(x), module(x))


def test_names_from_parallel_training(tiny_network, network_input):
    module = tiny_network("gpen")
    parallel = {f"module.{name}": value for name, value in module.state_dict().items()}
    x = network_input(module)
    assert torch.equal(networks.from_state_dict({"g_ema": parallel})(x), module(x))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_float_types_are_taken_as_float32(dtype, tiny_network, network_input):
    module = tiny_network("parsenet")
    cast = {name: value.to(dtype) for name, value in module.state_dict().items()}
    loaded = networks.from_state_dict(cast)
    counts = [value.dtype for name, value in loaded.state_dict().items() if name.endswith("num_batches_tracked")]
    assert set(counts) == {torch.int64}
    floats = [value.dtype for name, value in loaded.state_dict().items() if not name.endswith("num_batches_tracked")]
    assert set(floats) == {torch.float32}
    x = network_input(module)
    assert (loaded(x) - module(x)).abs().max() < 0.05 * module(x).std()


def test_arrays_are_taken(tiny_network, network_input):
    module = tiny_network("gpen")
    arrays = {name: value.numpy() for name, value in module.state_dict().items()}
    x = network_input(module)
    assert torch.equal(networks.from_state_dict(arrays)(x), module(x))


def test_no_memory_is_shared(tiny_network, network_input):
    module = tiny_network("clean")
    state_dict = {name: value.clone() for name, value in module.state_dict().items()}
    loaded = networks.from_state_dict(state_dict)
    x = network_input(module)
    for value in state_dict.values():
        value.zero_()
    assert torch.equal(loaded(x), module(x))


def test_weights_on_the_meta_device_stay_there():
    module = networks.from_state_dict(hollow("gpen", in_size=2048, out_size=2048))
    assert all(tensor.is_meta for tensor in module.parameters())


def test_missing_tensor_is_named(tiny_network):
    state_dict = tiny_network("gpen").state_dict()
    del state_dict["generator.convs.3.noise.weight"]
    with pytest.raises(
        networks.UnknownArchitectureError, match=r"looks like gpen.*missing: generator\.convs\.3\.noise\.weight"
    ):
        networks.from_state_dict(state_dict)


def test_telling_tensor_missing_is_named(tiny_network):
    state_dict = tiny_network("clean").state_dict()
    del state_dict["stylegan_decoder.constant_input.weight"]
    with pytest.raises(
        networks.UnknownArchitectureError, match=r"looks like gfpgan_clean, but it has no stylegan_decoder\.const"
    ):
        networks.from_state_dict(state_dict)


def test_unexpected_tensor_is_named(tiny_network):
    state_dict = {**tiny_network("clean").state_dict(), "extra.weight": torch.zeros(3)}
    with pytest.raises(networks.UnknownArchitectureError, match=r"looks like gfpgan_clean.*unexpected: extra\.weight"):
        networks.from_state_dict(state_dict)


def test_other_shape_is_named(tiny_network):
    state_dict = tiny_network("v1").state_dict()
    state_dict["toRGB.1.bias"] = torch.zeros(4)
    with pytest.raises(
        networks.UnknownArchitectureError, match=r"looks like gfpgan_v1.*toRGB\.1\.bias is \(4,\) and should be \(3,\)"
    ):
        networks.from_state_dict(state_dict)


def test_some_of_the_noise_missing(tiny_network):
    state_dict = tiny_network("clean").state_dict()
    del state_dict["stylegan_decoder.noises.noise0"]
    with pytest.raises(networks.UnknownArchitectureError, match=r"missing: stylegan_decoder\.noises\.noise0"):
        networks.recognise(state_dict)


_FOREIGN = {
    "SRVGGNetCompact": ["body.0.weight", "body.0.bias", "body.1.weight", "body.2.weight", "body.2.bias"],
    "CodeFormer": [
        "position_emb",
        "quantize.embedding.weight",
        "ft_layers.0.self_attn.in_proj_weight",
        "encoder.blocks.0.weight",
    ],
    "RestoreFormer": ["quantize.embedding.weight", "encoder.conv_in.weight", "decoder.conv_in.weight"],
    "VQGAN": ["quantize.embedding.weight", "encoder.blocks.0.weight", "generator.blocks.0.weight"],
    "discriminator": [
        "convs.0.0.weight",
        "convs.1.conv1.0.weight",
        "final_conv.0.weight",
        "final_linear.0.weight",
        "final_linear.1.weight",
    ],
    "without an encoder": ["style_mlp.1.weight", "constant_input.weight", "style_conv1.weight", "to_rgb1.bias"],
    "RetinaFace": ["body.conv1.weight", "ClassHead.0.conv1x1.weight", "BboxHead.0.conv1x1.weight"],
    "BiSeNet": ["cp.resnet.conv1.weight", "ffm.convblk.conv.weight"],
    "ArcFace": ["conv1.weight", "layer1.0.conv1.weight", "fc5.weight"],
}


@pytest.mark.parametrize("family", list(_FOREIGN))
def test_strangers_are_named(family):
    with pytest.raises(networks.UnknownArchitectureError, match=rf"looks like .*{family}.*not among gfpgan_clean"):
        networks.from_state_dict({name: torch.zeros(3, 3) for name in _FOREIGN[family]})


def test_unlike_anything():
    with pytest.raises(
        networks.UnknownArchitectureError, match=r"none of gfpgan_clean, .* has tensors such as a\.weight, b\.weight$"
    ):
        networks.recognise({"a.weight": (3, 4), "b.weight": (1,)})


@pytest.mark.parametrize("state_dict", [{}, {"params_ema": {}}])
def test_empty(state_dict):
    with pytest.raises(networks.UnknownArchitectureError, match="empty"):
        networks.recognise(state_dict)


@pytest.mark.parametrize("value", [3, "abc", None, object(), ["a"], b"12", {"x": 1}])
def test_what_is_no_tensor(value, tiny_network):
    state_dict = {**tiny_network("gpen").state_dict(), "ecd0.0.0.weight": value}
    with pytest.raises(networks.UnknownArchitectureError, match=r"no state dict: 'ecd0\.0\.0\.weight' is a"):
        networks.from_state_dict(state_dict)


def test_name_that_is_no_string():
    with pytest.raises(networks.UnknownArchitectureError, match="no state dict: 3"):
        networks.recognise({3: torch.zeros(1)})


def test_integer_weights_are_refused(tiny_network):
    state_dict = tiny_network("gpen").state_dict()
    state_dict["ecd0.0.0.weight"] = state_dict["ecd0.0.0.weight"].to(torch.int8)
    with pytest.raises(networks.UnknownArchitectureError, match=r"ecd0\.0\.0\.weight holds torch\.int8"):
        networks.from_state_dict(state_dict)


def test_sparse_weights_are_refused(tiny_network):
    state_dict = tiny_network("gpen").state_dict()
    state_dict["final_linear.0.weight"] = state_dict["final_linear.0.weight"].to_sparse()
    with pytest.raises(networks.UnknownArchitectureError, match=r"final_linear\.0\.weight is torch\.sparse_coo"):
        networks.from_state_dict(state_dict)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("generator.convs.999999999.conv.weight", (1, 2, 2, 3, 3)),
        ("generator.convs.99999999999999999999.conv.weight", (1, 2, 2, 3, 3)),
        ("generator.style.1.weight", (10**9, 10**9)),
        ("generator.style.1.weight", (2**62, 2**62)),
        ("generator.input.input", (1, 10**8, 4, 4)),
        ("generator.input.input", (1, 0, 4, 4)),
        ("generator.convs.0.conv.blur.kernel", (30000, 30000)),
        ("generator.convs.0.conv.blur.kernel", (0, 0)),
        ("final_linear.0.weight", (10**7, 512)),
        ("final_linear.0.weight", (-5, 512)),
    ],
)
def test_hostile_shapes_cost_nothing(name, shape):
    layout = {key: tuple(value.shape) for key, value in hollow("gpen", in_size=64, out_size=64).items()}
    layout[name] = shape
    with pytest.raises(networks.UnknownArchitectureError):
        networks.recognise(layout)


def test_thousands_of_layers_are_refused():
    layout = {key: tuple(value.shape) for key, value in hollow("gpen", in_size=64, out_size=64).items()}
    for index in range(3000):
        for part in ("weight", "modulation.weight"):
            layout[f"generator.convs.{index}.conv.{part}"] = (1, 512, 1024, 3, 3)
    with pytest.raises(networks.UnknownArchitectureError):
        networks.recognise(layout)


def test_a_stretched_tensor_is_not_copied():
    """One number can claim any shape in memory; it is refused before it is written out."""
    layout = {key: tuple(value.shape) for key, value in hollow("gpen", in_size=8, out_size=8, style_dim=10**6).items()}
    with pytest.raises(networks.UnknownArchitectureError, match="claims"):
        networks.from_state_dict({name: torch.zeros(1).expand(shape) for name, shape in layout.items()})


def test_hidden_arguments(tiny_network):
    state_dict = tiny_network("v1, bilinear").state_dict()
    assert networks.recognise(state_dict).arguments["resampling"] == "fir"
    found = networks.recognise(state_dict, resampling="bilinear", input_is_latent=False)
    assert found.arguments["resampling"] == "bilinear"
    assert not found.arguments["input_is_latent"]
    with pytest.raises(TypeError, match="gfpgan_v1 has no hidden argument out_size"):
        networks.recognise(state_dict, out_size=512)


def test_build_says_what_there_is():
    with pytest.raises(ValueError, match="no architecture is called 'vgg'; there are gfpgan_clean, "):
        networks.build("vgg", {})
    with pytest.raises(ValueError, match="power of two"):
        networks.build("gpen", {"in_size": 500, "out_size": 500})
    with pytest.raises(ValueError, match="cannot be smaller"):
        networks.build("gpen", {"in_size": 512, "out_size": 256})
    with pytest.raises(ValueError, match=r"channels are \[6, 4\].*multiples of 4"):
        networks.build("mobilestylegan", {"channels": [6, 4]})
    with pytest.raises(ValueError, match="odd"):
        networks.build("gfpgan_clean", {"out_size": 8, "narrow": 3 / 512})
    with pytest.raises(ValueError, match="leave no channels"):
        networks.build("gfpgan_v1", {"out_size": 512, "narrow": 1 / 64, "sft_half": False})
