"""Networks for whole pictures against their layouts written down once more, in the plain form of their repositories."""

from __future__ import annotations

import functools
import re
import zlib

import pytest
import torch
from torch import nn
from torch.nn import functional

from operators import networks

pytestmark = pytest.mark.usefixtures("one_torch_thread")


class DenseBlock(nn.Module):
    def __init__(self, features, grown, wrapped):
        super().__init__()
        for k in range(5):
            conv = nn.Conv2d(features + k * grown, features if k == 4 else grown, 3, 1, 1)
            setattr(self, f"conv{k + 1}", nn.Sequential(conv) if wrapped else conv)

    def forward(self, x):
        kept = [x]
        for k in range(1, 5):
            kept.append(functional.leaky_relu(getattr(self, f"conv{k}")(torch.cat(kept, 1)), 0.2))
        return self.conv5(torch.cat(kept, 1)) * 0.2 + x


class ThreeDense(nn.Module):
    def __init__(self, features, grown, prefix="rdb", wrapped=False):
        super().__init__()
        self.names = [f"{prefix}{k}" for k in (1, 2, 3)]
        for name in self.names:
            setattr(self, name, DenseBlock(features, grown, wrapped))

    def forward(self, x):
        y = x
        for name in self.names:
            y = getattr(self, name)(y)
        return y * 0.2 + x


