"""The prior and the feature network of a restorer, loaded and put on a device. Importing this imports torch."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from operators.checkpoints import read
from operators.checkpoints.errors import CheckpointError
from operators.engines.eager import available
from operators.engines.errors import EngineError
from operators.features import FeatureNetwork, sface_features, vgg_features
from operators.inversion.boundaries import Boundary, BoundaryError, check_boundary
from operators.inversion.objective import FeatureMaps
from operators.inversion.options import SearchOptions
from operators.inversion.priors.choose import prior_of
from operators.inversion.priors.contract import Prior
from operators.inversion.tasks import Task
from operators.networks import UnknownArchitectureError, from_state_dict
from operators.networks.vgg16.network import Vgg16
from operators.restorers.contract import ModelFiles
from operators.restorers.inversion.options import FeatureOptions, InversionOptions

PUBLISHED, SUBSTITUTE = "relu4_3", "conv_12"
"""The paper's layer of VGG-16, and the one that stands for it in SFace."""
DEEPEST = 64
"""Pixels of the layer that a task without holes composes at, where the prior has such a one; see docs/inversion.md."""
COARSER = {"super_resolve": 32, "colorize": 16, "inpaint": 16}
"""Likewise for tasks that need more of what the prior knows of faces, and less of single pixels."""


@dataclass(frozen=True)
class Loaded:
    """What searches need.

    Attributes:
        prior: the generator, frozen.
        features: maps of the perceptual term; None without one.
        search: with the layer that the task takes.
        edits: boundaries with their strengths.
    """

    prior: Prior
    features: FeatureMaps | None
    search: SearchOptions
    edits: tuple[tuple[Boundary, float], ...]


def loaded(options: InversionOptions, files: ModelFiles, device: str) -> Loaded:
    """Read the prior and the feature network.

    Args:
        options: of the restorer.
        files: where model files lie.
        device: `cpu`, `cuda` or `cuda:N`.

    Raises:
        CheckpointError: a file holds another network than it should, or one of another size; or the options do not fit
            the prior.
        EngineError: the device is not there.
        operators.models.ModelFileError: a file cannot be had.
    """
    if (why := available(device)) is not None:
        raise EngineError(f"inversions cannot run on {device}: {why}")
    module = _network(files, options.model, options.sha256).eval().requires_grad_(False).to(device)
    try:
        prior = prior_of(module, options.psi)
        edits = tuple((_boundary(edit.name, edit.space, edit.vector), edit.strength) for edit in options.edits)
        for boundary, _ in edits:
            check_boundary(boundary, prior, options.search.space)
        search = replace(options.search, layer=options.search.layer or layer_for(prior, options.task))
        prior.code_shape(search.space)
        prior.channels(search.layer)
    except (ValueError, BoundaryError) as error:
        raise CheckpointError("wrong_prior", f"{options.model}: {error}") from error
    if prior.resolution != options.size:
        raise CheckpointError(
            "wrong_size",
            f"{options.model} makes pictures of {prior.resolution} x {prior.resolution} pixels, and the crops have "
            f"{options.size} x {options.size}: give the model's own size",
        )
    return Loaded(prior, _features(options.features, files, device), search, edits)


def layer_for(prior: Prior, task: Task) -> int:
    """The last layer with features of the size that a task is composed at; a smaller prior's middle layer."""
    wanted = COARSER.get(task, DEEPEST)
    wanted = min(wanted, max(4, prior.resolution // 4))
    return max(place.layer for place in prior.places if place.resolution <= wanted)


def device_of(asked: str) -> str:
    """The device that `auto` stands for on this machine."""
    if asked != "auto":
        return asked
    return "cuda" if torch.cuda.is_available() else "cpu"


def _network(files: ModelFiles, model: str, sha256: str) -> torch.nn.Module:
    path = files.path(model, sha256)
    try:
        return from_state_dict(read(path))
    except UnknownArchitectureError as error:
        raise CheckpointError("unknown_architecture", f"{model} ({path}): {error}") from error


def _features(asked: FeatureOptions, files: ModelFiles, device: str) -> FeatureNetwork | None:
    if asked.network == "none" or asked.weight == 0.0:
        return None
    if asked.network == "sface":
        return sface_features((SUBSTITUTE,)).to(device)
    module = _network(files, asked.model, asked.sha256)
    if not isinstance(module, Vgg16):
        raise CheckpointError("wrong_architecture", f"{asked.model} is no VGG-16: name another model as features")
    return vgg_features(module, asked.sha256, (PUBLISHED,)).to(device)


def _boundary(name: str, space: str, vector: tuple[float, ...]) -> Boundary:
    return Boundary(name, "w" if space == "w" else "z", np.asarray(vector, dtype=np.float32))
