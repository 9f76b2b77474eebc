"""Data of a job file to models, block by block, so that one run finds everything that is wrong."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from jobs.spec.detect import Detect
from jobs.spec.job import JOBS, RestoreJob
from jobs.spec.keys import elsewhere, field_at, mapping_at, owners
from jobs.spec.messages import explain, for_others, missing, unknown
from jobs.spec.model_names import ModelNames
from jobs.spec.models import Models
from jobs.spec.output import Output
from jobs.spec.problems import Finding, KeyPath, listed, nearest
from jobs.spec.restore import DEFAULT_MODEL, RESTORES, GeneratorRestore, RestoreBlock
from jobs.spec.run import Run
from jobs.spec.score import Score
from jobs.spec.source import SOURCES, SourceBlock
from jobs.spec.tag import AnyBlock, Tag, not_one_of


@dataclass(frozen=True)
class Blocks:
    """The blocks as far as they could be read; keys that were wrong have their default."""

    source: SourceBlock | None = None
    detect: Detect | None = None
    restore: RestoreBlock | None = None
    models: Models | None = None
    score: Score | None = None
    output: Output | None = None
    run: Run | None = None


def validate(data: Mapping[str, Any], names: ModelNames) -> tuple[Blocks, list[Finding]]:
    """Read every block of a job.

    Args:
        data: of the whole file.
        names: of models.

    Returns:
        The blocks, and everything that is wrong with single keys.
    """
    findings = _top(data)
    return (
        Blocks(
            source=_tagged(data, "source", Tag("kind", SOURCES), findings),
            detect=_block(data, "detect", Detect, findings),
            restore=_tagged(data, "restore", _restorers(names), findings),
            models=_block(data, "models", Models, findings),
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
        findings.append(Finding(("job",), not_one_of(data["job"], list(JOBS))))
    if "name" in data:
        field = fields["name"]
        adapter: TypeAdapter[str] = TypeAdapter(field.rebuild_annotation(), config={"strict": True})
        try:
            adapter.validate_python(data["name"])
        except ValidationError as error:
            findings.extend(Finding(("name",), explain(each, field.description or "")) for each in error.errors())
    return findings


def _restorers(names: ModelNames) -> Tag[RestoreBlock]:
    return Tag("model", RESTORES, DEFAULT_MODEL, GeneratorRestore, names.problem)


def _tagged(data: Mapping[str, Any], name: str, tag: Tag[AnyBlock], findings: list[Finding]) -> AnyBlock | None:
    """A block whose model depends on one of its keys."""
    block = data.get(name, {})
    if not isinstance(block, dict) or (name not in data and tag.default is None):
        return _block(data, name, next(iter(tag.models.values())), findings)
    misspelt = None if tag.key in block else next((key for key in block if nearest(key, [tag.key])), None)
    choice = block.get(misspelt or tag.key, tag.default)
    model = tag.model(choice)
    if model is not None and not misspelt:
        return _block(data, name, model, findings)
    if misspelt:
        findings.append(Finding((name, misspelt), f"unknown key; did you mean '{tag.key}'?", at_key=True))
    elif tag.key in block:
        findings.append(Finding((name, tag.key), tag.wrong(choice)))
    else:
        message = f"missing; expected '{tag.key}: ...' with {listed(list(tag.models))}"
        findings.append(Finding((name, tag.key), message, at_key=True))
    # The rest is read as what it most looks like, so that its other problems are said as well.
    model = model or tag.likely(choice, block.keys())
    known = [value for value, each in tag.models.items() if each is model]
    guess = {key: value for key, value in block.items() if key != misspelt} | {tag.key: known[0] if known else "?"}
    return _block({name: guess}, name, model, findings)


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
            others = owners(name, error["loc"])
            message = for_others(others) if others else unknown(str(path[-1]), holder, elsewhere(name))
            found.append(Finding(path, message, at_key=True))
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
