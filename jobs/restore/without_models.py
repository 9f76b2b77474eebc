"""A run that has come to its end needs no models to be told: a machine that lost them need not get them again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs.restore.weights import weights_of
from jobs.spec.canonical import canonical
from jobs.spec.job import RestoreJob
from jobs.versions import facejobs_version
from operators.models import CHECKPOINTS, ModelFileError, ModelRefusedError
from pipeline.run import Run, current_run
from pipeline.storage import Folder
from pipeline.tally import tally_of


def done_without_models(job: RestoreJob, output: Folder) -> Run | None:
    """The output's current run, if it is the job's, is complete, and models that it was made with are not here.

    The content of a model of the user's own cannot be compared then, only its name; that of a published one is known.

    Args:
        job: the job.
        output: where its results go.

    Returns:
        The run; None where the models are here, or where it is another job's run or one that is not complete.

    Raises:
        StorageError: storage unreachable or refusing.
        LedgerError: what a run has written about itself is damaged.
    """
    try:
        weights_of(job, fetch=False)
    except ModelRefusedError:
        return None
    except ModelFileError:
        run = current_run(output)
        if run is not None and _is_named_alike(run.header.identity, job) and run.complete and tally_of(run).complete:
            return run
    return None


def _is_named_alike(identity: Mapping[str, Any], job: RestoreJob) -> bool:
    wanted = {job.restore.model: identity["restorer"]["weights_sha256"]}
    if job.background is not None:
        wanted[job.background.model] = identity.get("background", {}).get("weights_sha256")
    return (
        identity["job"] == canonical(job)
        and identity["facejobs"] == facejobs_version()
        and all(_published(name) in (None, sha256) for name, sha256 in wanted.items())
    )


def _published(name: str) -> str | None:
    known = CHECKPOINTS.get(name)
    return known.sha256 if known is not None else None
