"""Data of a job file to models, block by block, so that one run finds everything that is wrong."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from jobs.spec.detect import Detect
from jobs.spec.job import JOBS, RestoreJob
from jobs.spec.keys import elsewhere, field_at, mapping_at
from jobs.spec.messages import explain, missing, unknown
from jobs.spec.output import Output
from jobs.spec.problems import Finding, KeyPath, describe, listed, nearest
from jobs.spec.restore import DEFAULT_MODEL, RESTORES, RestoreBlock
from jobs.spec.run import Run
from jobs.spec.score import Score
from jobs.spec.source import SOURCES, SourceBlock

AnyBlock = TypeVar("AnyBlock", bound=BaseModel)


@dataclass(frozen=True)
class Blocks:
    """The blocks as far as they could be read; keys that were wrong have their default."""

    source: SourceBlock | None = None
    detect: Detect | None = None
    restore: RestoreBlock | None = None
    score: Score | None = None
    output: Output | None = None
    run: Run | None = None


def validate(data: Mapping[str, Any]) -> tuple[Blocks, list[Finding]]:
    """Read every block of a job.

    Args:
        data: of the whole file.

    Returns:
        The blocks, and everything that is wrong with single keys.
    """
    findings = _top(data)
    return (
        Blocks(
            source=_tagged(data, "source", Tag("kind", SOURCES), findings),
            detect=_block(data, "detect", Detect, findings),
            restore=_tagged(data, "restore", Tag("model", RESTORES, DEFAULT_MODEL), findings),
            score=_block(data, "score", Score, findings),
            output=_block(data, "output", Output, findings),
            run=_block(data, "run", Run, findings),
        ),
        findings,
    )


def _top(data: Mapping[str, Any]) -> list[Finding]:
    findings: list[Finding] = []
    fields = RestoreJob.model_fields
    unknown_names = [name for name in data if name not in fields]
    findings.extend(Finding((name,), unknown(name, RestoreJob, elsewhere("")), at_key=True) for name in unknown_names)
    meant = {nearest(name, list(fields)) for name in unknown_names}
    for name, field in fields.items():
        if name not in data and field.is_required() and name not in meant:
            findings.append(Finding((name,), missing(name, field.description or ""), at_key=True))
    if "job" in data and data["job"] not in list(JOBS):
        findings.append(Finding(("job",), _not_one_of(data["job"], list(JOBS))))
    if "name" in data:
        field = fields["name"]
        adapter: TypeAdapter[str] = TypeAdapter(field.rebuild_annotation(), config={"strict": True})
        try:
            adapter.validate_python(data["name"])
        except ValidationError as error:
            findings.extend(Finding(("name",), explain(each, field.description or "")) for each in error.errors())
    return findings


def _not_one_of(value: Any, names: list[str]) -> str:
    close = nearest(value, names) if isinstance(value, str) else None
    meant = f"; did you mean '{close}'?" if close else ""
    return f"found {describe(value)}, expected {listed(names)}{meant}"


@dataclass(frozen=True)
class Tag(Generic[AnyBlock]):
    """The key that says which model a block has.

    Attributes:
        key: its name.
        models: its values and their models.
        default: its value where it is left out; None when it has to be there.
    """

    key: str
    models: Mapping[str, type[AnyBlock]]
    default: str | None = None


def _tagged(data: Mapping[str, Any], name: str, tag: Tag[AnyBlock], findings: list[Finding]) -> AnyBlock | None:
    """A block whose model depends on one of its keys."""
    models, block = tag.models, data.get(name, {})
    if not isinstance(block, dict) or (name not in data and tag.default is None):
        return _block(data, name, next(iter(models.values())), findings)
    misspelt = None if tag.key in block else next((key for key in block if nearest(key, [tag.key])), None)
    choice = block.get(misspelt or tag.key, tag.default)
    if isinstance(choice, str) and choice in models:
        return _block(data, name, models[choice], findings)
    if misspelt:
        findings.append(Finding((name, misspelt), f"unknown key; did you mean '{tag.key}'?", at_key=True))
    elif tag.key in block:
        findings.append(Finding((name, tag.key), _not_one_of(choice, list(models))))
    else:
        message = f"missing; expected '{tag.key}: ...' with {listed(list(models))}"
        findings.append(Finding((name, tag.key), message, at_key=True))
    # The rest is read as what it most looks like, so that its other problems are said as well.
    likely = nearest(choice, list(models)) if isinstance(choice, str) else None
    likely = likely or max(models, key=lambda each: len(block.keys() & models[each].model_fields.keys()))
    guess = {key: value for key, value in block.items() if key != misspelt} | {tag.key: likely}
    return _block({name: guess}, name, models[likely], findings)


def _block(data: Mapping[str, Any], name: str, model: type[AnyBlock], findings: list[Finding]) -> AnyBlock | None:
    if name not in data and RestoreJob.model_fields[name].is_required():
        return None
    value = data.get(name, {})
    try:
        return model.model_validate(value)
    except ValidationError as error:
        errors = error.errors()
    findings.extend(_findings(name, model, value, errors))
    if not isinstance(value, dict):
        return None
    kept = copy.deepcopy(value)
    for each in errors:
        _remove(kept, each["loc"])
    try:
        return model.model_validate(kept)
    except ValidationError:
        return None


def _findings(name: str, model: type[BaseModel], value: Any, errors: list[ErrorDetails]) -> list[Finding]:
    found: list[Finding] = []
    for error in errors:
        path: KeyPath = (name, *error["loc"])
        holder, description = field_at(model, error["loc"])
        if error["type"] == "extra_forbidden":
            found.append(Finding(path, unknown(str(path[-1]), holder, elsewhere(name)), at_key=True))
        elif error["type"] == "missing":
            siblings = mapping_at(value, error["loc"][:-1])
            if not any(nearest(key, list(holder.model_fields)) == path[-1] for key in siblings if key != path[-1]):
                found.append(Finding(path, missing(str(path[-1]), description), at_key=True))
        elif len(path) == 1 and error["input"] is None:
            found.append(Finding(path, _empty_block(name, model)))
        else:
            secret = "storage_options" in path
            found.append(Finding(path, explain(error, description, secret=secret)))
    return found


def _empty_block(name: str, model: type[BaseModel]) -> str:
    if RestoreJob.model_fields[name].is_required():
        return f"found nothing below '{name}:', expected {listed(list(model.model_fields))}"
    return f"found nothing below '{name}:'; remove the line for the defaults, or write '{name}: {{}}'"


def _remove(value: Any, loc: tuple[int | str, ...]) -> None:
    """Take the place out, or what holds it where only the whole can be wrong."""
    for part in loc[:-1]:
        try:
            inner = value[part]
        except (KeyError, IndexError, TypeError):
            return
        if not isinstance(inner, dict):
            value.pop(part, None)
            return
        value = inner
    if loc and isinstance(value, dict):
        value.pop(loc[-1], None)
