"""The model that comes with facejobs: part of the package's data, and no file of a cache."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import operators
from operators.models.checkpoints import CHECKPOINTS

COMPACT = "compact"
"""Name of the default restorer."""

ARGUMENTS: Mapping[str, Any] = MappingProxyType(
    {
        "in_size": 256,
        "out_size": 256,
        "style_dim": 256,
        "n_mlp": 4,
        "channel_multiplier": 2,
        "narrow": 0.25,
        "isconcat": True,
        "lr_mlp": 0.01,
        "blur_kernel": (1, 3, 3, 1),
        "stored_noise": False,
        "skip": 0.0,
    }
)
"""Of its network, as recognised."""


def shipped_file(name: str) -> Path | None:
    """The file of a model that comes with facejobs; None for every other name."""
    if name != COMPACT:
        return None
    return Path(operators.__file__).parent / "data" / CHECKPOINTS[name].file
