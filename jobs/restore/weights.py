"""The models with weights that a job runs on: found once, by the machine that drives the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.models.artifacts import SharedArtifacts
from jobs.models.files import CachedFiles, how_to_get
from jobs.models.pull import UNSEEN, Watch
from jobs.models.resolve import ModelSettings, ResolvedModel, resolve
from jobs.spec import resolve_options
from jobs.spec.completion_checks import wrong_models
from jobs.spec.generator_checks import misfits
from jobs.spec.inversion_checks import wrong_priors
from jobs.spec.job import RestoreJob
from jobs.spec.restore import CompletionRestore, GeneratorRestore, InversionRestore
from operators.models import CHECKPOINTS, ModelFileError
from operators.models.cache import Cache
from operators.restorers.contract import Equipment
from operators.whole.networks import whole_network
from operators.whole.options import tiling

PARSING = next(name for name, checkpoint in CHECKPOINTS.items() if checkpoint.architecture == "parsenet")
"""Name of the model that sees a face's shape."""
VGG = "vgg16"
"""Name under which a VGG-16 is looked for that no job names."""


@dataclass(frozen=True)
class Weights:
    """Models with weights, by content, and where workers find their files.

    Attributes:
        restorer: the job's restorer; None for one that needs no weights.
        parsing: what sees a face's shape; None where faces are pasted in an oval.
        others: models that the restorer needs beside itself, by the key of its options that names each.
        background: what whole pictures go through; None for a job without that block.
        equipment: what workers are given; None when no model is needed.
    """

    restorer: ResolvedModel | None = None
    parsing: ResolvedModel | None = None
    others: Mapping[str, ResolvedModel] = field(default_factory=dict)
    background: ResolvedModel | None = None
    equipment: Equipment | None = None

    def all(self) -> tuple[ResolvedModel, ...]:
        """Every model that faces need, the restorer's own first."""
        named = (self.restorer, self.parsing, *self.others.values())
        return tuple(model for model in named if model is not None)

    @property
    def inpaints(self) -> bool:
        """Whether parts of faces are made anew; then nothing else is pasted, and no shape is asked for."""
        return self.restorer is not None and self.restorer.task == "inpaint"


NO_WEIGHTS = Weights()
"""Of a job that needs none."""


def weights_of(job: RestoreJob, *, fetch: bool = True, watch: Watch = UNSEEN) -> Weights:
    """Find the models that a job needs.

    Args:
        job: the job.
        fetch: whether what is not in the cache may be taken from the job's `models.source`.
        watch: who is told when one is.

    Raises:
        operators.models.ModelFileError: one is not there, is damaged, or may not be used; the message says what to do.
        CommandError: the job's options do not fit the model.
    """
    settings = settings_for(job) if fetch else replace(settings_for(job), source=None)
    restorer = _restorer(job, settings, watch)
    inpaints = isinstance(job.restore, CompletionRestore) or (restorer is not None and restorer.task == "inpaint")
    inpaints |= isinstance(job.restore, InversionRestore) and job.restore.options.task == "inpaint"
    parsing = resolve(PARSING, settings, watch) if not inpaints and _wants_parsing(job, settings) else None
    others = {key: resolve(name, settings, watch) for key, name in job.restore.models().items()}
    if isinstance(job.restore, CompletionRestore):
        for key, message in wrong_models(job.restore.options, others):
            raise CommandError(f"restore.{key}: {message}", Exit.BAD_JOB)
    if isinstance(job.restore, InversionRestore):
        others |= _seeing(job.restore, settings, watch)
        for key, message in wrong_priors(job.restore.options, others):
            raise CommandError(f"restore.{key}: {message}", Exit.BAD_JOB)
    background = _background(job, settings, watch)
    if restorer is None and parsing is None and not others and background is None:
        return NO_WEIGHTS
    equipment = Equipment(
        # Not the driver's own folder where the job names none: each worker's machine may have another home.
        files=CachedFiles(settings.cache, job.models.source, settings.options),
        artifacts=SharedArtifacts(_engines(settings), job.models.artifacts, settings.options),
    )
    return Weights(restorer, parsing, others, background, equipment)


