"""A unit as a WebDataset tar: an image member and a .json member a record, the same bytes for the same inputs."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from pipeline.records import Artifact
from pipeline.sinks.spool import Spool


def write_tar(spool: Spool, path: Path) -> None:
    """Write a unit's records as a tar, in their order.

    Names are in POSIX.1-2001 (pax) form where they are long or not ASCII; owner, mode and times are fixed.
    """
    taken: set[str] = set()
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for _, artifacts in spool:
            key = _free_key(artifacts, taken)
            taken.add(key)
            for artifact in artifacts:
                add_member(tar, f"{key}.{_extension(artifact)}", artifact.data)


def sample_key(name: str, *, with_extension: bool = False) -> str:
    """The WebDataset key of an output's name: the path without its extension, and without another dot in its base.

    WebDataset takes all behind the base name's first dot for the extension, so further dots are written `%2E` and
    percent signs `%25` (percent-encoding, RFC 3986 section 2.1): `a/b.v2.jpg` has the key `a/b%2Ev2`, and no two names
    come to share a key that way.

    Args:
        name: of the image, relative to the output root.
        with_extension: keep the extension in the key, for an image that differs from another in nothing else.
    """
    path = PurePosixPath(name)
    base = path.name if with_extension else path.stem
    encoded = base.replace("%", "%25").replace(".", "%2E")
    return encoded if str(path.parent) == "." else f"{path.parent}/{encoded}"


def _free_key(artifacts: Sequence[Artifact], taken: set[str]) -> str:
    """The sample's key; `a.jpg` and `a.tif` of one unit would share `a`, so the later one keeps its extension."""
    named = next((artifact for artifact in artifacts if artifact.role == "image"), artifacts[0])
    key = sample_key(named.name)
    if key in taken:
        key = sample_key(named.name, with_extension=True)
    if key in taken:
        raise ValueError(f"two records of a unit have the output name {named.name!r}")
    return key


def _extension(artifact: Artifact) -> str:
    return PurePosixPath(artifact.name).suffix.removeprefix(".") or "bin"


def add_member(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    """Append a file of mode 644 with no owner and no time."""
    member = tarfile.TarInfo(name)
    member.size = len(data)
    member.mode = 0o644
    tar.addfile(member, io.BytesIO(data))
