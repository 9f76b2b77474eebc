"""The kinds of model that a train job can train, each with its blocks; what runs them is in `operators/training`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from jobs.spec.training.common import CommonSchedule, ModelBlock, ObjectiveBlock
from jobs.spec.training.completion import CompletionModel, CompletionObjective, CompletionSchedule
from jobs.spec.training.cyclegan import CycleganModel, CycleganObjective, CycleganSchedule
from jobs.spec.training.data import DataBlock
from jobs.spec.training.gfpgan import GfpganModel, GfpganObjective, GfpganSchedule
from jobs.spec.training.gpen import GpenModel, GpenObjective, GpenSchedule
from jobs.spec.training.pix2pix import Pix2PixModel, Pix2PixObjective, Pix2PixSchedule
from jobs.spec.training.srgan import SrganModel, SrganObjective, SrganSchedule
from jobs.spec.training.transform import TransformModel, TransformObjective, TransformSchedule

Model = Annotated[
    GpenModel | GfpganModel | CompletionModel | SrganModel | Pix2PixModel | CycleganModel | TransformModel,
    Field(discriminator="kind"),
]
Objective = (
    GpenObjective
    | GfpganObjective
    | CompletionObjective
    | SrganObjective
    | Pix2PixObjective
    | CycleganObjective
    | TransformObjective
)
Schedule = (
    GpenSchedule
    | GfpganSchedule
    | CompletionSchedule
    | SrganSchedule
    | Pix2PixSchedule
    | CycleganSchedule
    | TransformSchedule
)
MODELS: dict[str, type[ModelBlock]] = {
    "gpen": GpenModel,
    "gfpgan": GfpganModel,
    "completion": CompletionModel,
    "srgan": SrganModel,
    "pix2pix": Pix2PixModel,
    "cyclegan": CycleganModel,
    "transform": TransformModel,
}
OBJECTIVES: dict[str, type[ObjectiveBlock]] = {
    "gpen": GpenObjective,
    "gfpgan": GfpganObjective,
    "completion": CompletionObjective,
    "srgan": SrganObjective,
    "pix2pix": Pix2PixObjective,
    "cyclegan": CycleganObjective,
    "transform": TransformObjective,
}
SCHEDULES: dict[str, type[CommonSchedule]] = {
    "gpen": GpenSchedule,
    "gfpgan": GfpganSchedule,
    "completion": CompletionSchedule,
    "srgan": SrganSchedule,
    "pix2pix": Pix2PixSchedule,
    "cyclegan": CycleganSchedule,
    "transform": TransformSchedule,
}

SAMPLES: dict[str, Literal["pairs", "holed", "good", "two"]] = {
    "gpen": "pairs",
    "gfpgan": "pairs",
    "completion": "holed",
    "srgan": "pairs",
    "pix2pix": "pairs",
    "cyclegan": "two",
    "transform": "good",
}
"""What a kind of model learns from: degraded pictures beside good ones; good ones with holes; good ones alone; or two
sets of pictures."""


def sample_size(model: ModelBlock, data: DataBlock) -> int:
    """Pixels a side of a sample."""
    return data.size or model.sample_side() or model.SIDE


def kind_of(model: ModelBlock) -> str:
    """The value of `model.kind`."""
    return str(getattr(model, "kind", ""))
