"""Checkpoints of real architectures with very few channels and random weights."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import torch

from operators.networks import build

ARGUMENTS: dict[str, dict[str, Any]] = {
    "gpen": {"style_dim": 16, "n_mlp": 2, "channel_multiplier": 1, "narrow": 1 / 32},
    "gfpgan_clean": {"num_style_feat": 16, "num_mlp": 2, "channel_multiplier": 1, "narrow": 1 / 32},
    "parsenet": {"min_feat_size": 32, "base_ch": 8, "parsing_ch": 19, "res_depth": 1, "ch_range": [8, 16]},
}


@cache
def weights(architecture: str = "gpen", size: int = 16, seed: int = 0) -> dict[str, torch.Tensor]:
    """Random weights of a small network of this size."""
    torch.manual_seed(seed)
    sizes = {"out_size": size} if architecture == "gfpgan_clean" else {"in_size": size, "out_size": size}
    network = build(architecture, {**ARGUMENTS[architecture], **sizes})
    return dict(network.state_dict())


def save(path: Path, architecture: str = "gpen", size: int = 16, seed: int = 0) -> Path:
    """Save such weights."""
    torch.save(weights(architecture, size, seed), path)
    return path


def sha256(path: Path) -> str:
    """Hash of a small file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
