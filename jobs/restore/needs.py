"""What a worker needs that runs a job's networks."""

from __future__ import annotations

from jobs.models.resolve import ResolvedModel
from jobs.restore.background_settings import options_of_engine
from jobs.restore.settings import engine_options
from jobs.restore.weights import Weights, settings_for
from jobs.spec.job import RestoreJob
from jobs.spec.restore import InversionRestore
from operators.models.cache import Cache
from operators.whole.networks import whole_network
from operators.whole.options import tiling
from pipeline.stage import Resources

BASE_BYTES = 2**30
"""A worker without its networks: libraries, and images that are held decoded."""
COPIES = 5
"""Memory of a network's weights over its file: read, built, and compiled."""
PIXEL_BYTES = 900
"""Memory of one face's features for each pixel of the crop.

Measured with OpenVINO, one thread: 0.8 GiB at most for GPEN-256, 2.3 for GFPGAN-512, 2.7 for GPEN-1024."""

TILE_BYTES = 1500
"""Memory of a network for whole pictures for each pixel that it makes of a tile.

Measured for RRDBNet with OpenVINO, one thread: 900 at scales 2 and 4; the rest is for what an engine keeps compiled."""

CODE_BYTES = 2 * 51 * 2**20
"""Memory that a search takes for each latent code: what MobileStyleGAN keeps for the gradient of one up to its features
of 64 pixels, and as much again for the gradient itself. What it keeps of the picture, 690 MB, `PIXEL_BYTES` covers."""


def needs_of(job: RestoreJob, weights: Weights) -> Resources:
    """Memory, CPUs for threads, and a GPU where the job or the cluster has one.

    Args:
        job: the job.
        weights: models that were found for it.
    """
    models, asked = weights.all(), job.background
    if not models and weights.background is None:
        return Resources()
    engine, cache = engine_options(job), Cache(settings_for(job).cache)
    memory = BASE_BYTES
    for model in models:
        found = cache.find(model.name)
        size = found.checkpoint.bytes if found is not None else None
        memory += COPIES * (size or 0) + PIXEL_BYTES * (model.size or 0) ** 2
    if isinstance(job.restore, InversionRestore):
        memory += CODE_BYTES * (job.restore.options.chunk or job.restore.options.codes)
    engines = [engine] if models else []
    if asked is not None and weights.background is not None:
        memory += _background_bytes(job, weights.background, cache)
        engines.append(options_of_engine(asked.engine))
    devices = [each.device for each in engines if each.device != "cpu"]
    return Resources(
        cpus=float(max(each.threads for each in engines)),
        gpus=job.run.gpus_per_worker if devices else 0.0,
        memory=memory,
        gpus_if_any=bool(devices) and all(device == "auto" for device in devices),
    )


def _background_bytes(job: RestoreJob, model: ResolvedModel, cache: Cache) -> int:
    """Memory of the network that whole pictures go through: its weights, and what it holds of a batch of tiles."""
    found = cache.find(model.name)
    if found is None or job.background is None:
        return 0
    network = whole_network(model.architecture, found.card.arguments)
    tile = tiling(network, job.background.tile, job.background.overlap).tile
    return COPIES * (found.checkpoint.bytes or 0) + TILE_BYTES * (tile * network.scale) ** 2
