"""A compiled artefact from the store when it is there and fits, else made anew and kept."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from operators.engines.artifacts import digest
from operators.engines.envelope import DamagedArtifactError, EnvelopeError, seal, unseal
from operators.engines.errors import EngineError, EngineMemoryError
from operators.engines.options import ArtifactKey, ArtifactStore

logger = logging.getLogger(__name__)

Loaded = TypeVar("Loaded")
Origin = Literal["stored", "absent", "stale", "damaged", "unloadable"]


@dataclass(frozen=True)
class Obtained(Generic[Loaded]):
    """A loaded artefact.

    Attributes:
        loaded: what the loader made of it.
        digest: of its key.
        origin: `stored` when it came from the store; else what the store had, and so why it was compiled.
    """

    loaded: Loaded
    digest: str
    origin: Origin


def obtain(
    store: ArtifactStore | None,
    key: ArtifactKey,
    made_by: Mapping[str, Any],
    compiler: Callable[[], bytes],
    loader: Callable[[memoryview], Loaded],
) -> Obtained[Loaded]:
    """Load a compiled artefact; compile it once where the store has none that loads.

    Args:
        store: where artefacts are kept; None compiles each time.
        key: everything that could change the artefact.
        made_by: for the header; what must be equal for the artefact to be loaded at all.
        compiler: makes the artefact.
        loader: makes something that runs of it; raises EngineError when it cannot be loaded.

    Returns:
        What was loaded, and where it came from.

    Raises:
        EngineError: it cannot be compiled, or what was just compiled cannot be loaded.
        EngineMemoryError: there was not enough memory; the stored artefact is kept.
    """
    name = digest(key)
    found, origin = _from_store(store, name, made_by, loader)
    if found is not None:
        return Obtained(found, name, origin)
    logger.info("compiling %s for %s (%s): the store's artefact %s is %s", *_names(key), name[:12], origin)
    payload = compiler()
    keep(store, key, made_by, payload)
    return Obtained(loader(memoryview(payload)), name, origin)


def keep(store: ArtifactStore | None, key: ArtifactKey, made_by: Mapping[str, Any], payload: bytes) -> str:
    """Seal an artefact and keep it under its key.

    Args:
        store: where; None keeps nothing.
        key: everything that could change the artefact.
        made_by: for the header.
        payload: the artefact.

    Returns:
        The key's digest.
    """
    name = digest(key)
    if store is not None:
        store.save(name, seal(payload, made_by), {"key": _plain(key), "made_by": dict(made_by)})
    return name


def held(store: ArtifactStore, key: ArtifactKey, made_by: Mapping[str, Any]) -> Origin:
    """What the store has under a key; an artefact that does not fit is discarded, none is loaded.

    Args:
        store: where to look.
        key: everything that could change the artefact.
        made_by: what its header must say.

    Returns:
        `stored` when nothing needs to be compiled, else why something does.
    """
    return _from_store(store, digest(key), made_by, bool)[1]


def _plain(key: ArtifactKey) -> dict[str, Any]:
    """A key as JSON values, for the description beside an artefact."""
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in vars(key).items()}


def _names(key: ArtifactKey) -> tuple[str, str, str]:
    return key.architecture, key.engine, key.precision


def _from_store(
    store: ArtifactStore | None, name: str, made_by: Mapping[str, Any], loader: Callable[[memoryview], Loaded]
) -> tuple[Loaded | None, Origin]:
    data = None if store is None else store.load(name)
    if store is None or data is None:
        return None, "absent"
    try:
        return loader(unseal(data, made_by)), "stored"
    except EngineMemoryError:
        raise
    except (EnvelopeError, EngineError) as error:
        logger.warning("the stored artefact %s is not used: %s", name[:12], error)
        store.discard(name)
        return None, _origin(error)


def _origin(error: EnvelopeError | EngineError) -> Origin:
    if isinstance(error, EngineError):
        return "unloadable"
    return "damaged" if isinstance(error, DamagedArtifactError) else "stale"
