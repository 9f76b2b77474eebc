"""Options of the restorer `inversion`."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.restore.weights import Weights
from jobs.spec.inversion import InversionEdit
from jobs.spec.inversion_checks import plain_recipe
from jobs.spec.restore import InversionRestore
from operators.engines.options import EngineOptions
from operators.inversion.boundaries import BoundaryError, moves, read_boundary
from operators.inversion.options import SearchOptions
from operators.restorers.inversion.options import Edit, FeatureOptions


def inversion_options(restore: InversionRestore, weights: Weights, engine: EngineOptions) -> dict[str, Any]:
    """What the job says, and the models that were found for it.

    Args:
        restore: the job's block.
        weights: with the models that it names.
        engine: what executes networks.

    Raises:
        CommandError: a boundary file cannot be read, or is none.
    """
    asked, prior = restore.options, weights.others.get("prior")
    if prior is None:
        return asked.model_dump()
    space = asked.space or ("z" if prior.architecture == "pggan" or asked.sphere else "w")
    search = SearchOptions(
        codes=asked.codes,
        layer=asked.layer or 0,
        space=space,
        importance="full" if asked.codes == 1 else "channels",
        starts=asked.starts,
        trial=asked.trial_steps,
        sphere=asked.sphere,
        iterations=asked.iterations,
        seconds=asked.seconds,
        learning_rate=asked.learning_rate,
        schedule=asked.schedule,
        early_stop=asked.early_stop,
        checkpoint=asked.checkpoint_steps,
        chunk=asked.chunk,
    )
    return {
        "model": prior.name,
        "sha256": prior.sha256,
        "size": prior.size,
        "template": prior.template or "ffhq",
        "task": asked.task,
        "search": search,
        "factor": asked.factor,
        "resampler": asked.resampler,
        "recipe": tuple(plain_recipe(restore.options)),
        "noise": asked.noise,
        "noise_level": asked.noise_level if asked.noise else 0.0,
        "features": _features(restore, weights),
        "psi": asked.truncation,
        "edits": tuple(_edit(index, edit, space) for index, edit in enumerate(asked.edits)),
        "fidelity": asked.fidelity,
        "keep_tone": asked.keep_tone,
        "engine": engine,
    }


def _features(restore: InversionRestore, weights: Weights) -> FeatureOptions:
    asked, vgg = restore.options, weights.others.get("features")
    if asked.features == "none":
        return FeatureOptions("none", weight=0.0)
    if vgg is None:
        return FeatureOptions("sface", weight=asked.feature_weight)
    return FeatureOptions("vgg16", vgg.name, vgg.sha256, asked.feature_weight)


def _edit(index: int, edit: InversionEdit, space: str) -> Edit:
    key = f"restore.options.edits[{index}].file"
    try:
        boundary = read_boundary(edit.file, space=edit.space)
        digest = hashlib.sha256(Path(edit.file).read_bytes()).hexdigest()
    except BoundaryError as error:
        raise CommandError(f"{key}: {error}", Exit.BAD_JOB) from error
    except OSError as error:
        raise CommandError(f"{key}: {edit.file} cannot be read ({error.strerror})", Exit.BAD_JOB) from error
    if not moves(boundary.space, space):
        message = f"{edit.file} is in {boundary.space}, and the codes are in {space}: give space, or another file"
        raise CommandError(f"{key}: {message}", Exit.BAD_JOB)
    return Edit(boundary.name, boundary.space, tuple(map(float, boundary.vector)), edit.strength, digest)