class BasicSrRrdb(nn.Module):
    """BasicSR: two doublings whatever the scale, the input folded for scales 2 and 1."""

    def __init__(self, scale=4, features=8, blocks=2, grown=4):
        super().__init__()
        self.fold = 4 // scale
        self.conv_first = nn.Conv2d(3 * self.fold**2, features, 3, 1, 1)
        self.body = nn.Sequential(*(ThreeDense(features, grown) for _ in range(blocks)))
        for name in ("conv_body", "conv_up1", "conv_up2", "conv_hr"):
            setattr(self, name, nn.Conv2d(features, features, 3, 1, 1))
        self.conv_last = nn.Conv2d(features, 3, 3, 1, 1)

    def forward(self, x):
        if self.fold > 1:
            n, c, h, w = x.shape
            f = self.fold
            x = x.view(n, c, h // f, f, w // f, f).permute(0, 1, 3, 5, 2, 4).reshape(n, c * f * f, h // f, w // f)
        first = self.conv_first(x)
        y = first + self.conv_body(self.body(first))
        for up in (self.conv_up1, self.conv_up2):
            y = functional.leaky_relu(up(functional.interpolate(y, scale_factor=2, mode="nearest")), 0.2)
        return self.conv_last(functional.leaky_relu(self.conv_hr(y), 0.2))


class Shortcut(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.sub = inner

    def forward(self, x):
        return x + self.sub(x)


def first_esrgan(ups=2, features=8, blocks=2, grown=4):
    """ESRGAN's first release: everything in sequences, names by place."""
    conv = functools.partial(nn.Conv2d, kernel_size=3, padding=1)
    inner = [ThreeDense(features, grown, "RDB", True) for _ in range(blocks)]
    parts = [conv(3, features), Shortcut(nn.Sequential(*inner, conv(features, features)))]
    for _ in range(ups):
        parts += [nn.Upsample(scale_factor=2, mode="nearest"), conv(features, features), nn.LeakyReLU(0.2)]
    parts += [conv(features, features), nn.LeakyReLU(0.2), conv(features, 3)]
    whole = nn.Module()
    whole.model = nn.Sequential(*parts)
    whole.forward = whole.model.forward
    return whole


class PlainBlock(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.conv1, self.conv2 = (nn.Conv2d(features, features, 3, 1, 1) for _ in range(2))

    def forward(self, x):
        return x + self.conv2(functional.relu(self.conv1(x)))


class MsrResNet(nn.Module):
    def __init__(self, scale=4, features=8, blocks=3):
        super().__init__()
        self.scale = scale
        self.conv_first = nn.Conv2d(3, features, 3, 1, 1)
        self.body = nn.Sequential(*(PlainBlock(features) for _ in range(blocks)))
        factor = 3 if scale == 3 else 2
        self.upconv1 = nn.Conv2d(features, features * factor**2, 3, 1, 1)
        if scale == 4:
            self.upconv2 = nn.Conv2d(features, features * 4, 3, 1, 1)
        self.conv_hr = nn.Conv2d(features, features, 3, 1, 1)
        self.conv_last = nn.Conv2d(features, 3, 3, 1, 1)
        self.shuffle, self.act = nn.PixelShuffle(factor), nn.LeakyReLU(0.1)

    def forward(self, x):
        y = self.body(self.act(self.conv_first(x)))
        y = self.act(self.shuffle(self.upconv1(y)))
        if self.scale == 4:
            y = self.act(self.shuffle(self.upconv2(y)))
        base = functional.interpolate(x, scale_factor=self.scale, mode="bilinear", align_corners=False)
        return self.conv_last(self.act(self.conv_hr(y))) + base


class NormBlock(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(features, features, 3, padding=1), nn.BatchNorm2d(features)
        self.prelu = nn.PReLU()
        self.conv2, self.bn2 = nn.Conv2d(features, features, 3, padding=1), nn.BatchNorm2d(features)

    def forward(self, x):
        return x + self.bn2(self.conv2(self.prelu(self.bn1(self.conv1(x)))))


class ShuffleBlock(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.conv = nn.Conv2d(features, features * 4, 3, padding=1)
        self.pixel_shuffle, self.prelu = nn.PixelShuffle(2), nn.PReLU()

    def forward(self, x):
        return self.prelu(self.pixel_shuffle(self.conv(x)))


class NumberedSrGan(nn.Module):
    """leftthomas/SRGAN."""

    def __init__(self, doublings=2, features=8):
        super().__init__()
        self.block1 = nn.Sequential(nn.Conv2d(3, features, 9, padding=4), nn.PReLU())
        for number in range(2, 7):
            setattr(self, f"block{number}", NormBlock(features))
        self.block7 = nn.Sequential(nn.Conv2d(features, features, 3, padding=1), nn.BatchNorm2d(features))
        ups = [ShuffleBlock(features) for _ in range(doublings)]
        self.block8 = nn.Sequential(*ups, nn.Conv2d(features, 3, 9, padding=4))

    def forward(self, x):
        first = y = self.block1(x)
        for number in range(2, 7):
            y = getattr(self, f"block{number}")(y)
        return (torch.tanh(self.block8(first + self.block7(y))) + 1) / 2


class ConvBlock(nn.Module):
    def __init__(self, entering, leaving, side, norm=False, activation=None):
        super().__init__()
        parts = [nn.Conv2d(entering, leaving, side, padding=side // 2)]
        parts += [nn.BatchNorm2d(leaving)] if norm else []
        parts += [activation] if activation is not None else []
        self.conv_block = nn.Sequential(*parts)

    def forward(self, x):
        return self.conv_block(x)


class TutorialBlock(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.conv_block1 = ConvBlock(features, features, 3, True, nn.PReLU())
        self.conv_block2 = ConvBlock(features, features, 3, True)

    def forward(self, x):
        return x + self.conv_block2(self.conv_block1(x))


class TutorialSrResNet(nn.Module):
    """sgrvinod/a-PyTorch-Tutorial-to-Super-Resolution."""

    def __init__(self, features=8, blocks=3, doublings=2):
        super().__init__()
        self.conv_block1 = ConvBlock(3, features, 9, activation=nn.PReLU())
        self.residual_blocks = nn.Sequential(*(TutorialBlock(features) for _ in range(blocks)))
        self.conv_block2 = ConvBlock(features, features, 3, True)
        self.subpixel_convolutional_blocks = nn.Sequential(*(ShuffleBlock(features) for _ in range(doublings)))
        self.conv_block3 = ConvBlock(features, 3, 9, activation=nn.Tanh())

    def forward(self, x):
        first = self.conv_block1(x)
        y = first + self.conv_block2(self.residual_blocks(first))
        return self.conv_block3(self.subpixel_convolutional_blocks(y))


class UNetLevel(nn.Module):
    """pytorch-CycleGAN-and-pix2pix, `UnetSkipConnectionBlock`."""

    def __init__(self, outer, inner, entering=None, deeper=None, outermost=False, norm=nn.BatchNorm2d):
        super().__init__()
        self.outermost = outermost
        bias = norm is nn.InstanceNorm2d
        down = nn.Conv2d(entering or outer, inner, 4, 2, 1, bias=bias)
        if outermost:
            up = nn.ConvTranspose2d(inner * 2, outer, 4, 2, 1)
            parts = [down, deeper, nn.ReLU(True), up, nn.Tanh()]
        elif deeper is None:
            up = nn.ConvTranspose2d(inner, outer, 4, 2, 1, bias=bias)
            parts = [nn.LeakyReLU(0.2, True), down, nn.ReLU(True), up, norm(outer)]
        else:
            up = nn.ConvTranspose2d(inner * 2, outer, 4, 2, 1, bias=bias)
            parts = [nn.LeakyReLU(0.2, True), down, norm(inner), deeper, nn.ReLU(True), up, norm(outer)]
        self.model = nn.Sequential(*parts)

    def forward(self, x):
        return self.model(x) if self.outermost else torch.cat([x, self.model(x)], 1)


class UNet(nn.Module):
    def __init__(self, levels=8, ngf=4, norm=nn.BatchNorm2d):
        super().__init__()
        block = UNetLevel(ngf * 8, ngf * 8, norm=norm)
        for _ in range(levels - 5):
            block = UNetLevel(ngf * 8, ngf * 8, deeper=block, norm=norm)
        for factor in (4, 2, 1):
            block = UNetLevel(ngf * factor, ngf * factor * 2, deeper=block, norm=norm)
        self.model = UNetLevel(3, ngf, 3, block, True, norm)

    def forward(self, x):
        return self.model(x)


class ResidualOfCycleGan(nn.Module):
    def __init__(self, features, norm, dropout):
        super().__init__()

        def half():
            conv = nn.Conv2d(features, features, 3, bias=norm is nn.InstanceNorm2d)
            return [nn.ReflectionPad2d(1), conv, norm(features)]

        self.conv_block = nn.Sequential(*half(), nn.ReLU(True), *([nn.Dropout(0.5)] if dropout else []), *half())

    def forward(self, x):
        return x + self.conv_block(x)


def cycle_gan(blocks=9, ngf=4, norm=nn.InstanceNorm2d, dropout=False):
    """pytorch-CycleGAN-and-pix2pix, `ResnetGenerator`."""
    bias = norm is nn.InstanceNorm2d
    parts = [nn.ReflectionPad2d(3), nn.Conv2d(3, ngf, 7, bias=bias), norm(ngf), nn.ReLU(True)]
    for wide in (ngf, 2 * ngf):
        parts += [nn.Conv2d(wide, 2 * wide, 3, 2, 1, bias=bias), norm(2 * wide), nn.ReLU(True)]
    parts += [ResidualOfCycleGan(4 * ngf, norm, dropout) for _ in range(blocks)]
    for wide in (4 * ngf, 2 * ngf):
        up = nn.ConvTranspose2d(wide, wide // 2, 3, 2, 1, output_padding=1, bias=bias)
        parts += [up, norm(wide // 2), nn.ReLU(True)]
    parts += [nn.ReflectionPad2d(3), nn.Conv2d(ngf, 3, 7), nn.Tanh()]
    whole = nn.Module()
    whole.model = nn.Sequential(*parts)
    whole.forward = whole.model.forward
    return whole


class PaddedConv(nn.Module):
    def __init__(self, entering, leaving, side, stride=1, up=None):
        super().__init__()
        self.up = up
        self.reflection_pad = nn.ReflectionPad2d(side // 2)
        self.conv2d = nn.Conv2d(entering, leaving, side, stride)

    def forward(self, x):
        if self.up:
            x = functional.interpolate(x, mode="nearest", scale_factor=self.up)
        return self.conv2d(self.reflection_pad(x))


class StyleBlock(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.conv1, self.in1 = PaddedConv(features, features, 3), nn.InstanceNorm2d(features, affine=True)
        self.conv2, self.in2 = PaddedConv(features, features, 3), nn.InstanceNorm2d(features, affine=True)

    def forward(self, x):
        return self.in2(self.conv2(torch.relu(self.in1(self.conv1(x))))) + x


class StyleTransfer(nn.Module):
    """pytorch/examples, `fast_neural_style`."""

    def __init__(self, features=4, blocks=5):
        super().__init__()
        self.blocks = blocks
        self.conv1, self.in1 = PaddedConv(3, features, 9), nn.InstanceNorm2d(features, affine=True)
        self.conv2, self.in2 = PaddedConv(features, 2 * features, 3, 2), nn.InstanceNorm2d(2 * features, affine=True)
        self.conv3, self.in3 = (
            PaddedConv(2 * features, 4 * features, 3, 2),
            nn.InstanceNorm2d(4 * features, affine=True),
        )
        for number in range(1, blocks + 1):
            setattr(self, f"res{number}", StyleBlock(4 * features))
        self.deconv1, self.in4 = (
            PaddedConv(4 * features, 2 * features, 3, up=2),
            nn.InstanceNorm2d(2 * features, affine=True),
        )
        self.deconv2, self.in5 = PaddedConv(2 * features, features, 3, up=2), nn.InstanceNorm2d(features, affine=True)
        self.deconv3 = PaddedConv(features, 3, 9)

    def forward(self, x):
        for number in (1, 2, 3):
            x = torch.relu(getattr(self, f"in{number}")(getattr(self, f"conv{number}")(x)))
        for number in range(1, self.blocks + 1):
            x = getattr(self, f"res{number}")(x)
        x = torch.relu(self.in4(self.deconv1(x)))
        return self.deconv3(torch.relu(self.in5(self.deconv2(x))))


_IN = nn.InstanceNorm2d
PLAIN = {
    "rrdb x4": ("rrdb", BasicSrRrdb, {"num_block": 2, "num_feat": 8, "num_grow_ch": 4, "ups": 2, "unshuffle": 1}),
    "rrdb x2": ("rrdb", lambda: BasicSrRrdb(2, 12, 1, 6), {"num_feat": 12, "num_grow_ch": 6, "unshuffle": 2}),
    "rrdb x1": ("rrdb", lambda: BasicSrRrdb(1, 8, 3), {"num_block": 3, "unshuffle": 4}),
    "esrgan x4": ("rrdb", first_esrgan, {"num_block": 2, "ups": 2, "names": "esrgan"}),
    "esrgan x2": ("rrdb", lambda: first_esrgan(1, 6, 3), {"num_block": 3, "ups": 1, "num_feat": 6}),
    "esrgan x1": ("rrdb", lambda: first_esrgan(0), {"ups": 0}),
    "msrresnet x4": ("msrresnet", MsrResNet, {"blocks": 3, "factors": [2, 2], "channels": 8}),
    "msrresnet x3": ("msrresnet", lambda: MsrResNet(3, 12, 2), {"blocks": 2, "factors": [3], "channels": 12}),
    "msrresnet x2": ("msrresnet", lambda: MsrResNet(2), {"factors": [2]}),
    "srgan x4": ("srresnet", NumberedSrGan, {"blocks": 5, "factors": [2, 2], "channels": 8, "large": 9, "small": 3}),
    "srgan x8": ("srresnet", lambda: NumberedSrGan(3), {"factors": [2, 2, 2]}),
    "srresnet x4": ("srresnet", TutorialSrResNet, {"blocks": 3, "factors": [2, 2], "names": "sgrvinod"}),
    "pix2pix 256": ("pix2pix", UNet, {"num_downs": 8, "ngf": 4, "norm": "batch", "input_nc": 3}),
    "pix2pix 128": ("pix2pix", lambda: UNet(7, 6, _IN), {"num_downs": 7, "ngf": 6, "norm": "instance"}),
    "cyclegan 9": ("cyclegan", cycle_gan, {"n_blocks": 9, "ngf": 4, "norm": "instance", "use_dropout": False}),
    "cyclegan 6": (
        "cyclegan",
        lambda: cycle_gan(6, 6, nn.BatchNorm2d, True),
        {"n_blocks": 6, "ngf": 6, "norm": "batch", "use_dropout": True},
    ),
    "transform": ("transform", StyleTransfer, {"channels": 4, "blocks": 5, "large": 9}),
}


def plain(name):
    """A reference with weights that are all in use, and an input for it."""
    torch.manual_seed(zlib.crc32(name.encode()))
    module = PLAIN[name][1]().eval().requires_grad_(False)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.normal_(part.running_mean, std=0.2)
            nn.init.uniform_(part.running_var, 0.5, 1.5)
        if isinstance(part, nn.BatchNorm2d | nn.InstanceNorm2d) and part.affine:
            nn.init.normal_(part.weight, mean=1.0, std=0.2)
            nn.init.normal_(part.bias, std=0.2)
        if isinstance(part, nn.Conv2d) and part.bias is not None:
            nn.init.normal_(part.bias, std=0.2)
        if isinstance(part, nn.PReLU):
            nn.init.uniform_(part.weight, 0.1, 0.4)
    side = 1 << PLAIN[name][2].get("num_downs", 5)
    return module, torch.rand(1, 3, side, side)


@pytest.mark.parametrize("name", list(PLAIN))
def test_a_layout_is_recognised_and_gives_what_it_gives(name):
    architecture, _, known = PLAIN[name]
    reference, x = plain(name)
    loaded = networks.from_state_dict(reference.state_dict())
    assert loaded.recognised.architecture == architecture
    assert {key: loaded.recognised.arguments[key] for key in known} == known
    expected = reference(x)
    for form in (loaded, networks.inference_form(loaded)):
        assert (form(x) - expected).abs().max() < 5e-5 * expected.std()
    # Every tensor has its place under its own name.
    assert {key: value.shape for key, value in loaded.state_dict().items()} == {
        key: value.shape for key, value in reference.state_dict().items()
    }


def renamed(state_dict, rules):
    found = {}
    for name, value in state_dict.items():
        new = name
        for old, now in rules:
            new = new.replace(old, now)
        found[new] = value
    return found


_RENAMED = {
    "rrdb x4": [
        ("conv_body", "trunk_conv"),
        ("body.", "RRDB_trunk."),
        ("rdb", "RDB"),
        ("conv_up", "upconv"),
        ("conv_hr", "HRconv"),
    ],
    "msrresnet x4": [("body.", "recon_trunk."), ("conv_hr", "HRconv")],
    "msrresnet x3": [("body.", "trunk_net."), ("upconv1", "upsample1.upsample_conv")],
}


@pytest.mark.parametrize("name", ["rrdb x4", "msrresnet x4", "msrresnet x3"])
def test_other_names_of_the_same_network(name):
    reference, x = plain(name)
    loaded = networks.from_state_dict(renamed(reference.state_dict(), _RENAMED[name]))
    assert loaded.recognised.arguments["names"] != networks.recognise(reference.state_dict()).arguments["names"]
    expected = reference(x)
    assert (loaded(x) - expected).abs().max() < 5e-5 * expected.std()


def test_the_tutorials_gan_holds_the_network_under_another_name():
    reference, x = plain("srresnet x4")
    loaded = networks.from_state_dict({f"net.{name}": value for name, value in reference.state_dict().items()})
    assert loaded.recognised.arguments["names"] == "sgrvinod-srgan"
    assert torch.allclose(loaded(x), reference(x), atol=1e-5)


def test_files_of_mmediting_name_the_network_before_its_layers():
    reference, x = plain("msrresnet x3")
    names = renamed(reference.state_dict(), _RENAMED["msrresnet x3"])
    loaded = networks.from_state_dict(
        {"meta": {}, "state_dict": {f"generator.{name}": value for name, value in names.items()}}
    )
    assert torch.allclose(loaded(x), reference(x), atol=1e-5)


@pytest.mark.parametrize("name", ["cyclegan 9", "pix2pix 128", "transform"])
def test_statistics_that_old_files_hold_are_left_out_as_the_authors_loader_does(name):
    reference, x = plain(name)
    old = dict(reference.state_dict())
    for layer, part in reference.named_modules():
        if isinstance(part, nn.InstanceNorm2d):
            old[f"{layer}.running_mean"] = torch.full((part.num_features,), 7.0)
            old[f"{layer}.running_var"] = torch.full((part.num_features,), 9.0)
            if name != "transform":
                old[f"{layer}.num_batches_tracked"] = torch.tensor(3)
    assert len(old) > len(reference.state_dict())
    loaded = networks.from_state_dict(old)
    assert loaded.state_dict().keys() == reference.state_dict().keys()
    assert (loaded(x) - reference(x)).abs().max() < 5e-5 * reference(x).std()


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("cyclegan 9", "model.99"),
        ("cyclegan 9", "model.1.extra"),
        ("pix2pix 256", "model.model.1.model.9"),
        ("transform", "in9"),
    ],
)
def test_statistics_of_layers_that_the_network_has_not_are_refused(name, layer):
    state_dict = dict(plain(name)[0].state_dict())
    state_dict[f"{layer}.running_mean"] = torch.zeros(8)
    with pytest.raises(networks.UnknownArchitectureError, match=f"unexpected: {re.escape(layer)}.running_mean"):
        networks.from_state_dict(state_dict)


@pytest.mark.parametrize(("fold", "leaving"), [(2, 1), (2, 4), (4, 1)])
def test_colours_that_are_folded_are_told_whatever_is_made_of_them(fold, leaving):
    arguments = {"num_feat": 8, "num_block": 1, "num_grow_ch": 4, "unshuffle": fold, "num_out_ch": leaving}
    found = networks.recognise(networks.build("rrdb", arguments).state_dict())
    assert {key: found.arguments[key] for key in ("num_in_ch", "num_out_ch", "unshuffle")} == {
        "num_in_ch": 3,
        "num_out_ch": leaving,
        "unshuffle": fold,
    }


def test_counters_that_old_files_lack_are_not_missed():
    reference, x = plain("pix2pix 256")
    old = {name: value for name, value in reference.state_dict().items() if "num_batches_tracked" not in name}
    loaded = networks.from_state_dict(old)
    assert torch.allclose(loaded(x), reference(x), atol=1e-5)
    assert {int(value) for name, value in loaded.state_dict().items() if "num_batches_tracked" in name} == {0}


def test_running_statistics_of_batch_normalisation_are_missed():
    state_dict = plain("pix2pix 256")[0].state_dict()
    del state_dict["model.model.1.model.2.running_var"]
    with pytest.raises(
        networks.UnknownArchitectureError, match=r"looks like pix2pix.*missing: model\.model\.1\.model\.2"
    ):
        networks.from_state_dict(state_dict)


@pytest.mark.parametrize(
    ("name", "key", "shape"),
    [
        ("rrdb x4", "conv_last.weight", (0, 8, 3, 3)),
        ("rrdb x4", "body.0.rdb1.conv1.weight", (10**7, 8, 3, 3)),
        ("rrdb x4", "body.999999999.rdb1.conv1.weight", (4, 8, 3, 3)),
        ("msrresnet x4", "upconv1.weight", (33, 8, 3, 3)),
        ("msrresnet x4", "upconv1.weight", (32, 0, 3, 3)),
        ("srgan x4", "block1.0.weight", (8, 3, 9, 8)),
        ("pix2pix 256", "model.model.0.weight", (10**8, 3, 4, 4)),
        ("cyclegan 9", "model.1.weight", (10**7, 3, 7, 7)),
        ("cyclegan 9", "model.400.conv_block.1.weight", (16, 16, 3, 3)),
        ("transform", "conv1.conv2d.weight", (4, 3, 9, 8)),
    ],
)
def test_hostile_shapes_are_refused(name, key, shape):
    layout = {tensor: tuple(value.shape) for tensor, value in plain(name)[0].state_dict().items()}
    layout[key] = shape
    with pytest.raises(networks.UnknownArchitectureError, match=f"looks like {PLAIN[name][0]}"):
        networks.recognise(layout)


def test_hidden_arguments_of_networks_for_whole_pictures():
    reference, x = plain("esrgan x2")
    found = networks.from_state_dict(reference.state_dict(), up_factor=3)
    assert found(x).shape[-1] == 3 * x.shape[-1]
    assert found.recognised.output_shape == (3, 192, 192)
    trained = networks.from_state_dict(plain("pix2pix 128")[0].state_dict(), use_dropout=True)
    assert sum(isinstance(part, nn.Dropout) for part in trained.modules()) == 2
    frozen = networks.inference_form(trained.train())
    picture = torch.rand(1, 3, 128, 128)
    assert torch.equal(frozen(picture), frozen(picture))


def test_shapes_of_networks_for_any_size():
    for name in PLAIN:
        reference, _ = plain(name)
        found = networks.recognise(reference.state_dict())
        assert found.sizeless
        assert reference(torch.rand(1, *found.input_shape)).shape[1:] == found.output_shape
    assert not networks.recognise(networks.build("parsenet", {}).state_dict()).sizeless
