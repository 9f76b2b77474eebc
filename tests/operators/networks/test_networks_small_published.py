"""Variants of the published architectures give what their authors' code gave; small, so that all are tried."""

from __future__ import annotations

import json
import re
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from operators import networks

_FOLDER = Path(__file__).parent / "published"
_LAYOUTS = json.loads((_FOLDER / "small.json").read_text())
_TOLERANCE = 3e-4  # a CPU without AVX-512 came to 1.1e-4 where others stay below 1e-4
_MAPPING = re.compile(r"(\.style|style_mlp)\.\d+\.weight$")


def _checkpoint(layout: str) -> dict[str, Tensor]:
    plain = _LAYOUTS[layout]["weights"] == "plain"
    tensors = {}
    with np.load(_FOLDER / "small.npz") as stored:
        for name, shape in _LAYOUTS[layout]["tensors"].items():
            if name.endswith(".kernel"):
                tensors[name] = torch.from_numpy(stored[f"{layout}/{name}"])
                continue
            rng = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))
            values = np.asarray(rng.standard_normal(shape), np.float32)
            if len(shape) < 2:
                values = values * np.float32(0 if name == "lod" else 0.1)
            elif plain and len(shape) in {2, 4}:
                values = values / np.float32(np.sqrt(np.prod(shape[1:])))
            elif not plain and _MAPPING.search(name):
                values = values * np.float32(100)
            if name.endswith(".modulation.bias"):
                values = values + np.float32(1)
            if name.endswith("noise.weight"):
                values = values * np.float32(5)
            tensors[name] = torch.from_numpy(np.ascontiguousarray(values).reshape(shape))
    return tensors


def _entering(shape: tuple[int, ...]) -> Tensor:
    rng = np.random.Generator(np.random.PCG64(20260101))
    if len(shape) == 1:
        return torch.from_numpy(rng.standard_normal((2, *shape)).astype(np.float32))
    size = shape[-1]
    small = torch.from_numpy(rng.uniform(-1, 1, (2, 3, size // 8, size // 8)).astype(np.float32))
    return functional.interpolate(small, size=(size, size), mode="bilinear", align_corners=False)


@pytest.mark.parametrize("layout", list(_LAYOUTS))
@pytest.mark.usefixtures("one_torch_thread")
def test_output_of_a_variant_is_the_authors(layout: str) -> None:
    hidden = {"resampling": "bilinear"} if "bilinear" in layout else {}
    module = networks.from_state_dict(_checkpoint(layout), **hidden)
    with np.load(_FOLDER / "small.npz") as stored:
        reference = torch.from_numpy(stored[layout])
    with torch.no_grad():
        entering = _entering(module.recognised.input_shape)
        for form in (module, networks.inference_form(module), networks.published_form(module)):
            output = form(entering)
            step = output.shape[-1] // reference.shape[-1]
            assert output.shape[1:] == module.recognised.output_shape
            assert (output[..., ::step, ::step] - reference).abs().max() < _TOLERANCE * reference.std()


@pytest.mark.parametrize("layout", ["gpen_64", "gfpgan_clean_64_mapped", "gfpgan_v1_32_whole"])
@pytest.mark.usefixtures("one_torch_thread")
def test_the_reference_sees_the_mapping_network_where_it_is_used(layout: str) -> None:
    checkpoint = _checkpoint(layout)
    (first, *_) = (name for name in checkpoint if _MAPPING.search(name))
    with np.load(_FOLDER / "small.npz") as stored:
        reference = torch.from_numpy(stored[layout])
    checkpoint[first] = checkpoint[first].t()
    module = networks.from_state_dict(checkpoint)
    with torch.no_grad():
        output = module(_entering(module.recognised.input_shape))
    step = output.shape[-1] // reference.shape[-1]
    seen = (output[..., ::step, ::step] - reference).abs().max() > 0.01 * reference.std()
    assert bool(seen) is (layout != "gfpgan_v1_32_whole")
