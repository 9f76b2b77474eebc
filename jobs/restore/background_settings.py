"""The block `background` of a job turned into what its stage needs; picklable."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from jobs.restore.weights import Weights
from jobs.spec.engine import Engine
from jobs.spec.job import RestoreJob
from operators.background.treat import Treatment
from operators.engines.options import EngineOptions, Profile
from operators.models.cache import Cache
from operators.restorers.contract import Equipment
from operators.whole.operator import WholeImage, WholeInfo
from operators.whole.options import WholeOptions


@dataclass(frozen=True)
class BackgroundSettings:
    """What is made of whole pictures.

    Attributes:
        whole: the network and how it is run.
        treatment: what is made of what it makes.
        faces_from: where faces are found and restored.
        max_pixels: of the result, above which a picture is left.
        equipment: where the model's file lies, and compiled engines.
        cache: folder of models on each machine; None is the machine's own.
    """

    whole: WholeOptions
    treatment: Treatment
    faces_from: Literal["original", "background"]
    max_pixels: int
    equipment: Equipment
    cache: Path | None

    @staticmethod
    def of(job: RestoreJob, weights: Weights) -> BackgroundSettings | None:
        """What a job asks for, with the model that was found for it; None for a job without the block."""
        asked, model = job.background, weights.background
        if asked is None or model is None:
            return None
        assert weights.equipment is not None
        return BackgroundSettings(
            whole=WholeOptions(model.name, model.sha256, asked.tile, asked.overlap, options_of_engine(asked.engine)),
            treatment=Treatment(asked.scale, asked.strength, asked.keep_tone),
            faces_from=asked.faces_from,
            max_pixels=asked.max_result_pixels,
            equipment=weights.equipment,
            cache=Path(job.models.cache) if job.models.cache else None,
        )

    @property
    def engines(self) -> Path:
        """Folder of compiled engines on the machine that asks."""
        return Cache(self.cache).engines

    @property
    def first(self) -> bool:
        """Whether faces are found and restored in the result."""
        return self.faces_from == "background"

    @property
    def info(self) -> WholeInfo:
        """The operator's description, with what is made of what it makes."""
        info, wanted = self.operator().info, self.treatment
        more = {
            "scale": wanted.scale,
            "strength": wanted.strength,
            "keep_tone": wanted.keep_tone,
            "faces_from": self.faces_from,
        }
        return replace(info, parameters={**more, **info.parameters})

    def operator(self) -> WholeImage:
        """What runs the network, not set up yet."""
        return WholeImage(self.whole, self.equipment)

    def identity(self) -> dict[str, Any]:
        """What of it makes a run another one beside the job's own keys: the model's content, the operator's version."""
        info = self.info
        return {
            "name": info.name,
            "version": info.version,
            "weights_sha256": info.weights_sha256,
            "parameters": json.loads(json.dumps(dict(info.parameters))),
        }


def options_of_engine(asked: Engine) -> EngineOptions:
    """What a block `engine` asks for."""
    return EngineOptions(
        engine=asked.name,
        precision=asked.precision,
        device=asked.device,
        strict=asked.strict,
        profile=Profile(1, asked.batch, 2 * asked.batch),
        threads=asked.threads,
    )
