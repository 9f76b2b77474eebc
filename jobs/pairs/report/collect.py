"""Fills the report of a pairs run from its ledger and its table."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from jobs.estimate.fact import compare
from jobs.pairs.report.counted import Counted
from jobs.pairs.report.data import PairsReport, Totals, View
from jobs.pairs.report.draws import DrawGatherer
from jobs.pairs.report.outline import outline
from jobs.report.clock import Clock
from jobs.report.data import QuarantineRow
from jobs.report.limits import QUARANTINE_ROWS, SAMPLES
from jobs.versions import facejobs_version
from operators.degradations.problems import RecipeError
from operators.degradations.reading import from_data
from operators.degradations.recipe import Recipe
from operators.degradations.shipped import names, shipped
from pipeline import layout
from pipeline.ledger import Quarantined, now
from pipeline.parts import read_parts
from pipeline.quarantine import standing_commits
from pipeline.records import Output
from pipeline.run import Run
from pipeline.tally import Tally, planned

SELECTION = "selection.json"
"""In the run's folder: what became of the survey's candidates, in numbers."""


def collect(run: Run) -> PairsReport:
    """Everything that the report shows of a run, finished or not."""
    tally, clock = planned(run), Clock()
    versions: dict[str, str] = {}
    quarantine: list[Quarantined] = []
    parts: list[Output] = []
    for commit, rows in standing_commits(run):
        tally.add_commit(commit, rows)
        clock.add(commit)
        versions.update(commit.versions)
        quarantine.extend(rows[: QUARANTINE_ROWS - len(quarantine)])
        parts.extend(part for part in commit.tables if layout.table_of(part.path) == "pairs")
    header, recipe = run.header, recipe_of(run.header.job)
    counted, draws = Counted(), DrawGatherer(tally.ok, outline(recipe) if recipe else ())
    for table in read_parts(run.folder, parts):
        counted.add(table)
        draws.add(table)
    selection = _selection(run)
    return PairsReport(
        name=header.name,
        kind=header.kind,
        run_id=header.run_id,
        state="complete" if tally.complete else "incomplete",
        created=header.created,
        updated=now(),
        facejobs_version=facejobs_version(),
        totals=_totals(tally, counted),
        splits=counted.splits(),
        selection=selection,
        draws=draws.draws(),
        wall_seconds=clock.wall() or None,
        stage_seconds={stage: float(seconds) for stage, seconds in tally.seconds.items()},
        views=tuple(_views(run)),
        quarantine=tuple(QuarantineRow(row.key, row.code, row.message, row.stage, row.uri) for row in quarantine),
        quarantine_by_code=dict(tally.codes.most_common()),
        settings=_without_recipe(header.job),
        recipe=_text(header.job.get("degrade", {}).get("recipe")),
        versions=versions,
        hashes={"plan": header.plan.digest, **header.identity.get("models", {})},
        warnings=tuple(dict.fromkeys((*header.notes, *selection.get("warnings", ())))),
        source=header.job.get("source", {}).get("uri", ""),
        output=run.outputs.uri,
        comparison=compare(run, tally, clock.wall()),
    )


def recipe_of(job: Mapping[str, Any]) -> Recipe | None:
    """The recipe of a canonical job; None where it has none that this build can read."""
    given = job.get("degrade", {}).get("recipe")
    if isinstance(given, str):
        return shipped(given) if given in names() else None
    if not isinstance(given, Mapping):
        return None
    try:
        return from_data({key: value for key, value in given.items() if key in Recipe.model_fields})
    except RecipeError:
        return None


def _text(recipe: Any) -> str:
    if recipe is None:
        return ""
    if isinstance(recipe, Mapping):
        first = [key for key in Recipe.model_fields if key in recipe]
        recipe = {key: recipe[key] for key in dict.fromkeys((*first, *recipe))}
    return yaml.safe_dump(recipe, sort_keys=False, allow_unicode=True, width=110)


def _without_recipe(job: Mapping[str, Any]) -> dict[str, Any]:
    settings = dict(job)
    if "degrade" in settings:
        settings["degrade"] = {key: value for key, value in settings["degrade"].items() if key != "recipe"}
    return settings


def _totals(tally: Tally, counted: Counted) -> Totals:
    return Totals(
        units_planned=tally.units_planned,
        units_committed=tally.units_committed,
        records_planned=tally.records_planned,
        records_ok=tally.ok,
        records_quarantined=tally.quarantined,
        sources=len(counted.sources),
        samples=len(counted.samples),
        bytes_out=tally.output_bytes,
    )


def _selection(run: Run) -> dict[str, Any]:
    try:
        found = json.loads(run.folder.read(SELECTION))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _views(run: Run) -> Iterator[View]:
    folder = run.folder.child(layout.SAMPLES)
    there = set(folder.names())
    for name in [name for name in sorted(there) if name.endswith(".json")][:SAMPLES]:
        about: dict[str, Any] = json.loads(folder.read(name))
        stem = name.removesuffix(".json")
        degraded, target = (
            folder.read(side) if side in there else None for side in (f"{stem}-lq.jpg", f"{stem}-gt.jpg")
        )
        yield View(about["key"], about["split"], degraded, target, about.get("facts", {}))
