"""Options of the restorer `completion`, and of what looks for missing parts in a crop."""

from __future__ import annotations

from typing import Any

from jobs.restore.weights import Weights
from jobs.spec.restore import CompletionRestore
from operators.engines.options import EngineOptions
from operators.restorers.completion.options import SeeingOptions


def completion_options(restore: CompletionRestore, weights: Weights, engine: EngineOptions) -> dict[str, Any]:
    """What the job says, and what is known of its network.

    Args:
        restore: the job's block.
        weights: with the models that it names.
        engine: what executes networks.
    """
    asked, network = restore.options, weights.others.get("network")
    if network is None:
        return asked.model_dump()
    return {
        "model": network.name,
        "sha256": network.sha256,
        "template": network.template or "ffhq",
        "size": network.size,
        "names": network.attributes,
        "attributes": dict(asked.attributes),
        "keep_tone": asked.keep_tone,
        "engine": engine,
    }


def seeing_options(restore: CompletionRestore, weights: Weights, engine: EngineOptions) -> SeeingOptions | None:
    """How missing parts are seen in a crop; None where the job says what is missing by other means.

    Args:
        restore: the job's block.
        weights: with the models that it names.
        engine: what executes networks.
    """
    asked = restore.options
    if asked.holes not in ("damage", "occlusion"):
        return None
    model = weights.others.get("occlusion")
    return SeeingOptions(
        source=asked.holes,
        kinds=tuple(sorted(asked.damage)),
        certainty=asked.certainty,
        model=model.name if model is not None else "",
        sha256=model.sha256 if model is not None else "",
        classes=tuple(sorted(asked.classes)),
        grow=asked.grow,
        specks=asked.specks,
        engine=engine,
    )
