"""Checkpoints with made-up weights, at full size as published and tiny."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from operators import networks

_FOLDER = Path(__file__).parent / "published"


@dataclass(frozen=True)
class PublishedCheckpoint:
    """A published layout with made-up weights, its input, and what the authors' code made of it."""

    state_dict: dict[str, Tensor]
    entering: Tensor
    reference: Mapping[str, NDArray[np.float32]]

    def deviation(self, output: Tensor) -> float:
        """Largest difference from the reference, in its standard deviations."""
        middle = output.shape[-1] // 2
        center = output[0, :, middle - 32 : middle + 32, middle - 32 : middle + 32]
        pooled = functional.adaptive_avg_pool2d(output, 32)[0]
        pairs = ((center, "center"), (pooled, "pooled"), (output.mean(), "mean"), (output.std(), "std"))
        worst = max(float(np.abs(found.numpy() - self.reference[name]).max()) for found, name in pairs)
        return worst / float(self.reference["std"])


def drawn(name: str, shape: list[int]) -> NDArray[np.float32]:
    rng = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))
    return np.asarray(rng.standard_normal(shape), np.float32)


def made_up(layout: str, name: str, shape: list[int]) -> Tensor:
    values = drawn(name, shape)
    if name == "lod" or name.endswith("num_batches_tracked"):
        values = np.zeros_like(values)
    elif name.endswith("running_var"):
        values = np.abs(values) + np.float32(0.5)
    elif values.ndim <= 1:
        values = values * np.float32(0.1)
    elif layout.startswith("parsenet") or (layout.startswith("gfpgan") and values.ndim in {2, 4}):
        values = values / np.float32(np.sqrt(np.prod(shape[1:])))
    if name.endswith("norm.norm.weight"):
        values = values + np.float32(1)
    return torch.from_numpy(np.ascontiguousarray(values).reshape(shape))


@pytest.fixture(scope="session")
def published_layout() -> Callable[[str], dict[str, tuple[int, ...]]]:
    """Shapes by name of a published checkpoint."""

    def layout(name: str) -> dict[str, tuple[int, ...]]:
        read = json.loads((_FOLDER / f"{name}.json").read_text())
        return {tensor: tuple(shape) for tensor, shape in read["tensors"].items()}

    return layout


@pytest.fixture(scope="session")
def published_checkpoint() -> Callable[[str], PublishedCheckpoint]:
    """A published checkpoint by the name of its layout; the README beside the layouts has the recipe."""

    def checkpoint(name: str) -> PublishedCheckpoint:
        read = json.loads((_FOLDER / f"{name}.json").read_text())
        with np.load(_FOLDER / f"{name}.npz") as stored:
            reference = {key: stored[key] for key in stored}
        tensors = {
            tensor: torch.from_numpy(reference[tensor]) if tensor in reference else made_up(name, tensor, shape)
            for tensor, shape in read["tensors"].items()
        }
        rng = np.random.Generator(np.random.PCG64(20260101))
        if name.startswith("pggan"):
            entering = torch.from_numpy(rng.standard_normal((1, 512)).astype(np.float32))
        else:
            small = torch.from_numpy(rng.uniform(-1, 1, (1, 3, 64, 64)).astype(np.float32))
            entering = functional.interpolate(small, size=(512, 512), mode="bilinear", align_corners=False)
        return PublishedCheckpoint(tensors, entering, reference)

    return checkpoint


_GFPGAN = {"narrow": 1 / 16, "num_style_feat": 24, "num_mlp": 2}
_GPEN = {"narrow": 1 / 16, "style_dim": 24, "n_mlp": 2}
_PARSENET = {"base_ch": 8, "ch_range": [8, 16], "res_depth": 2}
_STYLEGAN2 = {"narrow": 1 / 16, "style_dim": 24, "n_mlp": 2}
_RRDB = {"num_feat": 8, "num_grow_ch": 4}
_PGGAN = {"z_space_dim": 24, "fmaps_base": 256, "fmaps_max": 16}

