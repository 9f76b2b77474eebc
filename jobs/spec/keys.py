"""Which keys the blocks have, and what stands at a place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from jobs.spec.common import Block

Blocks = Mapping[str, tuple[type[Block], ...]]
"""Blocks of a kind of job, each with the models that it may have."""


def field_at(model: type[BaseModel], place: tuple[int | str, ...]) -> tuple[type[BaseModel], str]:
    """The model that holds a place, and the description of the key there, as far as there is one."""
    holder, description = model, ""
    for index, part in enumerate(place):
        field = holder.model_fields.get(part) if isinstance(part, str) else None
        if field is None:
            break
        description = field.description or ""
        inner = _of_list(field.annotation)
        if index + 1 < len(place) and isinstance(inner, type) and issubclass(inner, BaseModel):
            holder = inner
    return holder, description


def _of_list(annotation: Any) -> Any:
    """The type of a list's items; of anything else its own."""
    return get_args(annotation)[0] if get_origin(annotation) is tuple else annotation


def elsewhere(blocks: Blocks, block: str) -> dict[str, str]:
    """Keys of mappings inside the block, of other blocks, and inside those, to where they belong (`source.limits`)."""
    places: dict[str, str] = {}
    each = [(name, model) for name, models in blocks.items() for model in models]
    for model in blocks.get(block, ()):
        for key, inner in _inner(model):
            places.update((below, f"{block}.{key}") for below in inner.model_fields if below not in places)
    for name, model in each:
        if name != block:
            places.update((key, name) for key in model.model_fields if key not in places)
    for name, model in each:
        for key, inner in _inner(model):
            places.update((below, f"{name}.{key}") for below in inner.model_fields if below not in places)
    return places


def owners(blocks: Blocks, block: str, place: tuple[int | str, ...]) -> list[type[BaseModel]]:
    """Models of a block that have a key at a place, where the block's own model has none."""
    found: list[type[BaseModel]] = []
    for model in blocks.get(block, ()):
        holder, _ = field_at(model, place)
        depth = 1 if holder is model else 2
        if depth == len(place) and place[-1] in holder.model_fields:
            found.append(model)
    return found


def _inner(model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    for key, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield key, field.annotation


def mapping_at(value: Any, place: tuple[int | str, ...]) -> Mapping[str, Any]:
    """The mapping at a place of the data; empty where something else stands."""
    for part in place:
        value = value[part]
    return value if isinstance(value, dict) else {}
