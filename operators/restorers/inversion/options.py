"""Settings of the restorer `inversion`; free of torch, so that job files can be read without it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from operators.engines.options import EngineOptions
from operators.faces.templates import template_names
from operators.inversion.options import SearchOptions
from operators.inversion.tasks import Task

Resampler = Literal["area", "bicubic", "bilinear", "nearest"]
NoiseKind = Literal["gaussian", "poisson", "salt-and-pepper"]
ANY_ENGINE = EngineOptions()
ANY_SEARCH = SearchOptions(layer=0)
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Edit:
    """A move of the codes that were found, along a direction in which an attribute changes.

    Attributes:
        name: of the attribute.
        space: of the direction, `z` or `w`.
        vector: of unit length.
        strength: how far, negative for the other way.
        sha256: of the file it came from.
    """

    name: str
    space: Literal["z", "w"]
    vector: tuple[float, ...]
    strength: float
    sha256: str = ""


@dataclass(frozen=True)
class FeatureOptions:
    """The network of the perceptual term.

    Attributes:
        network: `vgg16`, `sface` (the substitute that comes with the package), or `none`.
        model: of `vgg16` the name of its model file.
        sha256: of `vgg16` the content hash that the file must have.
        weight: lambda of the term.
    """

    network: Literal["vgg16", "sface", "none"] = "sface"
    model: str = ""
    sha256: str = ""
    weight: float = 0.1


SUBSTITUTE = FeatureOptions()


@dataclass(frozen=True)
class InversionOptions:
    """What the inversion restorer does with a face.

    Attributes:
        model: name of the model file of the prior.
        sha256: content hash that the file must have, in lower-case hex.
        size: side in pixels of the prior's pictures, and so of the crops.
        template: alignment template that the prior was trained on.
        task: what is done: the face as it came is an observation of the one that is searched for.
        search: how codes are searched for; a `layer` of 0 takes one that fits the task.
        factor: of `super_resolve`: how much smaller than the crop the face really is.
        resampler: of `super_resolve`: how it became so small.
        recipe: of `recipe`: steps as mappings, see `operators.inversion.tasks`.
        noise: kind of the observation's noise; None where it has none.
        noise_level: of it, see `operators.inversion.noise.Noise`.
        features: the perceptual term.
        psi: truncation of w for codes in z, 0 to 1.
        edits: moves along directions, after the search.
        fidelity: share of the face as it came in the result, 0 to 1.
        keep_tone: pictures of one tone stay so; with `colorize` the face keeps its light.
        engine: device, threads, and how many faces a GPU searches for at once.

    Raises:
        ValueError: a value is not one of these.
    """

    model: str
    sha256: str
    size: int
    template: str = "ffhq"
    task: Task = "reconstruct"
    search: SearchOptions = ANY_SEARCH
    factor: float = 4.0
    resampler: Resampler = "area"
    recipe: tuple[Mapping[str, Any], ...] = ()
    noise: NoiseKind | None = None
    noise_level: float = 0.0
    features: FeatureOptions = SUBSTITUTE
    psi: float = 1.0
    edits: tuple[Edit, ...] = ()
    fidelity: float = 0.0
    keep_tone: bool = True
    engine: EngineOptions = ANY_ENGINE

    def __post_init__(self) -> None:
        if not self.model:
            raise ValueError("model: nothing found, expected the name of the prior's model file")
        if not _SHA256.fullmatch(self.sha256):
            raise ValueError(f"sha256: {self.sha256!r} found, expected 64 lower-case hexadecimal digits")
        if self.size < 8 or self.size & (self.size - 1):
            raise ValueError(f"size: {self.size!r} found, expected a power of two from 8")
        if self.template not in template_names():
            raise ValueError(f"template: {self.template!r} found, expected one of {', '.join(template_names())}")
        if self.task not in get_args(Task):
            raise ValueError(f"task: {self.task!r} found, expected one of {', '.join(get_args(Task))}")
        for name in ("fidelity", "psi"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name}: {getattr(self, name)!r} found, expected a number from 0 to 1")
        if not (math.isfinite(self.features.weight) and self.features.weight >= 0.0):
            raise ValueError(f"features: weight {self.features.weight!r} found, expected a number from 0")

    def parameters(self) -> dict[str, Any]:
        """All that decides a face's result, as JSON values; not the engine."""
        search, features = self.search, self.features
        return {
            "task": self.task,
            "prior": self.model,
            "codes": search.codes,
            "layer": search.layer,
            "space": search.space,
            "importance": search.importance,
            "starts": search.starts if search.codes == 1 else 1,
            "trial": search.trial if search.codes == 1 and search.starts > 1 else 0,
            "sphere": search.sphere,
            "psi": self.psi,
            "iterations": search.iterations,
            "seconds": search.seconds,
            "learning_rate": search.learning_rate,
            "schedule": search.schedule,
            "early_stop": search.early_stop,
            "window": search.window,
            "chunk": search.chunk,
            **({"factor": self.factor, "resampler": self.resampler} if self.task == "super_resolve" else {}),
            **({"recipe": [dict(step) for step in self.recipe]} if self.task == "recipe" else {}),
            "noise": {"kind": self.noise, "level": self.noise_level} if self.noise else None,
            "features": features.model or features.network,
            "features_sha256": features.sha256 or None,
            "feature_weight": features.weight if features.network != "none" else 0.0,
            "edits": [{"name": edit.name, "strength": edit.strength, "sha256": edit.sha256} for edit in self.edits],
            "fidelity": self.fidelity,
            "keep_tone": self.keep_tone,
        }
