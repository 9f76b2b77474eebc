"""Options of the restorer `inversion`."""

from __future__ import annotations

from typing import Any

from jobs.restore.weights import Weights
from jobs.spec.restore import InversionRestore
from operators.engines.options import EngineOptions


def inversion_options(restore: InversionRestore, weights: Weights, engine: EngineOptions) -> dict[str, Any]:
    """What the job says, and the models that were found for it.

    Args:
        restore: the job's block.
        weights: with the models that it names.
        engine: what executes networks.
    """
    models = {key: {"model": model.name, "sha256": model.sha256} for key, model in weights.others.items()}
    return {**restore.options.model_dump(), **models, "engine": engine}
