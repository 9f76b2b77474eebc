"""Finding the objects that a URI means: one object, all below a prefix, or a glob."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pipeline.errors import SourceError, StorageError
from pipeline.retries import is_transient, persistent
from pipeline.sources.patterns import compile_glob, has_magic, matcher, set_aside, source_prefix
from pipeline.sources.spec import OnIgnored, SourceSpec
from pipeline.storage import filesystem, split_chain
from pipeline.walk import version_of, walk_files


@dataclass(frozen=True, slots=True)
class Found:
    """One object of a source.

    Attributes:
        name: path relative to the source's prefix.
        fs: the file system it lies in.
        path: inside that file system.
        uri: as fsspec takes it.
        size: bytes.
        version: see `version_of`.
        problem: why it cannot be read, known from the listing; empty otherwise.
    """

    name: str
    fs: Any
    path: str
    uri: str
    size: int
    version: str
    problem: str = ""


def find_objects(spec: SourceSpec, suffixes: tuple[str, ...], ignored: OnIgnored) -> Iterator[Found]:
    """Objects of a source in the order of their names, those left out reported to `ignored`.

    Args:
        spec: `uri`, `options`, `include` and `exclude` are looked at.
        suffixes: which names count where neither patterns nor a glob's last part decide.
        ignored: told of every other object.

    Raises:
        SourceError: nothing is there, or a pattern is wrong.
        StorageError: storage refused or did not answer.
    """
    with listing_errors(spec.uri):
        yield from _find(spec, suffixes, ignored)


@contextmanager
def listing_errors(uri: str) -> Iterator[None]:
    """Turn errors of a file system, met while listing, into what they mean for the job."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise SourceError(f"{uri}: there is nothing; check the spelling, and that the bucket exists") from error
    except OSError as error:
        raise StorageError(f"{uri}: cannot be listed ({type(error).__name__}: {error})") from error
    except Exception as error:
        if is_transient(error) or type(error).__module__.startswith("botocore"):
            raise StorageError(f"{uri}: cannot be listed ({type(error).__name__}: {error})") from error
        raise


def _find(spec: SourceSpec, suffixes: tuple[str, ...], ignored: OnIgnored) -> Iterator[Found]:
    fs, root = _root(spec)
    select = _selection(spec, suffixes)
    glob = _glob(fs, spec) if has_magic(spec.uri) else None
    depth = _folders_deep(spec)

    def enter(folder: str) -> bool:
        if reason := set_aside(folder):
            ignored(folder, reason)
        return not reason and folder.count("/") < depth

    try:
        for name, info in walk_files(fs, root, enter):
            reason = set_aside(name) or _unreadable(info)
            if reason in {"hidden", "ledger", "link to a folder", "not a file"}:
                ignored(name, reason)
            elif (glob and not glob.match(f"{root}/{name}".lstrip("/"))) or not select(name):
                ignored(name, "not selected" if glob or spec.include else "not an image")
            else:
                yield _found(fs, spec, name, info, root or "/")
    except (FileNotFoundError, NotADirectoryError):
        if glob:
            raise
        info = persistent(fs.info)(root)
        if info["type"] != "file":
            raise
        yield _found(fs, spec, root.rsplit("/", 1)[-1], info | {"name": root})


def _root(spec: SourceSpec) -> tuple[Any, str]:
    fs, root = filesystem(source_prefix(spec.uri), spec.options)
    return fs, root.rstrip("/")


def _glob(fs: Any, spec: SourceSpec) -> re.Pattern[str]:
    return compile_glob(str(fs._strip_protocol(split_chain(spec.uri)[1])).lstrip("/"))


def _folders_deep(spec: SourceSpec) -> float:
    """How many folders below the prefix a record can lie: a glob without `**` need not walk the whole tree."""
    pattern = split_chain(spec.uri)[1]
    if not has_magic(spec.uri) or "**" in pattern:
        return math.inf
    prefix = split_chain(source_prefix(spec.uri))[1]
    return pattern.removeprefix(prefix).strip("/").count("/")


def _selection(spec: SourceSpec, suffixes: tuple[str, ...]) -> Callable[[str], bool]:
    """Whether a name's patterns make it a record."""
    excluded = matcher(spec.exclude)
    if spec.include:
        included = matcher(spec.include)
        return lambda name: included(name) and not excluded(name)
    if has_magic(spec.uri) and split_chain(spec.uri)[1].rsplit("/", 1)[-1] not in {"*", "**"}:
        return lambda name: not excluded(name)
    return lambda name: name.lower().endswith(suffixes) and not excluded(name)


def _unreadable(info: dict[str, Any]) -> str:
    """Why something that is listed is no file: sockets, pipes, links to folders; a dangling link is looked at later."""
    if info["type"] in {"file", "dangling"}:
        return ""
    return "link to a folder" if info.get("islink") else "not a file"


def _found(fs: Any, spec: SourceSpec, name: str, info: dict[str, Any], root: str = "") -> Found:
    """One object; `root` is the folder that it was found in, empty for one that the source's URI itself names."""
    path = str(info["name"])
    problem = ""
    if info["type"] == "dangling":
        problem = "dangling_link: the link leads nowhere; restore what it points to or remove it"
    elif root and info.get("islink") and spec.links == "inside" and not _is_inside(path, root):
        problem = (
            "link_outside: the link leads out of the source's folder; put the file itself there, or say "
            "`source.links: anywhere` where links are meant to"
        )
    return Found(name, fs, path, uri_of(fs, path, spec.uri), int(info["size"]), version_of(info), problem)


def _is_inside(path: str, root: str) -> bool:
    """Whether a local link leads to something below a folder, through all links on the way."""
    top = os.path.realpath(root)
    return os.path.commonpath([os.path.realpath(path), top]) == top


def uri_of(fs: Any, path: str, uri: str) -> str:
    """The URI of a path in the file system that `uri` opened, the rest of a chain (`zip://...::s3://...`) included."""
    before, first, behind = split_chain(uri)
    if behind:
        return f"{first.partition('://')[0]}://{path}{behind}"
    return before + str(fs.unstrip_protocol(path))
