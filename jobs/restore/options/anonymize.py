"""Options of the restorer `anonymize`."""

from __future__ import annotations

from typing import Any

from jobs.restore.weights import Weights
from jobs.spec.restore import AnonymizeRestore
from operators.engines.options import EngineOptions


def anonymize_options(restore: AnonymizeRestore, weights: Weights, _engine: EngineOptions) -> dict[str, Any]:
    """What the job says, and the prior that was found for it.

    Args:
        restore: the job's block.
        weights: with the prior, for the method `generated`.
        _engine: of no use: faces are drawn by torch on the CPU, so that every machine draws the same.
    """
    options, prior = restore.options, weights.others.get("prior")
    return {
        **options.model_dump(exclude={"passcode", "passcode_file", "prior"}),
        "prior": prior.name if prior is not None else "",
        "sha256": prior.sha256 if prior is not None else "",
        "sealed": options.seals,
    }
