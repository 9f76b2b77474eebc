"""Tiny networks with random weights, saved as real checkpoint files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from operators.engines.options import EngineOptions
from operators.faces.templates import template_points
from operators.restorers.contract import Equipment, FaceContext
from operators.restorers.table import create

EAGER = EngineOptions(engine="eager", precision="fp32", device="cpu", threads=1)
GFPGAN = {"out_size": 64, "num_style_feat": 16, "channel_multiplier": 1, "narrow": 1 / 32, "num_mlp": 2}
GPEN = {"in_size": 64, "out_size": 64, "style_dim": 16, "n_mlp": 2, "channel_multiplier": 1, "narrow": 1 / 32}


@dataclass(frozen=True)
class ModelFolder:
    """Model files in a folder; `operators.restorers.contract.ModelFiles`."""

    folder: Path

    def path(self, name: str, sha256: str) -> Path:
        path = self.folder / name
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256
        return path


@dataclass
class TinyModels:
    """Checkpoint files by name, their hashes, and the networks that they hold."""

    folder: Path
    hashes: dict[str, str] = field(default_factory=dict)
    networks: dict[str, Any] = field(default_factory=dict)

    @property
    def equipment(self) -> Equipment:
        return Equipment(ModelFolder(self.folder))

    def add(self, name: str, architecture: str, arguments: dict[str, Any], spoil=None) -> None:
        import torch

        from operators.networks import build

        with torch.random.fork_rng():
            torch.manual_seed(len(self.hashes))
            network = build(architecture, arguments).eval().requires_grad_(False)
            for tensor in network.parameters():
                if tensor.dim() < 2:
                    tensor.normal_(0, 0.1)
        if spoil is not None:
            spoil(network)
        self._save(name, network.state_dict())
        self.networks[name] = network

    def _save(self, name: str, weights: dict[str, Any]) -> None:
        path = self.folder / name
        if name.endswith(".safetensors"):
            from safetensors.torch import save_file

            save_file({key: tensor.contiguous() for key, tensor in weights.items()}, path)
        else:
            import torch

            torch.save({"params_ema": weights}, path)
        self.hashes[name] = hashlib.sha256(path.read_bytes()).hexdigest()

    def restorer(self, kind: str, name: str, **options: Any) -> Any:
        given = {"model": name, "sha256": self.hashes[name], "size": 64, "engine": EAGER, **options}
        restorer = create(kind, given, self.equipment)
        restorer.setup()
        return restorer

    def output(self, name: str, batch: np.ndarray) -> np.ndarray:
        """What the network as trained gives for (N, 3, S, S): (N, S', S', 3), not shifted."""
        import torch

        return self.networks[name](torch.from_numpy(batch)).numpy().transpose(0, 2, 3, 1)


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory) -> TinyModels:
    """`gfpgan.pth` and `gpen.safetensors` at 64, `gpen-small.pth` from 32 to 64."""
    models = TinyModels(tmp_path_factory.mktemp("tiny-models"))
    models.add("gfpgan.pth", "gfpgan_clean", GFPGAN)
    models.add("gpen.safetensors", "gpen", GPEN)
    models.add("gpen-small.pth", "gpen", {**GPEN, "in_size": 32})
    return models


@pytest.fixture
def face_context():
    """Makes contexts of aligned crops."""

    def make(size: int = 64, **known: Any) -> FaceContext:
        return FaceContext(template_points("ffhq", size), **{"gray": False, "reduction": 1.0, "seed": 7, **known})

    return make


@pytest.fixture
def small_faces(portrait) -> np.ndarray:
    """(3, 64, 64, 3): a portrait, mirrored, and dark."""
    import cv2

    face = cv2.resize(portrait.crop, (64, 64), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(np.stack([face, face[:, ::-1], face * np.float32(0.5)]))
