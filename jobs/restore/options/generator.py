"""Options of GFPGAN and GPEN."""

from __future__ import annotations

from typing import Any

from jobs.restore.weights import Weights
from jobs.spec.restore import GeneratorRestore
from operators.engines.options import EngineOptions
from operators.models.checkpoints import CLEAN_FIRST


def generator_options(restore: GeneratorRestore, weights: Weights, engine: EngineOptions) -> dict[str, Any]:
    """What the job says, and what is known of its model.

    Args:
        restore: the job's block.
        weights: with the restorer's model.
        engine: what executes it.
    """
    model, asked = weights.restorer, restore.options
    if model is None:
        return asked.model_dump()
    options: dict[str, Any] = {
        "model": model.name,
        "sha256": model.sha256,
        "template": model.template,
        "size": model.size,
        "fidelity": asked.fidelity,
        "keep_tone": asked.keep_tone,
        "engine": engine,
    }
    task = asked.task or model.task or "restore"
    if task == "restore":
        own = CLEAN_FIRST.get(model.name, 0.0)
        options["clean_first"] = own if asked.clean_first is None else asked.clean_first
    if model.restorer == "gfpgan":
        return {**options, "sft_strength": asked.sft_strength}
    return {**options, "task": task}
