"""What makes two restore runs the same: everything that changes their output, and nothing else."""

from __future__ import annotations

import json
from typing import Any

from jobs.restore.background_settings import BackgroundSettings
from jobs.restore.settings import RestoreSettings
from jobs.restore.weights import Weights
from jobs.spec import RestoreJob
from jobs.spec.canonical import canonical
from jobs.spec.restore import CompletionRestore
from jobs.versions import facejobs_version
from operators.damage.detector import DamageDetector
from operators.models import MODEL_FILES


def identity_of(job: RestoreJob, weights: Weights) -> dict[str, Any]:
    """The canonical job, models by content hash, and the code's version.

    Library versions are not part of it, or every security update would make a new run of half an archive; each commit
    names them. Nor is the engine that executes a network: the job says which is asked for, the records which it was.
    """
    restorer = RestoreSettings.of(job, weights).restorer().info
    models = {name: file.sha256 for name, file in sorted(MODEL_FILES.items())}
    if weights.parsing is not None:
        models[weights.parsing.name] = weights.parsing.sha256
    models |= {model.name: model.sha256 for model in weights.others.values()}
    background = BackgroundSettings.of(job, weights)
    return {
        "job": canonical(job),
        "models": models,
        "restorer": {
            "name": restorer.name,
            "version": restorer.version,
            "template": restorer.template,
            "weights_sha256": restorer.weights_sha256,
            "parameters": json.loads(json.dumps(dict(restorer.parameters))),
        },
        **({"background": background.identity()} if background is not None else {}),
        **_detector(job),
        "facejobs": facejobs_version(),
    }


def _detector(job: RestoreJob) -> dict[str, Any]:
    """What decides which damage is seen, where holes are found so."""
    restore = job.restore
    if not isinstance(restore, CompletionRestore) or restore.options.holes != "damage":
        return {}
    return {"damage": json.loads(json.dumps(dict(DamageDetector().info)))}


def settings_of(identity: dict[str, Any]) -> dict[str, Any]:
    """The part of an identity that decides what becomes of a given image, wherever it came from and goes to."""
    job = dict(identity["job"])
    job.pop("source")
    job["output"] = {key: value for key, value in job["output"].items() if key not in ("layout", "name")}
    job["run"] = {"seed": job["run"]["seed"]}
    return {**identity, "job": job}
