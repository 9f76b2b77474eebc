"""Which models a job may name, and what is said of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs.spec.names import BUILT_IN
from jobs.spec.problems import describe, listed, nearest
from jobs.spec.uris import absolute
from operators.models import CHECKPOINTS, Checkpoint
from operators.models.cache import Cache
from operators.models.shipped import COMPACT
from operators.whole.networks import architectures


@dataclass(frozen=True)
class ModelNames:
    """Names that `restore.model` can have.

    Attributes:
        added: models of the user's own in this machine's cache.
        damaged: names of models in it that cannot be used; what is wrong is said when the job wants one.
        elsewhere: whether there is a `models.source`, which may hold models that this machine does not know yet.
    """

    added: Mapping[str, Checkpoint] = field(default_factory=dict)
    damaged: frozenset[str] = frozenset()
    elsewhere: bool = False

    def checkpoint(self, name: str) -> Checkpoint | None:
        """What is known of a model with weights; None when nothing is."""
        return CHECKPOINTS.get(name) or self.added.get(name)

    def usable(self) -> list[str]:
        """Every name that this version can run, the built-in ones first."""
        known = {**CHECKPOINTS, **self.added}
        return [*BUILT_IN, *sorted(name for name, one in known.items() if one.restorer and one.runs)]

    def helpers(self) -> list[str]:
        """Every name of weights that this version can run beside a restorer or inside one: first the user's own."""
        published = sorted(name for name, one in CHECKPOINTS.items() if one.runs and not one.restorer)
        return [*sorted(self.added), *published]

    def problem(self, value: Any) -> str:
        """Why a value cannot stand at `restore.model`; empty when it can."""
        if not isinstance(value, str):
            return f"found {describe(value)}, expected the name of a model, such as {listed(self.usable()[:3])}"
        if value in BUILT_IN:
            return ""
        checkpoint = self.checkpoint(value)
        if checkpoint is None:
            elsewhere = self.elsewhere and value.strip()
            return "" if value in self.damaged or elsewhere else self._unknown(value, self.usable())
        if checkpoint.restorer and checkpoint.runs:
            return ""
        why = "restores no faces" if checkpoint.runs else "is known, but this version does not run it"
        if checkpoint.runs and checkpoint.architecture in architectures():
            return (
                f"found {describe(value)}, which takes whole pictures and restores no faces: name it at "
                f"background.model, and here one of {listed(self.usable())}"
            )
        return f"found {describe(value)}, which {why} ({checkpoint.purpose}); expected {listed(self.usable())}"

    def other(self, value: str) -> str:
        """Why a value cannot name a model that serves another purpose than `restore.model`; empty when it can."""
        checkpoint = self.checkpoint(value)
        if checkpoint is None:
            return "" if value in self.damaged or self.elsewhere else self._unknown(value, self.helpers())
        if checkpoint.runs:
            return ""
        return f"found {describe(value)}, which is known, but this version does not run it ({checkpoint.purpose})"

    def _unknown(self, value: str, usable: list[str]) -> str:
        close = nearest(value, [*usable, *CHECKPOINTS])
        meant = f"did you mean '{close}'? A" if close else "a"
        return (
            f"found {describe(value)}, expected {listed(usable)}; {meant} file of your own gets a name with "
            "`facejobs models add FILE --name NAME`, on each machine"
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
    added, damaged = _added(models.get("cache"), folder)
    return ModelNames(added, damaged, bool(models.get("source")))


def _added(cache: Any, folder: Path) -> tuple[dict[str, Checkpoint], frozenset[str]]:
    """What a cache has, and the names of what is damaged in it."""
    try:
        place = Cache(Path(absolute(cache, folder)) if isinstance(cache, str) and cache.strip() else None)
        there = {model.checkpoint.name: model.checkpoint for model in place.list()}
        added = {name: one for name, one in there.items() if name != COMPACT}
        return added, frozenset(place.names()) - there.keys()
    except (OSError, ValueError):
        return {}, frozenset()
