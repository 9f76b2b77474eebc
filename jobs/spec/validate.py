"""Data of a job file to models, block by block, so that one run finds everything that is wrong."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from jobs.spec.keys import field_at, mapping_at
from jobs.spec.kind import Around, Kind
from jobs.spec.kinds import KEY, KINDS
from jobs.spec.messages import explain, missing
from jobs.spec.problems import Finding, KeyPath, listed, nearest
from jobs.spec.strangers import stranger
from jobs.spec.tag import AnyBlock, Tag, none_of


def validate(name: str, around: Around) -> tuple[Any, list[Finding]]:
    """Read every block of a job.

    Args:
        name: of the kind of job.
        around: the file's data, and where it lies.

    Returns:
        The kind's `parts`, and everything that is wrong with single keys.
    """
    reader = _Reader(name, around.data)
    reader.top()
    parts = {
        block: reader.tagged(block, KINDS[name].tags[block](around))
        if block in KINDS[name].tags
        else reader.block(block, models[0])
        for block, models in KINDS[name].blocks.items()
    }
    return KINDS[name].parts(**parts), reader.findings


class _Reader:
    """Reads blocks of one kind of job and notes what is wrong."""

    def __init__(self, name: str, data: Mapping[str, Any]) -> None:
        self.name = name
        self.kind: Kind[Any] = KINDS[name]
        self.data = data
        self.findings: list[Finding] = []

    def top(self) -> None:
        """Which blocks there are, and the job's name; the key `job` has been looked at before."""
        fields = self.kind.model.model_fields
        unknown = [key for key in self.data if key not in fields]
        self.findings.extend(
            Finding((key,), stranger(self.name, "", (key,), self.kind.model), at_key=True) for key in unknown
        )
        meant = {nearest(key, list(fields)) for key in unknown}
        for key, field in fields.items():
            if key != KEY and key not in self.data and field.is_required() and key not in meant:
                self.findings.append(Finding((key,), missing(key, field.description or ""), at_key=True))
        if "name" in self.data:
            field = fields["name"]
            adapter: TypeAdapter[str] = TypeAdapter(field.rebuild_annotation(), config={"strict": True})
            try:
                adapter.validate_python(self.data["name"])
            except ValidationError as error:
                described = field.description or ""
                self.findings.extend(Finding(("name",), explain(each, described)) for each in error.errors())

    def tagged(self, name: str, tag: Tag[AnyBlock]) -> AnyBlock | None:
        """A block whose model depends on one of its keys."""
        block = self.data.get(name, {})
        if not isinstance(block, dict) or (name not in self.data and tag.default is None):
            return self.block(name, next(iter(tag.models.values())))
        misspelt = None if tag.key in block else next((key for key in block if nearest(key, [tag.key])), None)
        choice = block.get(misspelt or tag.key, tag.default)
        model = tag.model(choice)
        if model is not None and not misspelt:
            return self.block(name, model)
        if misspelt:
            message = f"unknown key; did you mean '{tag.key}'?"
            self.findings.append(Finding((name, misspelt), message, at_key=True))
        elif tag.key in block:
            self.findings.append(Finding((name, tag.key), tag.wrong(choice)))
        else:
            self.findings.append(Finding((name, tag.key), none_of(tag.key, list(tag.models)), at_key=True))
        # The rest is read as what it most looks like, so that its other problems are said as well.
        model = model or tag.likely(choice, block.keys())
        known = [value for value, each in tag.models.items() if each is model]
        guess = {key: value for key, value in block.items() if key != misspelt} | {tag.key: known[0] if known else "?"}
        return self.block(name, model, guess)

    def block(self, name: str, model: type[AnyBlock], value: Any = None) -> AnyBlock | None:
        """A block of one model; the file's own unless a value is given."""
        if name not in self.data and (self._required(name) or self._may_be_left_out(name)):
            return None
        if value is None:
            value = self.data.get(name, {})
        try:
            return model.model_validate(value)
        except ValidationError as error:
            errors = error.errors()
        self._note(name, model, value, errors)
        if not isinstance(value, dict):
            return None
        kept = copy.deepcopy(value)
        for each in errors:
            _remove(kept, each["loc"])
        try:
            return model.model_validate(kept)
        except ValidationError:
            return None

    def _note(self, name: str, model: type[BaseModel], value: Any, errors: list[ErrorDetails]) -> None:
        for error in errors:
            place = error["loc"]
            path: KeyPath = (name, *place)
            holder, description = field_at(model, place)
            if error["type"] == "extra_forbidden":
                self.findings.append(Finding(path, stranger(self.name, name, place, holder), at_key=True))
            elif error["type"] == "missing":
                siblings = mapping_at(value, place[:-1])
                if not any(nearest(key, list(holder.model_fields)) == path[-1] for key in siblings if key != path[-1]):
                    self.findings.append(Finding(path, missing(str(path[-1]), description), at_key=True))
            elif len(path) == 1 and error["input"] is None:
                self.findings.append(Finding(path, self._empty(name, model)))
            else:
                secret = "storage_options" in path or path[:2] == ("notify", "urls") or path[-1] == "passcode"
                self.findings.append(Finding(path, explain(error, description, secret=secret)))

    def _required(self, name: str) -> bool:
        return self.kind.model.model_fields[name].is_required()

    def _may_be_left_out(self, name: str) -> bool:
        """Whether a job without the block is another than one with an empty block."""
        field = self.kind.model.model_fields[name]
        return not field.is_required() and field.get_default(call_default_factory=True) is None

    def _empty(self, name: str, model: type[BaseModel]) -> str:
        if self._required(name):
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
