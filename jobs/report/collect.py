"""Fills a report from a run's ledger and tables."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from jobs.estimate.fact import compare
from jobs.nightly.account import found_by
from jobs.report.clock import Clock
from jobs.report.data import (
    Distribution,
    GateSummary,
    QuarantineRow,
    ReportData,
    Sample,
    Throughput,
    Totals,
)
from jobs.report.limits import QUARANTINE_ROWS, SAMPLES
from jobs.report.measures import MEASURES
from jobs.report.scores import ScoreAccumulator
from jobs.versions import facejobs_version
from pipeline import layout
from pipeline.ledger import Quarantined, now
from pipeline.parts import read_parts
from pipeline.quarantine import standing_commits
from pipeline.records import Output
from pipeline.run import Run
from pipeline.tally import Tally, planned


def collect(run: Run) -> ReportData:
    """Everything that the report shows of a run, finished or not."""
    tally = planned(run)
    clock = Clock()
    faces = _Faces()
    versions: dict[str, str] = {}
    quarantine: list[Quarantined] = []
    parts: list[Output] = []
    for commit, rows in standing_commits(run):
        tally.add_commit(commit, rows)
        clock.add(commit)
        versions.update(commit.versions)
        quarantine.extend(rows[: QUARANTINE_ROWS - len(quarantine)])
        parts.extend(part for part in commit.tables if layout.table_of(part.path) == "faces")
    for table in read_parts(run.folder, parts):
        faces.add(table)
    header = run.header
    return ReportData(
        name=header.name,
        run_id=header.run_id,
        state="complete" if tally.complete else "incomplete",
        created=header.created,
        updated=now(),
        facejobs_version=facejobs_version(),
        totals=_totals(tally),
        throughput=_throughput(tally, clock.wall()),
        scores=faces.distributions(),
        gate=GateSummary(_prefixed(tally, "gate:"), dict(faces.reasons)),
        samples=tuple(_samples(run)),
        quarantine=tuple(QuarantineRow(row.key, row.code, row.message, row.stage, row.uri) for row in quarantine),
        quarantine_by_code=dict(tally.codes.most_common()),
        settings=dict(header.job),
        versions=versions,
        hashes=_hashes(run),
        warnings=header.notes,
        source=header.job["source"]["uri"],
        output=run.outputs.uri,
        night=found_by(run),
        comparison=compare(run, tally, clock.wall()),
    )


class _Faces:
    """Score distributions over all faces, from the table parts of committed units."""

    def __init__(self) -> None:
        self._scores = {name: ScoreAccumulator(measure) for name, measure in MEASURES.items()}
        self.reasons: Counter[str] = Counter()

    def add(self, table: pa.Table) -> None:
        judged = table.filter(pc.is_valid(table["gate_passed"]))
        for name, scores in self._scores.items():
            after = _values(judged, name if name == "identity" else f"{name}_after")
            before = after if name == "identity" else _values(judged, f"{name}_before")
            scores.add_many(before, after)
        for reasons in judged["gate_reasons"].to_pylist():
            self.reasons.update(reason.split(" ", 1)[0] for reason in reasons)

    def distributions(self) -> dict[str, Distribution]:
        made = {name: scores.distribution() for name, scores in self._scores.items()}
        return {name: one for name, one in made.items() if one.after.total}


def _values(table: pa.Table, column: str) -> NDArray[np.float64]:
    """A column as floats, missing values as NaN."""
    values: NDArray[np.float64] = table[column].to_numpy(zero_copy_only=False).astype(np.float64)
    return values


def _totals(tally: Tally) -> Totals:
    counts = tally.counts
    return Totals(
        units_planned=tally.units_planned,
        units_committed=tally.units_committed,
        records_planned=tally.records_planned,
        records_ok=tally.ok,
        records_quarantined=tally.quarantined,
        images_changed=counts.get("images_changed", 0),
        images_unchanged=counts.get("images_unchanged", 0),
        faces_found=counts.get("faces_found", 0),
        faces_restored=counts.get("faces_restored", 0) + counts.get("faces_flagged", 0),
        faces_kept=_prefixed(tally, "faces_kept:"),
        backgrounds=_backgrounds(tally),
        bytes_in=counts.get("bytes_in", 0),
        bytes_out=tally.output_bytes,
    )


def _throughput(tally: Tally, wall: float) -> Throughput:
    rate = (lambda count: count / wall) if wall else (lambda count: None)
    return Throughput(
        wall_seconds=wall or None,
        images_per_second=rate(tally.done),
        faces_per_second=rate(tally.counts.get("faces_found", 0)),
        stage_seconds={stage: float(seconds) for stage, seconds in tally.seconds.items()},
        engines=_prefixed(tally, "faces_by:"),
        backgrounds=_prefixed(tally, "backgrounds_by:"),
        engine_events=_prefixed(tally, "engine:"),
    )


def _backgrounds(tally: Tally) -> dict[str, int]:
    made = tally.counts.get("backgrounds_made", 0)
    return {**({"made": made} if made else {}), **_prefixed(tally, "backgrounds_left:")}


def _prefixed(tally: Tally, prefix: str) -> dict[str, int]:
    return {name.removeprefix(prefix): count for name, count in tally.counts.items() if name.startswith(prefix)}


def _hashes(run: Run) -> dict[str, str]:
    identity = run.header.identity
    hashes = {"plan": run.header.plan.digest, **identity["models"]}
    if background := identity.get("background"):
        hashes[background["name"]] = background["weights_sha256"]
    weights = identity["restorer"]["weights_sha256"]
    return {**hashes, identity["restorer"]["name"]: weights} if weights else hashes


def _samples(run: Run) -> Iterator[Sample]:
    folder = run.folder.child(layout.SAMPLES)
    for name in [name for name in folder.names() if name.endswith(".json")][:SAMPLES]:
        about: dict[str, Any] = json.loads(folder.read(name))
        stem = name.removesuffix(".json")
        yield Sample(
            kind=about["kind"],
            key=about["key"],
            caption=about["key"],
            before=folder.read(f"{stem}-before.jpg"),
            after=folder.read(f"{stem}-after.jpg"),
            width=about["width"],
            height=about["height"],
            facts=about["facts"],
        )
