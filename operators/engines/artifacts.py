"""Compiled engines kept in a folder: whole and unaltered, or not there."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import re
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from operators.engines.envelope import EnvelopeError, seal, unseal
from operators.engines.options import ArtifactKey

_LOG = logging.getLogger(__name__)
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PART = ".part"
_ABANDONED_SECONDS = 24 * 3600.0


def digest(key: ArtifactKey) -> str:
    """Name of the artefact that belongs to a key.

    Args:
        key: everything that could change the artefact.

    Returns:
        64 hexadecimal digits: SHA-256 of the key as canonical JSON (sorted names, no spaces).

    Raises:
        TypeError: the key holds something that is no JSON value.
        ValueError: the key holds a number that is not finite.
    """
    named = {item.name: _plain(getattr(key, item.name)) for item in fields(key)}
    text = json.dumps(named, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class FolderArtifacts:
    """An `ArtifactStore` in one folder of a local or mounted disk; any number of processes may share it.

    An artefact is one file: a header with its SHA-256 (`envelope`), then its bytes. It appears under its name by one
    rename, so a reader finds it whole or not at all, and of two writers the later one stands. What is wrong with the
    disk is logged and never raised: without the store an engine compiles anew.

    Attributes:
        path: the folder; made when the first artefact is saved.
    """

    path: Path

    def load(self, digest: str) -> bytes | None:
        """An artefact; a file that is truncated, altered or foreign is removed.

        Args:
            digest: of its key.

        Returns:
            Its bytes, or None.

        Raises:
            ValueError: `digest` is no digest.
        """
        file = self._file(digest)
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            _LOG.warning("compiled engine %s cannot be read (%s); it is compiled anew", file, error)
            return None
        try:
            return bytes(unseal(content, {"digest": digest}))
        except EnvelopeError as error:
            _LOG.warning("compiled engine %s is damaged (%s); it is removed and compiled anew", file, error)
            self.discard(digest)
            return None

    def save(self, digest: str, data: bytes, about: Mapping[str, Any]) -> None:
        """Keep an artefact, with `<digest>.json` beside it for people to read.

        Args:
            digest: of its key.
            data: the artefact.
            about: what it is; JSON values.

        Raises:
            ValueError: `digest` is no digest.
        """
        file = self._file(digest)
        text = json.dumps({**_plain(about), "bytes": len(data)}, indent=1, sort_keys=True, default=str)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._sweep()
            self._put(file, seal(data, {"digest": digest}))
            self._put(file.with_suffix(".json"), text.encode() + b"\n")
        except OSError as error:
            _LOG.warning("compiled engine cannot be kept in %s (%s); the next process compiles it again", file, error)

    def discard(self, digest: str) -> None:
        """Forget an artefact.

        Args:
            digest: of its key; one that is not there is no error.

        Raises:
            ValueError: `digest` is no digest.
        """
        file = self._file(digest)
        try:
            file.unlink(missing_ok=True)
            file.with_suffix(".json").unlink(missing_ok=True)
        except OSError as error:
            _LOG.warning("compiled engine %s cannot be removed (%s)", file, error)

    def _file(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise ValueError(f"{digest!r} is no artefact's digest: expected 64 lower-case hexadecimal digits")
        return self.path / f"{digest}.engine"

    def _put(self, file: Path, content: bytes) -> None:
        """Write under a name of its own, then rename: never a half-written file under the real name."""
        descriptor, temporary = tempfile.mkstemp(prefix=f".{file.name}.", suffix=_PART, dir=self.path)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            Path(temporary).chmod(0o644)
            Path(temporary).replace(file)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
            raise

    def _sweep(self) -> None:
        """Remove what killed writers left a day ago or longer."""
        for part in self.path.glob(f".*{_PART}"):
            with contextlib.suppress(OSError):
                if time.time() - part.stat().st_mtime > _ABANDONED_SECONDS:
                    part.unlink()


def _plain(value: Any) -> Any:
    """Mappings and tuples of any kind as what JSON has."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
