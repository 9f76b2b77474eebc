"""What a worker needs that runs a job's networks."""

from __future__ import annotations

from jobs.restore.settings import engine_options
from jobs.restore.weights import Weights, settings_for
from jobs.spec.job import RestoreJob
from operators.models.cache import Cache
from pipeline.stage import Resources

BASE_BYTES = 2**30
"""A worker without its networks: libraries, and images that are held decoded."""
COPIES = 5
"""Memory of a network's weights over its file: read, built, and compiled."""
PIXEL_BYTES = 900
"""Memory of one face's features for each pixel of the crop.

Measured with OpenVINO, one thread: 0.8 GiB at most for GPEN-256, 2.3 for GFPGAN-512, 2.7 for GPEN-1024."""


def needs_of(job: RestoreJob, weights: Weights) -> Resources:
    """Memory, CPUs for threads, and a GPU where the job or the cluster has one.

    Args:
        job: the job.
        weights: models that were found for it.
    """
    models = weights.all()
    if not models:
        return Resources()
    engine, cache = engine_options(job), Cache(settings_for(job).cache)
    memory = BASE_BYTES
    for model in models:
        found = cache.find(model.name)
        size = found.checkpoint.bytes if found is not None else None
        memory += COPIES * (size or 0) + PIXEL_BYTES * (model.size or 0) ** 2
    return Resources(
        cpus=float(engine.threads),
        gpus=0.0 if engine.device == "cpu" else job.run.gpus_per_worker,
        memory=memory,
        gpus_if_any=engine.device == "auto",
    )
