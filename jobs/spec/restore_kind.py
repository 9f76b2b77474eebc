"""The kind `restore`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from jobs.spec.background import Background
from jobs.spec.checks import (
    check_detect,
    check_output_keys,
    check_places,
    check_restore,
    check_score,
    check_source_keys,
)
from jobs.spec.cluster import Cluster
from jobs.spec.detect import Detect
from jobs.spec.generator_checks import check_engine, check_generator, check_models, check_others
from jobs.spec.indifferent import OF_ALL_JOBS, UNIT_SIZES
from jobs.spec.job import RestoreJob
from jobs.spec.kind import Around, Kind
from jobs.spec.located import Check, located, with_source_and_output
from jobs.spec.models import Models
from jobs.spec.notify import Notify
from jobs.spec.notify_checks import check_summary, with_summary
from jobs.spec.observe import Observe
from jobs.spec.output import Output
from jobs.spec.problems import Finding
from jobs.spec.restore import DEFAULT_MODEL, RESTORES, GeneratorRestore, NetworkRestore, RestoreBlock
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
    if isinstance(parts.restore, GeneratorRestore):
        places: dict[str, Check] = {"masks": check_folder}
        options = located(parts.restore.options, ("restore", "options"), places, around.folder, findings)
        parts = replace(parts, restore=parts.restore.model_copy(update={"options": options}))
    return parts, findings


def _check(parts: RestoreParts, around: Around) -> Iterator[Finding]:
    if parts.source:
        yield from check_source_keys(parts.source)
    if parts.detect:
        yield from check_detect(parts.detect)
    if parts.restore:
        yield from check_restore(parts.restore)
        yield from check_others(parts.restore, parts.models, around.names)
    if isinstance(parts.restore, GeneratorRestore):
        yield from check_generator(parts.restore, parts.models, around.names)
    if isinstance(parts.restore, NetworkRestore):
        yield from check_engine(parts.restore.engine, parts.run)
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
)
