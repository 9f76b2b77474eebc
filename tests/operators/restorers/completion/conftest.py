"""Tiny networks with random weights, saved as real checkpoint files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from operators.engines.options import EngineOptions
from operators.faces.templates import template_points
from operators.networks import build
from operators.restorers.contract import Equipment, FaceContext

SIDE = 32
EAGER = EngineOptions(engine="eager", precision="fp32", device="cpu", threads=1)
NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": ("completion", {"size": SIDE, "channels": [8, 8, 8, 8]}),
    "asked": ("completion", {"size": SIDE, "channels": [8, 8, 8, 8], "attributes": 2}),
    "parser": (
        "parsenet",
        {
            "in_size": SIDE,
            "out_size": SIDE,
            "base_ch": 4,
            "parsing_ch": 3,
            "res_depth": 0,
            "ch_range": [4, 4],
        },
    ),
    "gpen": ("gpen", {"in_size": SIDE, "out_size": SIDE, "style_dim": 8, "n_mlp": 1, "narrow": 1 / 64}),
}


@dataclass(frozen=True)
class Folder:
    """Model files in a folder; `operators.restorers.contract.ModelFiles`."""

    folder: Path

    def path(self, name: str, sha256: str) -> Path:
        path = self.folder / f"{name}.safetensors"
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256
        return path


@dataclass(frozen=True)
class Models:
    """The networks, and where their files are."""

    folder: Path
    hashes: dict[str, str]
    networks: dict[str, torch.nn.Module]

    @property
    def equipment(self) -> Equipment:
        return Equipment(Folder(self.folder))

    def named(self, name: str) -> dict[str, Any]:
        return {"model": name, "sha256": self.hashes[name], "engine": EAGER}


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """Those of `NETWORKS`."""
    folder = tmp_path_factory.mktemp("completion-models")
    hashes, networks = {}, {}
    for name, (architecture, arguments) in NETWORKS.items():
        torch.manual_seed(len(name))
        networks[name] = build(architecture, arguments).eval().requires_grad_(False)
        file = folder / f"{name}.safetensors"
        save_file({key: value.contiguous() for key, value in networks[name].state_dict().items()}, file)
        hashes[name] = hashlib.sha256(file.read_bytes()).hexdigest()
    return Models(folder, hashes, networks)


@pytest.fixture
def context() -> Callable[..., FaceContext]:
    """Makes contexts of aligned crops."""

    def make(**known: Any) -> FaceContext:
        return FaceContext(template_points("ffhq", SIDE), **{"gray": False, "reduction": 1.0, "seed": 7, **known})

    return make


@pytest.fixture
def faces(portrait: Any) -> np.ndarray:
    """(3, SIDE, SIDE, 3): a portrait, mirrored, and dark."""
    face = cv2.resize(portrait.crop, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(np.stack([face, face[:, ::-1], face * np.float32(0.5)]))
