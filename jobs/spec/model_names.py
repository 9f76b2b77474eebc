"""Which models a job may name, and what is said of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs.spec.problems import describe, listed, nearest
from jobs.spec.uris import absolute
from operators.models import CHECKPOINTS, Checkpoint
from operators.models.cache import Cache

BUILT_IN = ("classic", "none")


@dataclass(frozen=True)
class ModelNames:
    """Names that `restore.model` can have.

    Attributes:
        added: models of the user's own in this machine's cache.
        elsewhere: whether there is a `models.source`, which may hold models that this machine does not know yet.
    """

    added: Mapping[str, Checkpoint] = field(default_factory=dict)
    elsewhere: bool = False

    def checkpoint(self, name: str) -> Checkpoint | None:
        """What is known of a model with weights; None when nothing is."""
        return CHECKPOINTS.get(name) or self.added.get(name)

    def usable(self) -> list[str]:
        """Every name that this version can run, the built-in ones first."""
        known = {**CHECKPOINTS, **self.added}
        return [*BUILT_IN, *sorted(name for name, one in known.items() if one.restorer and one.runs)]

    def problem(self, value: Any) -> str:
        """Why a value cannot stand at `restore.model`; empty when it can."""
        if not isinstance(value, str):
            return f"found {describe(value)}, expected the name of a model, such as {listed(self.usable()[:3])}"
        if value in BUILT_IN:
            return ""
        checkpoint = self.checkpoint(value)
        if checkpoint is None:
            return "" if self.elsewhere and value.strip() else self._unknown(value)
        if checkpoint.restorer and checkpoint.runs:
            return ""
        why = "restores no faces" if checkpoint.runs else "is known, but this version does not run it"
        return f"found {describe(value)}, which {why} ({checkpoint.purpose}); expected {listed(self.usable())}"

    def _unknown(self, value: str) -> str:
        close = nearest(value, [*self.usable(), *CHECKPOINTS])
        if close:
            return f"found {describe(value)}, expected {listed(self.usable())}; did you mean '{close}'?"
        return (
            f"found {describe(value)}, expected {listed(self.usable())}; a file of your own gets a name with "
            "`facejobs models add FILE --name NAME`"
        )


def names_for(data: Mapping[str, Any], folder: Path) -> ModelNames:
    """The names that a job file can use on this machine.

    Args:
        data: of the job file, not validated yet.
        folder: what its relative paths are relative to.

    Returns:
        The names; without those of a cache that cannot be read, which is no fault of the file.
    """
    block = data.get("models")
    models: Mapping[str, Any] = block if isinstance(block, Mapping) else {}
    return ModelNames(_added(models.get("cache"), folder), bool(models.get("source")))


def _added(cache: Any, folder: Path) -> dict[str, Checkpoint]:
    try:
        place = Path(absolute(cache, folder)) if isinstance(cache, str) and cache.strip() else None
        return {model.checkpoint.name: model.checkpoint for model in Cache(place).list()}
    except (OSError, ValueError):
        return {}
