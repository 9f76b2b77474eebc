"""Whether source and output lie in one another: a source is only ever read."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.spec.uris import MAGIC, SCHEME

SAME_STORE = {"s3a": "s3", "gs": "gcs", "abfs": "az", "abfss": "az", "adl": "az"}
WITH_LOGIN = frozenset({"ftp", "sftp", "ssh", "smb", "webdav", "webhdfs", "hdfs", "http", "https"})


@dataclass(frozen=True)
class Place:
    """A folder, and within it possibly only the names that begin with some letters.

    Attributes:
        store: what has to be equal for two places to be comparable.
        parts: names of folders from the store's root on.
        lead: what the next part begins with, for globs such as `scans/box*/*.tif`.
    """

    store: str
    parts: tuple[str, ...]
    lead: str = ""


def overlap(source: str, output: str, options: tuple[Mapping[str, Any], Mapping[str, Any]] = ({}, {})) -> str:
    """Why source and output may not be used together, or an empty string.

    The source's prefix is what stands before the first wildcard. An output inside it would be read as source by the
    next run. A source inside the output could be overwritten by a derivative, and `verify` would report it as foreign.

    Args:
        source: absolute path, glob or URL.
        output: absolute path or URL of a folder.
        options: storage options of both; buckets of the same name at two endpoints are different places.
    """
    if inside(output, source, options):
        return "the output lies inside the source's prefix, where the next run would read it; put it elsewhere"
    if inside(source, output, options):
        return "the source lies inside the output, where derivatives could overwrite it; put the output elsewhere"
    return ""


def inside(inner: str, outer: str, options: tuple[Mapping[str, Any], Mapping[str, Any]] = ({}, {})) -> bool:
    """Whether a place lies in a folder, or below a source's prefix; arguments as for `overlap`."""
    if _endpoint(options[0]) and _endpoint(options[1]) and _endpoint(options[0]) != _endpoint(options[1]):
        return False
    where, target = place(outer), place(inner)
    rest = _below(target, where) if where.store == target.store else None
    return rest is not None and (not rest or rest[0].startswith(where.lead))


def place(uri: str) -> Place:
    """Where a URI points, up to its first wildcard; local links are followed."""
    uri = uri.rsplit("::", 1)[-1]
    match = SCHEME.match(uri)
    rest = uri[match.end() :] if match else uri
    wildcard = MAGIC.search(rest)
    lead = ""
    if wildcard:
        rest, _, lead = rest[: wildcard.start()].rpartition("/")
        rest += "/"
    if not match:
        real = Path(os.path.realpath(rest))
        return Place("file", real.parts, lead)
    scheme = SAME_STORE.get(match[1].lower(), match[1].lower())
    names = [part for part in rest.split("/") if part]
    if scheme in WITH_LOGIN and names:
        names[0] = names[0].rpartition("@")[2].lower()
    return Place(scheme, tuple(names), lead)


def _below(inner: Place, outer: Place) -> tuple[str, ...] | None:
    """What follows of `inner` below `outer`; None when it is not there."""
    count = len(outer.parts)
    if inner.parts[:count] == outer.parts:
        return inner.parts[count:]
    if inner.store != "file":
        return None
    # The same folder under two names: another spelling of its case, or mounted twice.
    for cut in range(len(inner.parts), 0, -1):
        if _same(Path(*inner.parts[:cut]), Path(*outer.parts)):
            return inner.parts[cut:]
    return None


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return False


def _endpoint(options: Mapping[str, Any]) -> str:
    client = options.get("client_kwargs")
    nested = client.get("endpoint_url") if isinstance(client, Mapping) else None
    return re.sub(r"/+$", "", str(options.get("endpoint_url") or nested or ""))
