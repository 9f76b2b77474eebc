"""The part of a job that decides what comes out: for run identities and for naming what has changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from jobs.spec.job import Spec
from jobs.spec.secrets import scrub_urls

INDIFFERENT = frozenset(
    {
        "name",
        "source.storage_options",
        "output.uri",
        "output.storage_options",
        "output.existing",
        "restore.engine.strict",
        "models.cache",
        "models.source",
        "models.artifacts",
        "models.storage_options",
        "models.accept_noncommercial",
        "run.runner",
        "run.address",
        "run.placement",
        "run.workers",
        "run.gpus_per_worker",
        "run.threads",
        "run.max_quarantined",
        "run.samples",
        "run.isolate",
        "run.record_seconds",
        "run.unit_seconds",
        "run.worker_memory",
        "run.grace_seconds",
        "run.stall_seconds",
    }
)
"""Keys that change no output: where and how the work is done, and where it is kept."""

ONLY_SHARDED = frozenset({"run.unit_records", "run.unit_bytes"})
"""Keys that change output only where a unit becomes a shard; a mirrored tree is the same however it was cut."""


def canonical(spec: Spec) -> dict[str, Any]:
    """Everything of a job that changes its output.

    Returns:
        JSON values in a fixed order, without secrets. URIs are absolute.
    """
    left_out = INDIFFERENT | (ONLY_SHARDED if spec.output.layout == "mirror" else frozenset())
    return _ordered(spec.model_dump(mode="json"), left_out, ())


def _ordered(value: Mapping[str, Any], left_out: frozenset[str], path: tuple[str, ...]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key in sorted(value):
        here = (*path, key)
        if ".".join(here) in left_out:
            continue
        item = value[key]
        if isinstance(item, dict):
            kept[key] = _ordered(item, left_out, here)
        elif isinstance(item, list):
            kept[key] = sorted(item)  # measures, patterns, suffixes: the order in the file means nothing
        else:
            kept[key] = scrub_urls(item) if isinstance(item, str) else item
    return kept


def digest(spec: Spec) -> str:
    """SHA-256 of the canonical job as JSON (sorted keys, no spaces, ASCII), hexadecimal."""
    text = json.dumps(canonical(spec), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What differs between two canonical jobs, one line a key: `restore.strength: was 1.0, is now 0.5`."""
    before, after = dict(_leaves(old, ())), dict(_leaves(new, ()))
    return [
        f"{path}: was {_shown(before, path)}, is now {_shown(after, path)}"
        for path in sorted(before.keys() | after.keys())
        if path not in before or path not in after or before[path] != after[path]
    ]


def _leaves(value: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        if isinstance(item, Mapping) and item:
            yield from _leaves(item, (*path, key))
        else:
            yield ".".join((*path, key)), item


def _shown(leaves: Mapping[str, Any], path: str) -> str:
    return json.dumps(leaves[path], ensure_ascii=False, default=str) if path in leaves else "not set"