TINY: Mapping[str, tuple[str, dict[str, Any]]] = {
    "clean": ("gfpgan_clean", {"out_size": 64, **_GFPGAN}),
    "clean, 8 px": ("gfpgan_clean", {"out_size": 8, **_GFPGAN}),
    "clean, all channels": ("gfpgan_clean", {"out_size": 32, "sft_half": False, **_GFPGAN}),
    "clean, one latent": ("gfpgan_clean", {"out_size": 32, "different_w": False, **_GFPGAN}),
    "clean, mapped": ("gfpgan_clean", {"out_size": 32, "input_is_latent": False, **_GFPGAN}),
    "clean, one latent mapped": (
        "gfpgan_clean",
        {"out_size": 32, "different_w": False, "input_is_latent": False, **_GFPGAN},
    ),
    "clean, no noise": ("gfpgan_clean", {"out_size": 32, "stored_noise": False, **_GFPGAN}),
    "v1": ("gfpgan_v1", {"out_size": 64, "channel_multiplier": 1, **_GFPGAN}),
    "v1, bilinear": ("gfpgan_v1", {"out_size": 32, "resampling": "bilinear", **_GFPGAN}),
    "v1, one latent mapped": (
        "gfpgan_v1",
        {"out_size": 32, "different_w": False, "input_is_latent": False, **_GFPGAN},
    ),
    "gpen": ("gpen", {"in_size": 64, "out_size": 64, **_GPEN}),
    "gpen, 8 px": ("gpen", {"in_size": 8, "out_size": 8, **_GPEN}),
    "gpen, larger output": ("gpen", {"in_size": 16, "out_size": 64, **_GPEN}),
    "gpen, stored noise": ("gpen", {"in_size": 16, "out_size": 64, "stored_noise": True, **_GPEN}),
    "gpen, added noise": ("gpen", {"in_size": 32, "out_size": 32, "isconcat": False, **_GPEN}),
    "gpen, added stored noise": (
        "gpen",
        {"in_size": 16, "out_size": 32, "isconcat": False, "stored_noise": True, **_GPEN},
    ),
    "gpen, other filter": ("gpen", {"in_size": 32, "out_size": 32, "blur_kernel": [1, 2, 1], **_GPEN}),
    "gpen, a share of the input": ("gpen", {"in_size": 32, "out_size": 32, "skip": 0.25, **_GPEN}),
    "parsenet": ("parsenet", {"in_size": 64, "out_size": 64, **_PARSENET}),
    "parsenet, other sizes": ("parsenet", {"in_size": 128, "out_size": 64, **_PARSENET}),
    "pggan": ("pggan", {"resolution": 32, **_PGGAN}),
    "pggan, fused": ("pggan", {"resolution": 32, "fused_scale": True, **_PGGAN}),
    "pggan, two levels left out": ("pggan", {"resolution": 64, "lod": 2.0, **_PGGAN}),
    "stylegan2": ("stylegan2", {"resolution": 32, "stored_noise": True, "latent_avg": True, **_STYLEGAN2}),
    "stylegan2, no noise": ("stylegan2", {"resolution": 64, **_STYLEGAN2}),
    "stylegan2, noise beside": ("stylegan2", {"resolution": 16, "isconcat": True, "stored_noise": True, **_STYLEGAN2}),
    "mobilestylegan": ("mobilestylegan", {"style_dim": 24, "n_mlp": 2, "channels": [16, 16, 12, 8]}),
    "mobilestylegan, one block": ("mobilestylegan", {"style_dim": 24, "n_mlp": 1, "channels": [8, 6]}),
    "rrdb": ("rrdb", {"num_block": 1, **_RRDB}),
    "rrdb, folded": ("rrdb", {"num_block": 2, "unshuffle": 2, "names": "basicsr-2018", **_RRDB}),
    "rrdb, once": ("rrdb", {"num_block": 1, "ups": 1, "names": "esrgan", **_RRDB}),
    "srresnet": ("srresnet", {"channels": 8, "blocks": 2}),
    "srresnet, tutorial": ("srresnet", {"channels": 8, "blocks": 1, "factors": [2], "names": "sgrvinod"}),
    "srresnet, no bias": ("srresnet", {"channels": 8, "blocks": 1, "bias": False, "names": "lornatang"}),
    "msrresnet": ("msrresnet", {"channels": 8, "blocks": 2}),
    "msrresnet, thrice": ("msrresnet", {"channels": 8, "blocks": 1, "factors": [3], "names": "mmediting"}),
    "pix2pix": ("pix2pix", {"ngf": 4, "num_downs": 6}),
    "pix2pix, instance": ("pix2pix", {"ngf": 4, "num_downs": 5, "norm": "instance"}),
    "cyclegan": ("cyclegan", {"ngf": 4, "n_blocks": 2}),
    "cyclegan, batch": ("cyclegan", {"ngf": 4, "n_blocks": 1, "norm": "batch", "padding": "zero"}),
    "transform": ("transform", {"channels": 4, "blocks": 2}),
}


def tiny_module(name: str) -> nn.Module:
    architecture, arguments = TINY[name]
    torch.manual_seed(zlib.crc32(name.encode()))
    module = networks.build(architecture, arguments).eval()
    for tensor, parameter in module.named_parameters():
        # Biases and noise weights begin at zero, and would hide that they are not used. Styles keep theirs of one.
        if tensor != "lod" and (parameter.ndim <= 1 or tensor.endswith("bias")) and "modulation" not in tensor:
            nn.init.normal_(parameter, std=0.2)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.normal_(part.weight, mean=1.0, std=0.2)
            nn.init.normal_(part.running_mean, std=0.2)
            nn.init.uniform_(part.running_var, 0.5, 1.5)
    return module.requires_grad_(False)


@pytest.fixture(scope="session")
def tiny_network() -> Callable[[str], nn.Module]:
    """A fresh trainable network of `TINY` with random weights, the same each time, in eval mode without gradients."""
    return tiny_module


@pytest.fixture
def one_torch_thread() -> Iterator[None]:
    """Tiny networks on one thread: several would only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def network_input() -> Callable[..., Tensor]:
    """Smooth random input for a network, as faces are smooth."""

    def made(module: nn.Module, count: int = 2) -> Tensor:
        shape = networks.recognise(module.state_dict()).input_shape
        generator = torch.Generator().manual_seed(count)
        if len(shape) == 1:
            return torch.randn(count, *shape, generator=generator)
        coarse = torch.rand(count, 3, 4, 4, generator=generator) * 2 - 1
        return functional.interpolate(coarse, size=shape[1:], mode="bilinear", align_corners=False)

    return made


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`variant` runs over all tiny networks, `generator_variant` over those with modulated convolutions."""
    if "variant" in metafunc.fixturenames:
        metafunc.parametrize("variant", list(TINY))
    if "generator_variant" in metafunc.fixturenames:
        names = [
            name for name, (architecture, _) in TINY.items() if architecture.startswith(("gfpgan", "gpen", "stylegan2"))
        ]
        metafunc.parametrize("generator_variant", names)
