"""The part of a job that decides what comes out: for run identities and for naming what has changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from jobs.spec.job import Spec
from jobs.spec.kinds import KINDS
from jobs.spec.secrets import scrub_urls


def canonical(spec: Spec) -> dict[str, Any]:
    """Everything of a job that changes its output.

    Returns:
        JSON values in a fixed order, without secrets. URIs are absolute; a recipe is written out.
    """
    kind = KINDS[spec.job]
    return _ordered(kind.plain(spec), kind.indifferent(spec), kind.in_order, ())


def _ordered(
    value: Mapping[str, Any], left_out: frozenset[str], in_order: frozenset[str], path: tuple[str, ...]
) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key in sorted(value):
        here = (*path, key)
        name = ".".join(here)
        if name in left_out:
            continue
        item = value[key]
        if name in in_order:
            kept[key] = _as_it_is(item)
        elif isinstance(item, dict):
            kept[key] = _ordered(item, left_out, in_order, here)
        elif isinstance(item, list):
            kept[key] = sorted(item)  # measures, patterns, suffixes: the order in the file means nothing
        else:
            kept[key] = scrub_urls(item) if isinstance(item, str) else item
    return kept


def _as_it_is(value: Any) -> Any:
    """The value with its lists in their own order."""
    if isinstance(value, dict):
        return {key: _as_it_is(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_as_it_is(item) for item in value]
    return scrub_urls(value) if isinstance(value, str) else value


def digest(spec: Spec) -> str:
    """SHA-256 of the canonical job as JSON (sorted keys, no spaces, ASCII), hexadecimal."""
    text = json.dumps(canonical(spec), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What differs between two canonical jobs, one line a key: `restore.strength: was 1.0, is now 0.5`."""
    before, after = dict(_leaves(old, "")), dict(_leaves(new, ""))
    return [
        f"{path}: was {_shown(before, path)}, is now {_shown(after, path)}"
        for path in sorted(before.keys() | after.keys())
        if path not in before or path not in after or before[path] != after[path]
    ]


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Plain values and lists of them; lists of mappings, as a recipe's steps are, item by item."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}[{index}]")
    elif path:
        yield path, value


def _shown(leaves: Mapping[str, Any], path: str) -> str:
    return json.dumps(leaves[path], ensure_ascii=False, default=str) if path in leaves else "not set"
