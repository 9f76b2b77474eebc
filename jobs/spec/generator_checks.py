"""What cannot be between a model with weights, its options, its engine and the block `models`."""

from __future__ import annotations

from collections.abc import Iterator

from jobs.spec.engine import Engine
from jobs.spec.model_names import ModelNames
from jobs.spec.models import Models
from jobs.spec.problems import Finding, KeyPath, listed, nearest
from jobs.spec.restore import GeneratorRestore, RestoreBlock
from jobs.spec.run import Run
from operators.engines.table import BACKENDS


def check_generator(restore: GeneratorRestore, models: Models | None, names: ModelNames) -> Iterator[Finding]:
    """Options that the model does not have, and weights whose licence has to be accepted."""
    checkpoint = names.checkpoint(restore.model)
    if checkpoint is None or not checkpoint.restorer:
        return
    for key, message in misfits(restore, restore.model, checkpoint.restorer, checkpoint.task):
        yield Finding(("restore", *key.split(".")), message, at_key=True)
    if checkpoint.noncommercial and models is not None and restore.model not in models.accept_noncommercial:
        yield Finding(("restore", "model"), not_accepted(restore.model, checkpoint.licence))


def check_others(restore: RestoreBlock, models: Models | None, names: ModelNames) -> Iterator[Finding]:
    """Models that the options name: unknown ones, and weights whose licence has to be accepted."""
    for key, name in restore.models().items():
        if problem := names.other(name):
            yield Finding(("restore", "options", key), problem)
            continue
        checkpoint = names.checkpoint(name)
        accepted = models.accept_noncommercial if models is not None else ()
        if checkpoint is not None and checkpoint.noncommercial and name not in accepted:
            yield Finding(("restore", "options", key), not_accepted(name, checkpoint.licence))


def misfits(restore: GeneratorRestore, name: str, restorer: str, trained: str | None) -> Iterator[tuple[str, str]]:
    """What a job asks of a model that the model does not have, each with what to say of it.

    Args:
        restore: as in the job file.
        name: the model's.
        restorer: its kind, `gfpgan` or `gpen`.
        trained: the task it was trained for; None when that is not known.

    Yields:
        the key below `restore` and a message.
    """
    settings = restore.options
    given = settings.model_fields_set
    if restorer != "gfpgan" and "sft_strength" in given:
        yield "options.sft_strength", f"found with {name}, a {restorer} model; it is for gfpgan models: remove it"
    known = "restore" if restorer == "gfpgan" else trained
    task = settings.task or known
    if known is not None and task != known:
        message = f"found '{task}', but {name} was trained to {known}; name a model for {task}, or remove the key"
        yield "options.task", message
        return
    if settings.masks is not None and task != "inpaint":
        yield "options.masks", f"has no effect with the task {task or 'restore'}; it is for inpaint: remove it"
    if task not in (None, "restore") and settings.clean_first:
        yield "options.clean_first", f"has no effect with the task {task}; it is for restore: remove it"
    if task == "inpaint" and restore.mask != "auto":
        yield "mask", "has no effect with the task inpaint, which pastes what it makes anew; remove it"
    if task == "seg2face" and settings.fidelity > 0:
        yield "options.fidelity", "has no effect with the task seg2face, whose input is no face; remove it"


def not_accepted(name: str, licence: str) -> str:
    """What to say where a model's licence has not been accepted."""
    return (
        f"the weights of '{name}' are for non-commercial use only (licence: {licence}); where that is what you do, "
        f"say so with models.accept_noncommercial: [{name}]"
    )


def check_engine(engine: Engine, run: Run | None, at: KeyPath = ("restore", "engine")) -> Iterator[Finding]:
    """Devices and arithmetic that the named engine does not have; `at` is where the block stands."""
    kind, _, number = engine.device.partition(":")
    if engine.name != "auto":
        backend = BACKENDS[engine.name]
        if kind != "auto" and kind not in backend.devices:
            message = f"found '{engine.device}', but the engine {engine.name} runs on {listed(backend.devices)} only"
            yield Finding((*at, "device"), message)
        if engine.precision != "auto" and engine.precision not in backend.precisions:
            message = f"found '{engine.precision}', but the engine {engine.name} has {listed(backend.precisions)}"
            yield Finding((*at, "precision"), message)
    if number not in ("", "0") and run is not None and run.runner == "ray":
        message = f"found '{engine.device}'; Ray shows each worker its own GPU only: write cuda, or run.runner: local"
        yield Finding((*at, "device"), message)


def check_models(models: Models, names: ModelNames) -> Iterator[Finding]:
    """Acceptances that name no model."""
    if names.elsewhere:
        return
    for index, name in enumerate(models.accept_noncommercial):
        if names.checkpoint(name) is None and name not in names.damaged:
            close = nearest(name, [known for known in names.usable() if names.checkpoint(known)])
            meant = f"; did you mean '{close}'?" if close else ""
            yield Finding(("models", "accept_noncommercial", index), f"found '{name}', which is no known model{meant}")
