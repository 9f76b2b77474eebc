"""The output of a pairs job: both sides of its pairs, whatever the format they were written in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from jobs.errors import CommandError
from jobs.evaluate.sides import Half, Side, listed_side
from jobs.exits import Exit
from jobs.models.addresses import shown
from pipeline.errors import NoSuchRunError
from pipeline.records import Record
from pipeline.run import current_run
from pipeline.sources import SourceSpec
from pipeline.storage import Folder

TRAIN = "train"
_TEMPLATE = "ffhq"


@dataclass(frozen=True)
class PairsOutput:
    """The pairs of a run.

    Attributes:
        degraded: what restorers are given; names are `PART/KEY`.
        truth: what they should make of it, by the same names.
        parts: those that are taken.
        left_out: parts that are not.
        template: alignment of the faces.
        recipe: what degraded them.
    """

    degraded: Side
    truth: Side
    parts: tuple[str, ...]
    left_out: tuple[str, ...]
    template: str
    recipe: str


def pairs_output(uri: str, options: Mapping[str, Any], wanted: Collection[str]) -> PairsOutput | None:
    """Recognise the output of a pairs job by its ledger.

    Args:
        uri: a folder.
        options: fsspec storage options.
        wanted: names of parts; none for all but `train`, or for all where there is no other.

    Returns:
        None where it is another folder.

    Raises:
        CommandError: its format keeps no pairs that can be read here, or it has no such part.
    """
    try:
        run = current_run(Folder(uri, options))
    except NoSuchRunError:
        return None
    if run is None or run.header.kind != "pairs":
        return None
    job = run.header.job
    form = str(job.get("output", {}).get("format", "webdataset"))
    if form not in _FORMATS:
        raise CommandError(
            f"{shown(uri)}: holds pairs in the format {form}, expected one of {', '.join(_FORMATS)}; "
            "name folders of pictures with --truth and --inputs, or make the pairs in another format",
            Exit.BAD_JOB,
        )
    degraded, truth = _FORMATS[form](uri, options)
    there = sorted({name.partition("/")[0] for name in truth.records})
    for part in wanted:
        if part not in there:
            raise CommandError(f"{shown(uri)}: has no part {part}; it has {', '.join(there)}", Exit.USAGE)
    taken = [part for part in there if (part in wanted if wanted else part != TRAIN)] or there
    return PairsOutput(
        degraded.only(lambda name: name.partition("/")[0] in taken),
        truth.only(lambda name: name.partition("/")[0] in taken),
        tuple(taken),
        tuple(part for part in there if part not in taken),
        str(job.get("samples", {}).get("template") or _TEMPLATE),
        _recipe(job),
    )


def _recipe(job: Mapping[str, Any]) -> str:
    recipe = job.get("degrade", {}).get("recipe", "")
    return str(recipe.get("recipe", "")) if isinstance(recipe, Mapping) else str(recipe)


def _shards(uri: str, options: Mapping[str, Any]) -> tuple[Side, Side]:
    def named(ending: str) -> Callable[[Record], str | None]:
        def name_of(record: Record) -> str | None:
            if not record.key.endswith(ending):
                return None
            return f"{_shard_part(record)}/{record.key.removesuffix(ending)}"

        return name_of

    spec = SourceSpec("webdataset", uri, options)
    return listed_side(spec, named(".lq.png")), listed_side(spec, named(".gt.png"))


def _tables(uri: str, options: Mapping[str, Any]) -> tuple[Side, Side]:
    def name_of(record: Record) -> str:
        return f"{_shard_part(record)}/{record.key}"

    def side(column: str) -> Side:
        return listed_side(SourceSpec("parquet", uri, options, bytes_column=column, key_column="key"), name_of)

    return side("lq"), side("gt")


def _folders(uri: str, options: Mapping[str, Any]) -> tuple[Side, Side]:
    def side(folder: str) -> Side:
        def name_of(record: Record) -> str | None:
            parts = PurePosixPath(record.key).with_suffix("").parts
            return f"{parts[0]}/{parts[2]}" if len(parts) == 3 and parts[1] == folder else None

        return listed_side(SourceSpec("files", uri, options), name_of)

    return side("lq"), side("gt")


def _halves(uri: str, options: Mapping[str, Any]) -> tuple[Side, Side]:
    def side(half: Half) -> Side:
        def name_of(record: Record) -> str | None:
            path = PurePosixPath(record.key).with_suffix("")
            return str(path) if len(path.parts) == 2 else None

        return listed_side(SourceSpec("files", uri, options), name_of, half)

    return side("left"), side("right")


def _shard_part(record: Record) -> str:
    """`val` of `val-000000.tar`."""
    return PurePosixPath(record.uri).name.rpartition("-")[0]


_FORMATS: Mapping[str, Callable[[str, Mapping[str, Any]], tuple[Side, Side]]] = {
    "webdataset": _shards,
    "folders": _folders,
    "parquet": _tables,
    "aligned": _halves,
}
