"""Compiled engines for the workers of a run: from this machine's cache, shared over a folder or bucket."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from jobs.models.addresses import scrubbed, shown
from operators.engines.artifacts import FolderArtifacts
from operators.engines.envelope import EnvelopeError, seal, unseal
from operators.models.cache import Cache
from pipeline.errors import StorageError
from pipeline.retries import is_storage
from pipeline.storage import Folder

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True)
class SharedArtifacts:
    """`operators.engines.options.ArtifactStore` on a local folder and, behind it, a shared one; picklable.

    What is found in the shared place is kept locally; what is compiled here goes to both. An object of the shared place
    carries its own SHA-256 in its header and is checked before it is used. Whatever is wrong with the shared place is
    logged and never raised: without it, an engine is compiled on each machine.

    Attributes:
        local_folder: on this machine; the cache's when None.
        uri: the shared folder, any URL that fsspec writes; None shares nothing.
        options: fsspec storage options for it.
    """

    local_folder: Path | None = None
    uri: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def load(self, digest: str) -> bytes | None:
        """An artefact, from here or from the shared place; None where neither has it whole."""
        data = self._local.load(digest)
        if data is not None or self.uri is None:
            return data
        sealed = self._shared("read", lambda folder: folder.read(_name(digest)))
        if sealed is None:
            return None
        try:
            data = bytes(unseal(sealed, {"digest": digest}))
        except EnvelopeError as error:
            _LOG.warning(
                "compiled engine %s in %s is damaged (%s); it is compiled anew", digest, shown(self.uri), error
            )
            return None
        about = self._shared("read", lambda folder: folder.read(_about(digest)))
        self._local.save(digest, data, _parsed(about))
        return data

    def save(self, digest: str, data: bytes, about: Mapping[str, Any]) -> None:
        """Keep an artefact here and in the shared place; the artefact before its description."""
        self._local.save(digest, data, about)
        if self.uri is not None:
            self._put(digest, data, {**about, "bytes": len(data)})

    def share(self, digest: str) -> bool:
        """Put an artefact that is here into the shared place unless it is there; whether it is there now."""
        if self.uri is None:
            return False
        if self._shared("read", lambda folder: folder.exists(_name(digest))):
            return True
        data = self._local.load(digest)
        if data is None:
            return False
        text = self._local.path / _about(digest)
        return self._put(digest, data, _parsed(text.read_bytes() if text.exists() else None))

    def discard(self, digest: str) -> None:
        """Forget an artefact here and in the shared place: what one machine of a kind cannot load, none can."""
        self._local.discard(digest)
        if self.uri is not None:
            self._shared("removed", lambda folder: folder.delete(_name(digest)))
            self._shared("removed", lambda folder: folder.delete(_about(digest)))

    def _put(self, digest: str, data: bytes, about: Mapping[str, Any]) -> bool:
        """Write both objects to the shared place; whether the artefact got there."""
        text = json.dumps(about, indent=1, sort_keys=True, default=str).encode() + b"\n"

        def write(folder: Folder) -> bool:
            folder.write(_name(digest), seal(data, {"digest": digest}))
            folder.write(_about(digest), text)
            return True

        return bool(self._shared("written", write))

    @property
    def _local(self) -> FolderArtifacts:
        return FolderArtifacts(self.local_folder or Cache().engines)

    def _shared(self, verb: str, act: Callable[[Folder], _T]) -> _T | None:
        assert self.uri is not None
        try:
            return act(Folder(self.uri, self.options))
        except FileNotFoundError:
            return None
        except Exception as error:
            if not isinstance(error, StorageError) and not is_storage(error):
                raise
            said = scrubbed(f"{type(error).__name__}: {error}")
            _LOG.warning("shared engines at %s could not be %s (%s)", shown(self.uri), verb, said)
            return None


def _name(digest: str) -> str:
    return f"{digest}.engine"


def _about(digest: str) -> str:
    return f"{digest}.json"


def _parsed(text: bytes | None) -> dict[str, Any]:
    """The description as it came; what is no JSON object is none."""
    try:
        found = json.loads(text or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
