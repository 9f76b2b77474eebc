"""The places that a job names, made absolute and looked at for what they can be used for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from jobs.spec.observe import check_textfile
from jobs.spec.problems import Finding, KeyPath
from jobs.spec.uris import absolute, check_output, check_source

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Check = Callable[[str, str], None]
AnyBlock = TypeVar("AnyBlock", bound=BaseModel)
Parts = TypeVar("Parts", bound="DataclassInstance")
NEEDED: dict[str, Check] = {"source": check_source, "output": check_output}
"""Blocks of every kind of job that have a place in `uri`."""


def with_source_and_output(parts: Parts, folder: Path) -> tuple[Parts, list[Finding]]:
    """Make the places of source and output absolute, and that of the file that the job is observed in.

    Args:
        parts: a dataclass of blocks with `source`, `output` and `observe`, as far as they could be read.
        folder: absolute, what relative places are relative to.

    Returns:
        The parts; `source` and `output` are left out where their place cannot be used. And what is wrong.
    """
    findings: list[Finding] = []
    found: dict[str, Any] = {}
    for name, check in NEEDED.items():
        block = getattr(parts, name)
        if block is not None:
            moved = located(block, (name,), {"uri": check}, folder, findings)
            found[name] = moved if moved.uri is not None else None
    if (observe := getattr(parts, "observe")) is not None:  # noqa: B009 - not of every dataclass, but of a job's parts
        found["observe"] = located(observe, ("observe",), {"textfile": check_textfile}, folder, findings)
    return replace(parts, **found), findings


def located(
    block: AnyBlock, path: KeyPath, checks: Mapping[str, Check], folder: Path, findings: list[Finding]
) -> AnyBlock:
    """Make places of a block absolute.

    Args:
        block: as it could be read.
        path: where it stands.
        checks: its keys with places, each with what refuses those that cannot be used; null stays null.
        folder: absolute, what relative places are relative to.
        findings: takes what is wrong.

    Returns:
        The block, with null at keys whose place cannot be used.
    """
    given = {key: text for key in checks if (text := getattr(block, key)) is not None}
    changed = {key: _place((*path, key), text, checks[key], folder, findings) for key, text in given.items()}
    return block.model_copy(update=changed)


def _place(path: KeyPath, text: str, check: Check, folder: Path, findings: list[Finding]) -> str | None:
    try:
        uri = absolute(text, folder)
        check(text, uri)
    except ValueError as error:
        findings.append(Finding(path, str(error)))
        return None
    return uri