def settings_for(job: RestoreJob) -> ModelSettings:
    """What a job says about models."""
    models = job.models
    return ModelSettings(
        cache=Path(models.cache) if models.cache else None,
        source=models.source,
        options=resolve_options(models.storage_options),
        accepted=models.accept_noncommercial,
    )


def choices(job: RestoreJob, weights: Weights) -> Iterator[Weights]:
    """The weights with which a run of the job may have begun, the likeliest first.

    With `mask: auto` the model that sees shapes may have come into the cache after the run was planned; the run goes on
    without it. So with the features of an inversion.
    """
    yield weights
    if job.restore.mask == "auto" and weights.parsing is not None:
        yield replace(weights, parsing=None)
    if isinstance(job.restore, InversionRestore) and job.restore.options.named_features is None:
        others = {key: model for key, model in weights.others.items() if key != "features"}
        yield replace(weights, others=others)


def lacking(job: RestoreJob) -> str:
    """What is wrong with the file of the job's model in this machine's cache, and what to do; empty when nothing is."""
    named = [job.restore.model] if isinstance(job.restore, GeneratorRestore) else []
    named += [job.background.model] if job.background is not None else []
    return "; ".join(filter(None, (_lacking(name, job) for name in named)))


def _lacking(name: str, job: RestoreJob) -> str:
    source = job.models.source
    try:
        found = Cache(settings_for(job).cache).find(name)
    except ModelFileError as error:
        return str(error)
    if found is not None:
        return ""
    remedy = f"they will be taken from {source}" if source else how_to_get(name)
    return f"the weights of {name} are not in this machine's cache; {remedy}"


def _restorer(job: RestoreJob, settings: ModelSettings, watch: Watch) -> ResolvedModel | None:
    restore = job.restore
    if not isinstance(restore, GeneratorRestore):
        return None
    model = resolve(restore.model, settings, watch)
    if model.restorer is None:
        raise CommandError(f"restore.model: '{model.name}' restores no faces ({model.architecture})", Exit.BAD_JOB)
    for key, message in misfits(restore, model.name, model.restorer, model.task):
        raise CommandError(f"restore.{key}: {message}", Exit.BAD_JOB)
    return model


def _background(job: RestoreJob, settings: ModelSettings, watch: Watch) -> ResolvedModel | None:
    asked = job.background
    if asked is None:
        return None
    model = resolve(asked.model, settings, watch)
    found = Cache(settings.cache).find(asked.model)
    try:
        # Whoever resolved it has seen to its being there; its card tells how much larger it makes pictures.
        network = whole_network(model.architecture, found.card.arguments if found is not None else {})
        tiling(network, asked.tile, asked.overlap)
    except ValueError as error:
        raise CommandError(f"background: '{model.name}': {error}", Exit.BAD_JOB) from error
    if asked.scale is not None and asked.scale > network.scale:
        raise CommandError(
            f"background.scale: found {asked.scale:g}, but {model.name} makes pictures {network.scale} times as large; "
            f"expected 1 to {network.scale}, or null",
            Exit.BAD_JOB,
        )
    return model


def _wants_parsing(job: RestoreJob, settings: ModelSettings) -> bool:
    mask = job.restore.mask
    if mask != "auto" or job.restore.model in ("none", "anonymize") or job.detect.aligned:
        return mask == "parsing"
    try:
        return Cache(settings.cache).find(PARSING) is not None
    except ModelFileError:
        return False  # damaged: what nobody asked for by name stops no run


def _seeing(restore: InversionRestore, settings: ModelSettings, watch: Watch) -> dict[str, ResolvedModel]:
    """VGG-16 for an inversion with `features: auto`, where the cache has it; empty otherwise."""
    if restore.options.features != "auto":
        return {}
    try:
        found = Cache(settings.cache).find(VGG)
    except ModelFileError:
        return {}
    return {"features": resolve(VGG, settings, watch)} if found is not None else {}


def _engines(settings: ModelSettings) -> Path | None:
    return Cache(settings.cache).engines if settings.cache else None
