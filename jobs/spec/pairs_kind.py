"""The kind `pairs`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from jobs.spec.checks import check_places, check_source_keys
from jobs.spec.cluster import Cluster
from jobs.spec.degrade import Degrade
from jobs.spec.filter import Filter
from jobs.spec.indifferent import OF_ALL_JOBS, UNIT_SIZES
from jobs.spec.kind import Around, Kind, as_written
from jobs.spec.located import with_source_and_output
from jobs.spec.notify import Notify
from jobs.spec.notify_checks import check_summary, with_summary
from jobs.spec.observe import Observe
from jobs.spec.pairs import PairsJob
from jobs.spec.pairs_checks import (
    check_column,
    check_degrade,
    check_filter,
    check_formats,
    check_pairs_run,
    check_parts,
    check_search,
    check_split,
)
from jobs.spec.pairs_output import PairsOutput
from jobs.spec.problems import Finding
from jobs.spec.recipe_reading import settled
from jobs.spec.recipes import recipe_data
from jobs.spec.run import Run
from jobs.spec.samples import DEFAULT_SAMPLES, SAMPLES, SamplesBlock
from jobs.spec.source import SOURCES, SourceBlock
from jobs.spec.split import Split
from jobs.spec.tag import Tag

# Units cut the survey only, whose table is the same however it was cut; shards are cut by output.shard_pairs.
INDIFFERENT = OF_ALL_JOBS | UNIT_SIZES


@dataclass(frozen=True)
class PairsParts:
    """The blocks as far as they could be read; keys that were wrong have their default."""

    source: SourceBlock | None = None
    samples: SamplesBlock | None = None
    filter: Filter | None = None
    degrade: Degrade | None = None
    split: Split | None = None
    output: PairsOutput | None = None
    run: Run | None = None
    observe: Observe | None = None
    notify: Notify | None = None
    cluster: Cluster | None = None


def _place(parts: PairsParts, around: Around) -> tuple[PairsParts, list[Finding]]:
    parts, findings = with_source_and_output(parts, around.folder)
    parts = with_summary(parts, around.folder, findings)
    if parts.degrade is not None:
        degrade, problems = settled(parts.degrade, around.folder)
        parts, findings = replace(parts, degrade=degrade), [*findings, *problems]
    return parts, findings


def _check(parts: PairsParts, _: Around) -> Iterator[Finding]:
    if parts.source:
        yield from check_source_keys(parts.source)
    if parts.samples and parts.split:
        yield from check_search(parts.samples, parts.split)
        yield from check_split(parts.split, parts.samples)
    if parts.source and parts.split:
        yield from check_column(parts.split, parts.source)
    if parts.filter and parts.samples and parts.split:
        yield from check_filter(parts.filter, parts.samples, parts.split)
    if parts.degrade:
        yield from check_degrade(parts.degrade)
    if parts.split:
        yield from check_parts(parts.split, parts.output)
    if parts.output:
        yield from check_formats(parts.output, parts.degrade)
    if parts.run:
        yield from check_pairs_run(parts.run)
    if parts.source and parts.output:
        yield from check_places(parts.source, parts.output, parts.run)
        if parts.notify:
            yield from check_summary(parts.notify, parts.source, parts.output)


def _plain(job: PairsJob) -> dict[str, Any]:
    """The job with its recipe written out, and the version of each degradation in it."""
    data = as_written(job)
    data["degrade"]["recipe"] = recipe_data(job)
    return data


PAIRS: Kind[PairsParts] = Kind(
    model=PairsJob,
    blocks={
        "source": tuple(SOURCES.values()),
        "samples": tuple(SAMPLES.values()),
        "filter": (Filter,),
        "degrade": (Degrade,),
        "split": (Split,),
        "output": (PairsOutput,),
        "run": (Run,),
        "observe": (Observe,),
        "notify": (Notify,),
        "cluster": (Cluster,),
    },
    tags={
        "source": lambda around: Tag("kind", SOURCES),
        "samples": lambda around: Tag("kind", SAMPLES, DEFAULT_SAMPLES),
    },
    parts=PairsParts,
    place=_place,
    check=_check,
    indifferent=lambda job: INDIFFERENT,
    plain=_plain,
    in_order=frozenset({"degrade.recipe"}),
)
