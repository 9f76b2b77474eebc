"""Which samples of a survey become targets, and on which side of a split: a pure function of survey and job."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from jobs.pairs.grouping import grouped, said
from jobs.pairs.survey.table import Survey
from jobs.spec import PairsJob
from jobs.spec.split import kept_together
from operators.selection.duplicates import exact_duplicates, near_duplicates, preference
from operators.selection.groups import group_names, largest_share
from operators.selection.splits import assign, numbering, spread

Indices = NDArray[np.int64]

WIDE = 0.2
"""Share of all samples from which on one group is worth a warning: a split cannot be finer than its largest group."""
MISSED = 0.1
"""Share of all samples by which a part has to miss what was asked for it, to be worth that warning."""


@dataclass(frozen=True)
class Selection:
    """What became of every candidate of a survey.

    Attributes:
        left_out: for each row of the survey, why it is no target; empty for those that are.
        copy_of: for each row, key of the image that its own is a copy of; empty where it is none.
        kept: (k,) int64: rows that are targets, in survey order.
        group: (k,) int64: of each target.
        part: of each target.
        side: of each target: `both`, or `A` or `B` where sides are not paired.
        number: (k,) int64: of each target, over all parts.
        variants: (k,) int64: pairs that are made of each.
        parts: names of all parts, those without a target as well.
        warnings: what the user should know.
    """

    left_out: list[str]
    copy_of: list[str]
    kept: Indices
    group: Indices
    part: list[str]
    side: list[str]
    number: Indices
    variants: Indices
    parts: tuple[str, ...]
    warnings: tuple[str, ...]

    def to_table(self, survey: Survey) -> pa.Table:
        """One row a candidate, for whoever wants to know why."""
        n = len(self.left_out)
        columns: dict[str, list[Any]] = {name: [None] * n for name in ("group", "part", "side", "number", "variants")}
        for place, row in enumerate(self.kept.tolist()):
            columns["group"][row] = group_name(int(self.group[place]))
            columns["part"][row], columns["side"][row] = self.part[place], self.side[place]
            columns["number"][row] = int(self.number[place])
            columns["variants"][row] = int(self.variants[place])
        return pa.table(
            {
                "key": survey.table["key"],
                "sample": survey.table["sample"],
                "left_out": pa.array(self.left_out, pa.string()),
                "copy_of": pa.array(self.copy_of, pa.string()),
                "group": pa.array(columns["group"], pa.string()),
                "part": pa.array(columns["part"], pa.string()),
                "side": pa.array(columns["side"], pa.string()),
                "number": pa.array(columns["number"], pa.int64()),
                "variants": pa.array(columns["variants"], pa.int64()),
            }
        )

    def summary(self, survey: Survey) -> dict[str, Any]:
        """In numbers, for the report and the dataset card."""
        splits = {part: {"samples": 0, "groups": 0, "pairs": 0} for part in self.parts}
        members: dict[str, set[int]] = {part: set() for part in splits}
        for part, group, count in zip(self.part, self.group.tolist(), self.variants.tolist(), strict=True):
            splits[part]["samples"] += 1
            splits[part]["pairs"] += count
            members[part].add(group)
        for part, found in members.items():
            splits[part]["groups"] = len(found)
        sizes = np.bincount(self.group) if self.group.size else np.zeros(1, np.int64)
        return {
            "records": survey.images + survey.failed,
            "failed": survey.failed,
            "candidates": len(self.left_out) - self.left_out.count("no_face"),
            "left_out": dict(sorted(Counter(reason for reason in self.left_out if reason).items())),
            "kept": len(self.kept),
            "groups": int(np.count_nonzero(sizes)),
            "largest_group": int(sizes.max()),
            "splits": splits,
            "warnings": list(self.warnings),
        }


def group_name(label: int) -> str:
    """As records name it."""
    return f"g{label:07d}"


def select(job: PairsJob, survey: Survey) -> Selection:
    """Choose targets and their parts.

    Args:
        job: its filters, its split, its seed.
        survey: of its source.
    """
    table = survey.table
    left_out: list[str] = table["left_out"].to_pylist()
    _filter(job, table, left_out)
    copy_of = [""] * len(left_out)
    if job.filter.duplicates != "keep":
        _drop_copies(job, table, left_out, copy_of)
    kept, labels = grouped(job, survey, left_out)
    chosen = table.take(kept)
    sample_keys = [
        f"{key}#{json.loads(sample)['index']}"
        for key, sample in zip(chosen["key"].to_pylist(), chosen["sample"].to_pylist(), strict=True)
    ]
    names = group_names(labels, sample_keys)
    number = _numbers(chosen["key"].to_pylist(), sample_keys, job.run.seed)
    part = assign(labels, np.ones(len(kept)), job.split.parts, job.run.seed, names) if len(kept) else []
    side = _sides(job, labels, part, names)
    if job.degrade.pairs is not None:
        variants = _spread(job.degrade.pairs, number, side)
    else:
        variants = np.full(len(kept), job.degrade.variants or 1, np.int64)
    variants[[place for place, one in enumerate(side) if one == "B"]] = 1
    warnings = (*_warnings(job, labels, part, side), *_unsaid(job, chosen["metadata"].to_pylist()))
    parts = tuple(sorted(job.split.parts))
    return Selection(left_out, copy_of, kept, labels, part, side, number, variants, parts, warnings)


def _numbers(images: list[str], sample_keys: list[str], seed: int) -> Indices:
    """Images in the order of a hash, and so the samples of each: those of one image follow each other.

    A worker that makes their pairs then decodes the image once.
    """
    distinct = sorted(set(images))
    place = dict(zip(distinct, numbering(distinct, seed).tolist(), strict=True))
    of_image = np.array([place[image] for image in images], np.int64)
    number = np.empty(len(images), np.int64)
    number[np.lexsort((numbering(sample_keys, seed), of_image))] = np.arange(len(images))
    return number


def _filter(job: PairsJob, table: pa.Table, left_out: list[str]) -> None:
    """Note why candidates are not good enough, the first reason of each."""
    wanted = job.filter
    sides = np.minimum(table["width"].to_numpy(), table["height"].to_numpy())
    # Ray, Arrow and NumPy agree on NaN for null; a comparison with it is false, so what was not measured fails.
    tests: list[tuple[str, NDArray[np.bool_]]] = [("small_image", sides >= wanted.min_side)]
    for name, least, reason in (
        ("sharpness", wanted.min_sharpness, "not_sharp"),
        ("confidence", wanted.min_confidence, "unsure"),
    ):
        if least is not None:
            values = pc.fill_null(table[name], float("nan")).to_numpy()
            tests.append((reason, values >= least))
    for reason, passed in tests:
        for row in np.flatnonzero(~passed).tolist():
            left_out[row] = left_out[row] or reason


def _drop_copies(job: PairsJob, table: pa.Table, left_out: list[str], copy_of: list[str]) -> None:
    """Leave out images that are copies of others, with all of their samples. Only images with a target are compared."""
    keys: list[str] = table["key"].to_pylist()
    rows_of: dict[str, list[int]] = {}
    for row, (key, reason) in enumerate(zip(keys, left_out, strict=True)):
        if not reason:
            rows_of.setdefault(key, []).append(row)
    images = list(rows_of)
    firsts = np.array([rows[0] for rows in rows_of.values()], np.int64)
    first = table.take(firsts)
    sharpness = pc.fill_null(table["sharpness"], float("nan")).to_numpy().astype(np.float64)
    sharpest = np.array([np.fmax.reduce(sharpness[rows]) for rows in rows_of.values()], np.float64)
    pixels = first["width"].to_numpy().astype(np.int64) * first["height"].to_numpy().astype(np.int64)
    rank = preference(pixels, sharpest, images)
    exact = exact_duplicates(first["sha256"].to_pylist(), rank)
    originals = {"duplicate_exact": exact}
    if job.filter.duplicates == "near":
        hashes = first["perceptual_hash"].to_numpy().astype(np.uint64)
        originals["duplicate_near"] = near_duplicates(hashes, job.filter.distance, rank)
    for reason, original in originals.items():
        for image, other in enumerate(original.tolist()):
            if other == image:
                continue
            for row in rows_of[images[image]]:
                if not left_out[row]:
                    left_out[row], copy_of[row] = reason, images[other]


def _sides(job: PairsJob, labels: Indices, part: list[str], names: list[str]) -> list[str]:
    """Both sides; where degraded and good do not belong together, in each part half of the groups on either side."""
    if job.output.format != "unpaired":
        return ["both"] * len(part)
    sides = [""] * len(part)
    for name in sorted(set(part)):
        places = [place for place, one in enumerate(part) if one == name]
        inner, relabelled = np.unique(labels[places], return_inverse=True)
        inner_names = [names[label] for label in inner.tolist()]
        halves = assign(
            relabelled.astype(np.int64), np.ones(len(places)), {"A": 1.0, "B": 1.0}, job.run.seed, inner_names
        )
        for place, half in zip(places, halves, strict=True):
            sides[place] = half
    return sides


def _spread(total: int, number: Indices, side: list[str]) -> Indices:
    """How many pairs each target gives; where sides are not paired, how many degraded pictures."""
    degraded = np.array([place for place, one in enumerate(side) if one != "B"], np.int64)
    variants = np.zeros(len(side), np.int64)
    if degraded.size:
        variants[degraded] = spread(total, number[degraded])
    return variants


def _warnings(job: PairsJob, labels: Indices, part: list[str], side: list[str]) -> tuple[str, ...]:
    found = []
    if job.output.format == "unpaired":
        there = set(zip(part, side, strict=True))
        if lone := sorted(name for name in set(part) if len({(name, "A"), (name, "B")} & there) < 2):
            found.append(f"{', '.join(lone)}: one group only, and so one side only; it takes two groups to have both")
    if len(job.split.parts) > 1:
        share = largest_share(labels)
        if share > WIDE and _missed(job, part) > MISSED and np.bincount(labels).max() > 1:
            people = kept_together(job.split, job.samples) == "identity"
            what = "a higher split.similarity makes finer ones" if people else "see split.by"
            found.append(f"the largest group holds {share:.0%} of all samples, so the parts are not as asked; {what}")
        empty = sorted(set(job.split.parts) - set(part))
        if empty:
            found.append(f"no samples for {', '.join(empty)}: there are fewer groups than that takes")
    return tuple(found)


def _missed(job: PairsJob, part: list[str]) -> float:
    """By how much, as a share of all samples, the part that is furthest from what was asked misses it."""
    total = sum(job.split.parts.values())
    return max(abs(part.count(name) / max(len(part), 1) - share / total) for name, share in job.split.parts.items())


def _unsaid(job: PairsJob, metadata: list[str | None]) -> tuple[str, ...]:
    """A warning where a catalogue does not say of every target what it belongs to."""
    column = job.split.column
    if kept_together(job.split, job.samples) != "column" or column is None or len(job.split.parts) < 2:
        return ()
    if not (count := sum(said(text, column) is None for text in metadata)):
        return ()
    return (
        f"{count} of {len(metadata)} samples have nothing in split.column {column!r}: they stay with their copies only",
    )
