"""The places that a job names, made absolute and looked at for what they can be used for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from jobs.spec.problems import Finding, KeyPath
from jobs.spec.restore import GeneratorRestore
from jobs.spec.uris import absolute, check_folder, check_local, check_output, check_source
from jobs.spec.validate import Blocks

Check = Callable[[str, str], None]
MODEL_PLACES: dict[str, Check] = {"cache": check_local, "source": check_folder, "artifacts": check_output}


def located(blocks: Blocks, folder: Path) -> tuple[Blocks, list[Finding]]:
    """Make every place absolute.

    Args:
        blocks: as far as they could be read.
        folder: absolute, what relative places are relative to.

    Returns:
        The blocks; `source` and `output` are left out where their place cannot be used, other keys have null there.
        And what is wrong with the places.
    """
    findings: list[Finding] = []
    found: dict[str, Any] = {
        "source": _required(blocks.source, "source", check_source, folder, findings),
        "output": _required(blocks.output, "output", check_output, folder, findings),
    }
    if blocks.models is not None:
        found["models"] = _optional(blocks.models, ("models",), MODEL_PLACES, folder, findings)
    if isinstance(blocks.restore, GeneratorRestore):
        options = _optional(blocks.restore.options, ("restore", "options"), {"masks": check_folder}, folder, findings)
        found["restore"] = blocks.restore.model_copy(update={"options": options})
    return replace(blocks, **found), findings


def _required(block: Any, name: str, check: Check, folder: Path, findings: list[Finding]) -> Any:
    if block is None:
        return None
    moved = _optional(block, (name,), {"uri": check}, folder, findings)
    return moved if moved.uri is not None else None


def _optional(block: BaseModel, path: KeyPath, checks: dict[str, Check], folder: Path, findings: list[Finding]) -> Any:
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
