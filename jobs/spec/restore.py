"""The block `restore`: what improves the faces. One model of settings for each restorer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from jobs.spec.anonymize import AnonymizeSettings
from jobs.spec.classic import ClassicSettings
from jobs.spec.common import Block, Text
from jobs.spec.completion import CompletionSettings
from jobs.spec.engine import Engine
from jobs.spec.generator import GeneratorSettings
from jobs.spec.inversion import InversionSettings
from jobs.spec.names import BUILT_IN


class RestoreBlock(Block):
    """What all restorers have."""

    oversize: Literal["keep", "reduce"] = "keep"
    """A face much larger than the restorer works at: keep it as it is, or reduce its detail and restore it."""
    max_reduction: float = Field(default=1.25, ge=1.0, le=64.0)
    """Source pixels for each pixel of the restorer's crop above which a face counts as oversize."""
    strength: float = Field(default=1.0, ge=0.0, le=1.0)
    """Share of the restored face in the result; 0 is the original, 1 the restorer's."""
    mask: Literal["auto", "landmarks", "parsing"] = "auto"
    """Where a face is pasted: in an oval from its landmarks, or in its shape by face parsing; auto is the better one
    that there is a model for."""

    def models(self) -> Mapping[str, str]:
        """Names of the models with weights that it needs beside `model`, by the key of `options` that names each."""
        return {}


class ClassicRestore(RestoreBlock):
    """Denoising, deblocking, scratches and dust, without a network."""

    model: Literal["classic"]
    """Which restorer."""
    options: ClassicSettings = Field(default_factory=ClassicSettings)
    """Settings of the restorer."""


class NoneSettings(Block):
    """It has no settings."""


class NoneRestore(RestoreBlock):
    """Nothing is changed: faces are found and scored only."""

    model: Literal["none"]
    """Which restorer."""
    options: NoneSettings = Field(default_factory=NoneSettings)
    """It has none."""


class NetworkRestore(RestoreBlock):
    """What all restorers have that run a network."""

    engine: Engine = Field(default_factory=Engine)
    """What executes the network."""


class InversionRestore(NetworkRestore):
    """A face is searched for among those that a generator can make (GAN inversion)."""

    model: Literal["inversion"]
    """Which restorer."""
    options: InversionSettings = Field(default_factory=InversionSettings)
    """Settings of the restorer."""

    def models(self) -> Mapping[str, str]:
        """The prior, and the feature network where one is named."""
        features = self.options.named_features
        return {"prior": self.options.prior, **({"features": features} if features is not None else {})}


class CompletionRestore(NetworkRestore):
    """Parts of a face that are missing or hidden are made anew."""

    model: Literal["completion"]
    """Which restorer."""
    options: CompletionSettings
    """Settings of the restorer."""

    def models(self) -> Mapping[str, str]:
        """The network, and what sees occlusions."""
        named = {"network": self.options.network, "occlusion": self.options.occlusion}
        return {key: name for key, name in named.items() if name is not None}


class AnonymizeRestore(NetworkRestore):
    """Faces are made unrecognisable."""

    model: Literal["anonymize"]
    """Which restorer."""
    options: AnonymizeSettings = Field(default_factory=AnonymizeSettings)
    """Settings of the restorer."""

    def models(self) -> Mapping[str, str]:
        """The prior, where faces are generated."""
        return {"prior": self.options.prior} if self.options.prior is not None else {}


class GeneratorRestore(NetworkRestore):
    """A network with weights: GFPGAN or GPEN, by the name of a model."""

    model: Annotated[
        Text,
        Field(json_schema_extra={"not": {"enum": list(BUILT_IN)}, "examples": ["gfpgan-1.4", "gpen-bfr-512"]}),
    ] = "compact"
    """Which model: a name that `facejobs models list` shows."""
    options: GeneratorSettings = Field(default_factory=GeneratorSettings)
    """Settings of the restorer."""


DEFAULT_MODEL = "compact"


def default_restore() -> GeneratorRestore:
    """The block of a job that has none: the network that comes with facejobs."""
    return GeneratorRestore(model=DEFAULT_MODEL)


Restore = Annotated[
    ClassicRestore | NoneRestore | InversionRestore | CompletionRestore | AnonymizeRestore | GeneratorRestore,
    Field(union_mode="left_to_right"),
]
RESTORES: dict[str, type[RestoreBlock]] = {
    "classic": ClassicRestore,
    "none": NoneRestore,
    "inversion": InversionRestore,
    "completion": CompletionRestore,
    "anonymize": AnonymizeRestore,
}
"""By name; every other name is one of a model with weights."""
