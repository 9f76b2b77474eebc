"""Options of GFPGAN and GPEN."""

from __future__ import annotations

from typing import Any

from jobs.restore.weights import Weights
from jobs.spec.restore import GeneratorRestore
from operators.engines.options import EngineOptions


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
    if model.restorer == "gfpgan":
        return {**options, "sft_strength": asked.sft_strength}
    return {**options, "task": asked.task or model.task or "restore"}
