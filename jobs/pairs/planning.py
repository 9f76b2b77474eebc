"""The plan of a pairs run: every pair, in balanced shards of one part each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from jobs.pairs.planned import PlannedPair
from jobs.pairs.sample import Sample
from jobs.pairs.selection import Selection, group_name
from jobs.pairs.survey.table import Survey
from operators.selection.splits import shards
from pipeline.cutting import unit_id
from pipeline.names import fold
from pipeline.records import Record, Unit

CHUNK = 4096
"""Samples whose rows are Python objects at once."""
LAYOUT = ("key", "uri", "version", "bytes", "offset", "row", "sha256", "format", "width", "height", "sample")


def units_of(selection: Selection, survey: Survey, most: int) -> Iterator[Unit]:
    """The units of a run, one a shard.

    Args:
        selection: of the survey.
        survey: where the samples lie.
        most: pairs of a shard.
    """
    index = 0
    for part in sorted(set(selection.part)):
        places = np.array([place for place, one in enumerate(selection.part) if one == part], np.int64)
        places = places[np.argsort(selection.number[places], kind="stable")]
        pairs = _pairs(selection, survey, places, part)
        for number, piece in enumerate(shards(int(selection.variants[places].sum()), most)):
            shard = f"{part}-{number:06d}"
            records = tuple(_record(next(pairs), shard) for _ in piece)
            yield Unit(unit_id(records), index, records)
            index += 1


def again(record: Record, round_: int) -> Record:
    """A planned pair for a retry: its shard has a name of its own, or it would take the first round's place."""
    part, _, number = record.metadata["shard"].rpartition("-")
    shard = f"{part}-r{round_}-{number}"
    return Record(
        record.key,
        record.uri,
        record.version,
        record.size,
        record.offset,
        record.row,
        {**record.metadata, "shard": shard},
        record.problem,
    )


def output_name(record: Record) -> str:
    """What no two pairs of a plan may share."""
    return fold(f"{record.metadata['split']}{record.metadata['side']}/{record.key}")


def _pairs(
    selection: Selection, survey: Survey, places: Any, part: str
) -> Iterator[tuple[PlannedPair, dict[str, Any]]]:
    """The pairs of a part in the order of its samples' numbers, all of a sample's one after another."""
    columns = survey.table.select(LAYOUT)
    for start in range(0, len(places), CHUNK):
        chunk = places[start : start + CHUNK]
        for place, row in zip(chunk.tolist(), columns.take(selection.kept[chunk]).to_pylist(), strict=True):
            sample = Sample.from_dict(json.loads(row["sample"]))
            source = {name: row[name] for name in ("key", "bytes", "sha256", "format", "width", "height")}
            for variant in range(int(selection.variants[place])):
                pair = PlannedPair(
                    name=f"{int(selection.number[place]):07d}-{variant:03d}",
                    split=part,
                    shard="",
                    side=selection.side[place],
                    variant=variant,
                    group=group_name(int(selection.group[place])),
                    source=source,
                    sample=sample,
                )
                yield pair, row


def _record(made: tuple[PlannedPair, dict[str, Any]], shard: str) -> Record:
    pair, row = made
    return pair.to_record(row["uri"], row["version"], row["offset"], row["row"], shard)
