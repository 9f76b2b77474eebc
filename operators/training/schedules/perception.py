"""The feature network of perceptual objectives: VGG-16 where its weights are given, else SFace."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from operators.features.contract import FeatureNetwork
from operators.features.networks import sface_features, vgg_features
from operators.networks.load import from_state_dict
from operators.networks.vgg16.network import Vgg16
from operators.training.contract import Hardware
from operators.training.schedules.prepared import cast

FEATURES = "features"
"""Its name in `start`."""


def feature_network(
    starts: Mapping[str, Mapping[str, Any]], vgg: tuple[str, ...], sface: tuple[str, ...]
) -> FeatureNetwork:
    """The network whose features count.

    Args:
        starts: state dicts by name; VGG-16 as `features`, in torchvision's layout.
        vgg: names of the layers, should it be VGG-16.
        sface: should it be SFace.

    Raises:
        ValueError: `features` is another network.
        operators.networks.UnknownArchitectureError: it is none of ours.
        operators.models.ModelFileError: SFace's file is missing or not the expected one.
    """
    if FEATURES not in starts:
        return sface_features(sface)
    module = from_state_dict(starts[FEATURES])
    if not isinstance(module, Vgg16):
        raise ValueError(
            f"start: {FEATURES} is a {type(module).__name__}; expected a VGG-16 in torchvision's layout, "
            "or nothing for SFace"
        )
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(name.encode() + tensor.numpy().tobytes())
    return vgg_features(module, digest.hexdigest(), vgg)


def seen(features: nn.Module, pictures: Tensor, hardware: Hardware) -> dict[str, Tensor]:
    """Feature maps by layer, computed as the hardware has it and float32 afterwards.

    Args:
        features: of `feature_network`.
        pictures: (N, 3, H, W) in [-1, 1].
        hardware: of the training.
    """
    with cast(hardware):
        maps = features(pictures)
    return {name: one.float() for name, one in maps.items()}


@contextmanager
def resting(module: nn.Module) -> Iterator[None]:
    """The module in eval mode inside, as it was afterwards; without gradients."""
    before = module.training
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        module.train(before)
