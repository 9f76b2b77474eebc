"""The kind `train`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel

from jobs.spec.generator_checks import check_models
from jobs.spec.kind import Around, Kind, as_written
from jobs.spec.located import Check, located
from jobs.spec.models import Models
from jobs.spec.notify import Notify
from jobs.spec.notify_checks import check_summary, with_summary
from jobs.spec.observe import Observe, check_textfile
from jobs.spec.problems import Finding, nearest
from jobs.spec.tag import Tag
from jobs.spec.train import TrainJob
from jobs.spec.train_checks import (
    check_catalogue,
    check_file,
    check_kinds,
    check_making,
    check_pairs,
    check_recipes,
    check_run,
    check_schedule,
    check_size,
    check_where,
    places_of,
)
from jobs.spec.train_recipes import recipes_data, settled_recipes
from jobs.spec.train_settings import check_settings
from jobs.spec.training.common import CommonSchedule, ModelBlock, ObjectiveBlock
from jobs.spec.training.data import DATA, DataBlock, FacesData, GoodData, HeldData, PairsData
from jobs.spec.training.kinds import MODELS, OBJECTIVES, SCHEDULES
from jobs.spec.training.output import TrainOutput
from jobs.spec.training.run import TrainRun
from jobs.spec.training.starts import check_starts, placed_starts
from jobs.spec.uris import check_folder, check_local, check_output, check_source

MODEL_PLACES: dict[str, Check] = {"cache": check_local, "source": check_folder, "artifacts": check_output}

INDIFFERENT = frozenset(
    {
        "name",
        "data.uri",
        "data.first",
        "data.second",
        "data.style",
        "data.attributes.uri",
        "data.storage_options",
        "data.memory",
        "data.description",
        "data.licence",
        "model.start",
        "models",
        "output",
        "run.runner",
        "run.address",
        "run.workers",
        "run.device",
        "run.precision",
        "run.compiled",
        "run.channels_last",
        "run.threads",
        "run.data_workers",
        "run.grace_seconds",
        "observe",
        "notify",
    }
)
"""What does not change what is learnt, or is known by its content: data and starts, wherever they lie."""


@dataclass(frozen=True)
class TrainParts:
    """The blocks as far as they could be read; keys that were wrong have their default."""

    data: DataBlock | None = None
    model: ModelBlock | None = None
    objective: ObjectiveBlock | None = None
    schedule: CommonSchedule | None = None
    models: Models | None = None
    output: TrainOutput | None = None
    run: TrainRun | None = None
    observe: Observe | None = None
    notify: Notify | None = None


@dataclass(frozen=True)
class _Placed:
    """A place in storage, as `check_summary` takes it."""

    uri: str
    storage_options: dict[str, Any] = field(default_factory=dict)


def _place(parts: TrainParts, around: Around) -> tuple[TrainParts, list[Finding]]:
    findings: list[Finding] = []
    if parts.data is not None:
        parts = replace(parts, data=_placed_data(parts.data, around, findings))
    if parts.model is not None:
        model, problems = placed_starts(parts.model, around.folder)
        findings += problems
        parts = replace(parts, model=model)
    if parts.models is not None:
        parts = replace(parts, models=located(parts.models, ("models",), MODEL_PLACES, around.folder, findings))
    if parts.output is not None:
        output = located(parts.output, ("output",), {"uri": check_output}, around.folder, findings)
        parts = replace(parts, output=output if output.uri is not None else None)
    if parts.observe is not None:
        checks: dict[str, Check] = {"textfile": check_textfile}
        parts = replace(parts, observe=located(parts.observe, ("observe",), checks, around.folder, findings))
    return with_summary(parts, around.folder, findings), findings


def _placed_data(data: DataBlock, around: Around, findings: list[Finding]) -> DataBlock | None:
    """The block with absolute places and recipes written out; None where a place cannot be used."""
    keys = places_of(data)
    places: dict[str, Check] = dict.fromkeys(keys, check_folder if isinstance(data, PairsData) else check_source)
    if isinstance(data, HeldData) and isinstance(data.held_out, str):
        places["held_out"] = check_file
    if isinstance(data, GoodData):
        places["style"] = check_file
    moved = located(data, ("data",), places, around.folder, findings)
    if isinstance(moved, FacesData) and moved.attributes is not None:
        at: dict[str, Check] = {"uri": check_catalogue}
        catalogue = located(moved.attributes, ("data", "attributes"), at, around.folder, findings)
        moved = moved.model_copy(update={"attributes": catalogue})
    if isinstance(moved, GoodData):
        recipes, problems = settled_recipes(moved.recipes, around.folder)
        findings += problems
        moved = moved.model_copy(update={"recipes": recipes})
    return moved if len(places_of(moved)) == len(keys) else None


def _check(parts: TrainParts, around: Around) -> Iterator[Finding]:
    # What was read as the likeliest kind is not held to what that kind needs.
    data = parts.data if _said(around, "data") in DATA else None
    model = parts.model if _said(around, "model") in MODELS else None
    schedule = parts.schedule
    if model:
        yield from check_starts(model, parts.models, around.names)
        if parts.objective and schedule:
            yield from check_settings(model, parts.objective, schedule, parts.run.workers if parts.run else 1)
    if data:
        yield from check_pairs(data)
    if data and model:
        yield from check_kinds(model, data)
        yield from check_size(model, data)
        yield from check_making(model, data)
        if around.data["data"].get("recipes") is None:
            yield from check_recipes(model, data)
    if schedule:
        yield from check_schedule(schedule, parts.output, parts.run)
    if parts.models:
        yield from check_models(parts.models, around.names)
        if parts.models.artifacts is not None:
            message = "has no effect in a train job, which compiles no engines; remove it"
            yield Finding(("models", "artifacts"), message, at_key=True)
    if parts.run:
        yield from check_run(parts.run)
    if data and parts.output:
        yield from check_where(data, parts.output, parts.run)
        if parts.notify:
            for uri in places_of(data).values():
                yield from check_summary(parts.notify, _Placed(uri, data.storage_options), parts.output)


def _chosen(around: Around) -> str:
    """The kind of model; where the file does not say one, the one that it most looks like."""
    blocks = {name: around.data.get(name) for name in ("model", "objective", "schedule")}
    keys = {name: block.keys() if isinstance(block, Mapping) else () for name, block in blocks.items()}
    said = _said(around, "model")
    if isinstance(said, str) and (close := said if said in MODELS else nearest(said, list(MODELS))):
        return close
    return max(MODELS, key=lambda kind: _likeness(kind, keys))


def _said(around: Around, name: str) -> Any:
    """The kind that a block of the file says; None where it says none."""
    block = around.data.get(name)
    kind = block.get("kind") if isinstance(block, Mapping) else None
    return kind if isinstance(kind, str) else None


def _likeness(kind: str, keys: Mapping[str, Collection[str]]) -> int:
    """How many of the file's keys a kind of model has."""
    models: dict[str, type[BaseModel]] = {
        "model": MODELS[kind],
        "objective": OBJECTIVES[kind],
        "schedule": SCHEDULES[kind],
    }
    return sum(len(model.model_fields.keys() & keys[name]) for name, model in models.items())


