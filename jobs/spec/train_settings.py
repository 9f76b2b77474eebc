"""Settings that a schedule refuses, found before anything is run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from pydantic import BaseModel

from jobs.spec.problems import Finding, KeyPath
from jobs.spec.training.common import CommonSchedule, ModelBlock, ObjectiveBlock
from jobs.spec.training.kinds import kind_of
from operators.training.contract import Hardware
from operators.training.schedules.contract import Given
from operators.training.schedules.table import SCHEDULES

BEGINNING = re.compile(r"(?:(?P<block>model|objective|schedule)\.)?(?P<key>[a-z_]+)(?=[:. ])")
Blocks = dict[str, ModelBlock | ObjectiveBlock | CommonSchedule]


def check_settings(
    model: ModelBlock, objective: ObjectiveBlock, schedule: CommonSchedule, workers: int = 1
) -> Iterator[Finding]:
    """What the schedule of a kind of model says to its settings, one by one and together.

    Args:
        model: network, as in the job file.
        objective: weights, likewise.
        schedule: steps, likewise.
        workers: that share a step's batch.
    """
    entry = SCHEDULES[kind_of(model)]
    blocks: Blocks = {"model": model, "objective": objective, "schedule": schedule}
    types = {"model": entry.network, "objective": entry.objective, "schedule": entry.schedule}
    settings: dict[str, Any] = {}
    for name, block in blocks.items():
        settings[name], problem = _tried(types[name], block)
        if problem:
            del settings[name]
            yield _finding(problem, name, blocks)
    if len(settings) < len(blocks) or entry.check is None:
        return
    given = Given(
        settings["model"],
        settings["objective"],
        settings["schedule"],
        hardware=Hardware(world=workers),
        starts={n: {} for n in model.starts()},
    )
    try:
        entry.check(given)
    except ValueError as error:
        found = _finding(str(error), "schedule", blocks)
        # That workers cannot share a batch says `check_schedule`.
        if found.path != ("schedule", "batch") or schedule.batch % (workers * schedule.accumulate) == 0:
            yield found


def _tried(settings: type[Any], block: BaseModel) -> tuple[Any, str]:
    """Settings, or what is wrong with them."""
    try:
        return filled(settings, block), ""
    except ValueError as error:
        return None, str(error)


def filled(settings: type[Any], block: BaseModel) -> Any:
    """Settings of a schedule from the block of the job file that mirrors them.

    Raises:
        ValueError: they cannot be.
    """
    return settings(**{each.name: getattr(block, each.name) for each in fields(settings)})


def _finding(message: str, name: str, blocks: Blocks) -> Finding:
    """At the key that the message begins with; else at the block."""
    match = BEGINNING.match(message)
    if match is not None:
        block = match["block"] or name
        if match["key"] in type(blocks[block]).model_fields:
            return Finding((block, match["key"]), message)
    path: KeyPath = (name,)
    return Finding(path, message, at_key=True)
