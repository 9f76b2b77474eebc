"""The header that a compiled artefact carries, read before the artefact itself is.

A compiled engine is native code or a plan for it: one of another version may crash the process that loads it. So what
is stored begins with a line that names the format, a line of JSON that says what made the artefact, its length and its
SHA-256; nothing behind it is touched before all of that has been found right.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

MAGIC = b"facejobs artefact 1\n"
LONGEST_HEADER = 1 << 20


class EnvelopeError(ValueError):
    """An artefact is not to be loaded; the message says why."""


class StaleArtifactError(EnvelopeError):
    """The artefact is whole, but something else made it."""


class DamagedArtifactError(EnvelopeError):
    """The artefact is cut, altered, or none of ours."""


def seal(payload: bytes, made_by: Mapping[str, Any]) -> bytes:
    """Put the header before an artefact.

    Args:
        payload: compiled engine.
        made_by: JSON values that must be equal when the artefact is opened: library, version, device and the like.

    Returns:
        Header and payload.
    """
    about = {"made_by": dict(made_by), "bytes": len(payload), "sha256": hashlib.sha256(payload).hexdigest()}
    return b"".join((MAGIC, json.dumps(about, sort_keys=True).encode(), b"\n", payload))


def unseal(data: bytes, made_by: Mapping[str, Any]) -> memoryview:
    """Check the header and take it off.

    Args:
        data: what `seal` returned, as it came back from a store.
        made_by: as it would be sealed now.

    Returns:
        The payload, sharing memory with `data`.

    Raises:
        StaleArtifactError: it was made by something else.
        DamagedArtifactError: no header, another format, or the payload's length or SHA-256 is not what the header says.
    """
    if not data.startswith(MAGIC):
        raise DamagedArtifactError(f"it begins with {data[: len(MAGIC)]!r}, not with {MAGIC!r}")
    about, begin = _header(data)
    _compare(about["made_by"], made_by)
    payload = memoryview(data)[begin:]
    if len(payload) != about["bytes"]:
        raise DamagedArtifactError(f"it holds {len(payload)} bytes, its header says {about['bytes']}")
    if hashlib.sha256(payload).hexdigest() != about["sha256"]:
        raise DamagedArtifactError("its SHA-256 is not the one in its header")
    return payload


def _header(data: bytes) -> tuple[dict[str, Any], int]:
    """The header's JSON and where the payload begins."""
    end = data.find(b"\n", len(MAGIC), len(MAGIC) + LONGEST_HEADER)
    try:
        about = json.loads(data[len(MAGIC) : end]) if end >= 0 else None
    except ValueError:
        about = None
    if (
        not isinstance(about, dict)
        or not isinstance(about.get("made_by"), dict)
        or not {"bytes", "sha256"} <= set(about)
    ):
        raise DamagedArtifactError("its header cannot be read")
    return about, end + 1


def _compare(found: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    # What was sealed has been through JSON, where a tuple becomes a list.
    wanted = json.loads(json.dumps(dict(expected), sort_keys=True))
    different = sorted(name for name in {*found, *wanted} if found.get(name) != wanted.get(name))
    if different:
        pairs = ", ".join(f"{name} {found.get(name)!r}, here {wanted.get(name)!r}" for name in different)
        raise StaleArtifactError(f"it was made by something else: {pairs}")
