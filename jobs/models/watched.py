"""A store of compiled engines that remembers what went in and out, for whoever has to tell of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from operators.engines.options import ArtifactStore


@dataclass(frozen=True)
class Kept:
    """An artefact that was put into the store.

    Attributes:
        digest: its name.
        size: in bytes.
        about: what its maker says of it.
    """

    digest: str
    size: int
    about: Mapping[str, Any]


@dataclass
class Watched:
    """`ArtifactStore` around another one.

    Attributes:
        store: the other one.
        saved: what was put in.
        found: digests of what was there.
    """

    store: ArtifactStore
    saved: list[Kept] = field(default_factory=list)
    found: list[str] = field(default_factory=list)

    def load(self, digest: str) -> bytes | None:
        """As the other store."""
        data = self.store.load(digest)
        if data is not None:
            self.found.append(digest)
        return data

    def save(self, digest: str, data: bytes, about: Mapping[str, Any]) -> None:
        """As the other store."""
        self.store.save(digest, data, about)
        self.saved.append(Kept(digest, len(data), about))

    def discard(self, digest: str) -> None:
        """As the other store."""
        self.store.discard(digest)
        self.found = [name for name in self.found if name != digest]
