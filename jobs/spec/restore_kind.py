"""The kind `restore`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from jobs.spec.anonymize_checks import (
    check_anonymize,
    check_likeness,
    check_passcode_place,
    check_prior,
    with_defaults,
)
from jobs.spec.background import Background
from jobs.spec.background_checks import check_background
from jobs.spec.checks import (
    check_detect,
    check_output_keys,
    check_places,
    check_restore,
    check_score,
    check_source_keys,
)
from jobs.spec.cluster import Cluster
from jobs.spec.completion_checks import check_completion
from jobs.spec.detect import Detect
from jobs.spec.generator_checks import check_engine, check_generator, check_models, check_others
from jobs.spec.indifferent import OF_ALL_JOBS, UNIT_SIZES
from jobs.spec.inversion_checks import check_boundary_file, check_inversion
from jobs.spec.job import RestoreJob
from jobs.spec.kind import Around, Kind, as_written
from jobs.spec.located import Check, located, with_source_and_output
from jobs.spec.models import Models
from jobs.spec.notify import Notify
from jobs.spec.notify_checks import check_summary, with_summary
from jobs.spec.observe import Observe
from jobs.spec.output import Output
from jobs.spec.passcodes import check_passcode_file
from jobs.spec.problems import Finding, KeyPath
from jobs.spec.restore import (
    DEFAULT_MODEL,
    RESTORES,
    AnonymizeRestore,
    CompletionRestore,
    GeneratorRestore,
    InversionRestore,
    NetworkRestore,
    RestoreBlock,
)
from jobs.spec.run import Run
from jobs.spec.score import Score
from jobs.spec.selection import Selection
from jobs.spec.selection_checks import check_selection
from jobs.spec.source import SOURCES, SourceBlock
from jobs.spec.tag import Tag
from jobs.spec.uris import check_folder, check_local, check_output

MODEL_PLACES: dict[str, Check] = {"cache": check_local, "source": check_folder, "artifacts": check_output}

INDIFFERENT = OF_ALL_JOBS | {
    "selection",
    "restore.engine.strict",
    "restore.options.checkpoint_steps",
    "background.engine.strict",
    "restore.options.passcode",
    "restore.options.passcode_file",
    "models.cache",
    "models.source",
    "models.artifacts",
    "models.storage_options",
    "models.accept_noncommercial",
}


@dataclass(frozen=True)
class RestoreParts:
    """The blocks as far as they could be read; keys that were wrong have their default."""

    source: SourceBlock | None = None
    detect: Detect | None = None
    restore: RestoreBlock | None = None
    background: Background | None = None
    models: Models | None = None
    score: Score | None = None
    output: Output | None = None
    selection: Selection | None = None
    run: Run | None = None
    observe: Observe | None = None
    notify: Notify | None = None
    cluster: Cluster | None = None


def _place(parts: RestoreParts, around: Around) -> tuple[RestoreParts, list[Finding]]:
    parts, findings = with_source_and_output(parts, around.folder)
    parts = with_summary(parts, around.folder, findings)
    if parts.models is not None:
        moved = located(parts.models, ("models",), MODEL_PLACES, around.folder, findings)
        parts = replace(parts, models=moved)
    if isinstance(parts.restore, GeneratorRestore | CompletionRestore):
        places: dict[str, Check] = {"masks": check_folder}
        options = located(parts.restore.options, ("restore", "options"), places, around.folder, findings)
        parts = replace(parts, restore=parts.restore.model_copy(update={"options": options}))
    if isinstance(parts.restore, InversionRestore):
        at: KeyPath = ("restore", "options", "edits")
        sought = located(parts.restore.options, at[:2], {"masks": check_folder}, around.folder, findings)
        edits = tuple(
            located(edit, (*at, index), {"file": check_boundary_file}, around.folder, findings)
            for index, edit in enumerate(sought.edits)
        )
        changed = sought.model_copy(update={"edits": edits})
        parts = replace(parts, restore=parts.restore.model_copy(update={"options": changed}))
    if isinstance(parts.restore, AnonymizeRestore):
        places = {"passcode_file": check_passcode_file}
        hidden = located(parts.restore.options, ("restore", "options"), places, around.folder, findings)
        restore, detect, score = with_defaults(parts.restore, parts.detect, parts.score)
        parts = replace(parts, restore=restore.model_copy(update={"options": hidden}), detect=detect, score=score)
    return parts, findings


def _check(parts: RestoreParts, around: Around) -> Iterator[Finding]:
    if parts.source:
        yield from check_source_keys(parts.source)
    if parts.detect:
        yield from check_detect(parts.detect)
    if parts.restore:
        yield from _check_restorer(parts.restore, parts, around)
    if parts.background:
        yield from check_background(parts.background, parts.models, parts.run, around.names)
    if parts.models:
        yield from check_models(parts.models, around.names)
    if parts.score:
        yield from check_score(parts.score)
    if parts.output:
        yield from check_output_keys(parts.output)
    if parts.selection:
        yield from check_selection(parts.selection, parts.output)
    if parts.source and parts.output:
        yield from check_places(parts.source, parts.output, parts.run)
        if parts.notify:
            yield from check_summary(parts.notify, parts.source, parts.output)


def _check_restorer(restore: RestoreBlock, parts: RestoreParts, around: Around) -> Iterator[Finding]:
    """What each kind of restorer cannot have."""
    yield from check_restore(restore)
    yield from check_others(restore, parts.models, around.names)
    if isinstance(restore, GeneratorRestore):
        yield from check_generator(restore, parts.models, around.names)
    if isinstance(restore, CompletionRestore):
        yield from check_completion(restore, around.names)
    if isinstance(restore, InversionRestore):
        yield from check_inversion(restore, around.names)
    if isinstance(restore, AnonymizeRestore):
        yield from check_anonymize(restore, parts.detect, parts.score, parts.background)
        yield from check_prior(restore, around.names)
        if parts.output:
            yield from check_passcode_place(restore, parts.output.uri)
    elif parts.score:
        yield from check_likeness(parts.score)
    if isinstance(restore, NetworkRestore):
        yield from check_engine(restore.engine, parts.run)


def _plain(job: RestoreJob) -> dict[str, Any]:
    # A job without a background is the job that it was before there was such a block; so with a threshold of likeness,
    # and with a model's own cleaning, which stands among the restorer's parameters.
    written = as_written(job)
    options = written["restore"].get("options")
    if isinstance(options, dict) and options.get("clean_first", 0) is None:
        del options["clean_first"]
    if written["score"]["gate"]["max_identity"] is None:
        del written["score"]["gate"]["max_identity"]
    return written if written["background"] is not None else {k: v for k, v in written.items() if k != "background"}


def _indifferent(job: RestoreJob) -> frozenset[str]:
    # A mirrored tree is the same however it was cut; elsewhere a unit becomes a shard.
    return INDIFFERENT | UNIT_SIZES if job.output.layout == "mirror" else INDIFFERENT


RESTORE: Kind[RestoreParts] = Kind(
    model=RestoreJob,
    blocks={
        "source": tuple(SOURCES.values()),
        "detect": (Detect,),
        "restore": (*RESTORES.values(), GeneratorRestore),
        "background": (Background,),
        "models": (Models,),
        "score": (Score,),
        "output": (Output,),
        "selection": (Selection,),
        "run": (Run,),
        "observe": (Observe,),
        "notify": (Notify,),
        "cluster": (Cluster,),
    },
    tags={
        "source": lambda around: Tag("kind", SOURCES),
        "restore": lambda around: Tag("model", RESTORES, DEFAULT_MODEL, GeneratorRestore, around.names.problem),
    },
    parts=RestoreParts,
    place=_place,
    check=_check,
    indifferent=_indifferent,
    plain=_plain,
    in_order=frozenset({"restore.options.recipe", "restore.options.edits"}),
)