def _plain(job: TrainJob) -> dict[str, Any]:
    """The job with its recipes written out, and the version of each degradation in them."""
    data = as_written(job)
    if isinstance(job.data, GoodData) and job.data.recipes is not None:
        data["data"]["recipes"] = recipes_data(job.data.recipes)
    if isinstance(job.data, HeldData) and isinstance(job.data.held_out, str):
        data["data"]["held_out"] = "list"
    return data


TRAIN: Kind[TrainParts] = Kind(
    model=TrainJob,
    blocks={
        "data": tuple(DATA.values()),
        "model": tuple(MODELS.values()),
        "objective": tuple(OBJECTIVES.values()),
        "schedule": tuple(SCHEDULES.values()),
        "models": (Models,),
        "output": (TrainOutput,),
        "run": (TrainRun,),
        "observe": (Observe,),
        "notify": (Notify,),
    },
    tags={
        "data": lambda around: Tag("kind", DATA),
        "model": lambda around: Tag("kind", MODELS),
        "objective": lambda around: Tag("", OBJECTIVES, _chosen(around)),
        "schedule": lambda around: Tag("", SCHEDULES, _chosen(around)),
    },
    parts=TrainParts,
    place=_place,
    check=_check,
    indifferent=lambda job: INDIFFERENT,
    plain=_plain,
    in_order=frozenset({"data.recipes", "data.attributes.columns", "model.channels"}),
)
