"""What a restorer is given: the settings of a job file beside the models that were found for it."""

from __future__ import annotations

from typing import Any

from jobs.restore.options.anonymize import anonymize_options
from jobs.restore.options.completion import completion_options
from jobs.restore.options.generator import generator_options
from jobs.restore.options.inversion import inversion_options
from jobs.restore.weights import Weights
from jobs.spec.job import RestoreJob
from jobs.spec.restore import (
    AnonymizeRestore,
    ClassicRestore,
    CompletionRestore,
    GeneratorRestore,
    InversionRestore,
    NoneRestore,
)
from operators.engines.options import EngineOptions


def options_of(job: RestoreJob, weights: Weights, engine: EngineOptions) -> dict[str, Any]:
    """Options of the job's restorer, as `operators.restorers.table.create` takes them.

    Args:
        job: the job.
        weights: models that were found for it.
        engine: what it asks of engines.
    """
    restore = job.restore
    if isinstance(restore, GeneratorRestore):
        return generator_options(restore, weights, engine)
    if isinstance(restore, InversionRestore):
        return inversion_options(restore, weights, engine)
    if isinstance(restore, CompletionRestore):
        return completion_options(restore, weights, engine)
    if isinstance(restore, AnonymizeRestore):
        return anonymize_options(restore, weights, engine)
    assert isinstance(restore, (ClassicRestore, NoneRestore))
    return restore.options.model_dump()
