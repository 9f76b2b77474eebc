"""The detector's weights, as they come with the package, and the thresholds that belong to them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from operators.checkpoints.errors import CheckpointError
from operators.damage.kinds import KINDS, Kind

if TYPE_CHECKING:
    from operators.engines.contract import Network

WEIGHTS = "damage.safetensors"
CARD = "damage.json"
ARCHITECTURE = "damage_unet"


@dataclass(frozen=True)
class Card:
    """What is known of the shipped weights; `operators/data/NOTICE.md` says how they were made.

    Attributes:
        version: changes with the weights or the thresholds.
        sha256: of the file of weights.
        thresholds: by kind, chosen on photographs that were neither trained on nor measured with.
    """

    version: str
    sha256: str
    thresholds: Mapping[Kind, float]


@cache
def card() -> Card:
    """The shipped card; quick, without torch."""
    data = json.loads((files("operators") / "data" / CARD).read_text(encoding="utf-8"))
    return Card(str(data["version"]), str(data["sha256"]), {kind: float(data["thresholds"][kind]) for kind in KINDS})


def load(side: int) -> Network:
    """The shipped network for tiles of one size. Imports torch.

    Args:
        side: of a tile, its border included; a multiple of 16.

    Raises:
        CheckpointError: `damaged` when the file is not the one that the card names, `wrong_architecture` when it holds
            another network.
    """
    from safetensors.torch import load as load_tensors  # noqa: PLC0415 - with torch, which takes seconds

    from operators.engines.contract import Network  # noqa: PLC0415
    from operators.networks import FORMULATION, from_state_dict, inference_form  # noqa: PLC0415
    from operators.networks.load import recognised_of  # noqa: PLC0415

    data = (files("operators") / "data" / WEIGHTS).read_bytes()
    found, expected = hashlib.sha256(data).hexdigest(), card().sha256
    if found != expected:
        raise CheckpointError(
            "damaged",
            f"{WEIGHTS} of the package has the SHA-256 {found[:16]}..., and {CARD} names {expected[:16]}...: "
            "install the package anew",
        )
    module = from_state_dict(load_tensors(data))
    recognised = recognised_of(module)
    kinds = recognised.output_shape[0]
    if recognised.architecture != ARCHITECTURE or kinds != len(KINDS):
        raise CheckpointError(
            "wrong_architecture",
            f"{WEIGHTS} holds a network {recognised.architecture} of {kinds} planes, expected {ARCHITECTURE} of "
            f"{len(KINDS)}",
        )
    return Network(
        module=inference_form(module),
        architecture=recognised.architecture,
        arguments=recognised.arguments,
        formulation=FORMULATION,
        weights_sha256=found,
        input_shape=(recognised.input_shape[0], side, side),
        output_shape=(kinds, side, side),
    )
