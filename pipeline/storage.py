"""The only door to storage: a folder at any URL that fsspec knows."""

from __future__ import annotations

import os
import re
import shutil
import socket
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from pipeline.errors import StorageError
from pipeline.retries import is_transient, persistent, response_code
from pipeline.walk import walk_files

__all__ = ["Folder", "filesystem", "is_transient", "persistent", "split_chain"]

# `::` joins file systems only where another URL follows (`zip://a.jpg::s3://bucket/a.zip`, `simplecache::s3://...`);
# elsewhere it belongs to a name.
_CHAIN = re.compile(r"::[A-Za-z0-9+.-]+://")


# How names of files begin that are being written, before host and process; see `pipeline.sweep`.
PART = ".part-"


@dataclass(frozen=True)
class Folder:
    """A folder in storage.

    Attributes:
        uri: where it is; a plain path or any fsspec URL.
        options: fsspec storage options (credentials, endpoint), environment variables already filled in.
    """

    uri: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def fs(self) -> Any:
        """The fsspec file system; fsspec caches it per process."""
        return filesystem(self.uri, self.options)[0]

    @property
    def root(self) -> str:
        """The folder's path inside its file system, without a trailing slash."""
        return filesystem(self.uri, self.options)[1].rstrip("/")

    def path(self, name: str) -> str:
        """Full path inside the file system of an object in this folder."""
        return f"{self.root}/{name}" if name else self.root

    def child(self, name: str) -> Folder:
        """A folder inside this one."""
        return Folder(f"{self.uri.rstrip('/')}/{name}", self.options)

    @persistent
    def read(self, name: str) -> bytes:
        """Whole object. Raises FileNotFoundError where there is none."""
        return bytes(self.fs.cat_file(self.path(name)))

    @persistent
    def write(self, name: str, data: bytes) -> None:
        """Put a whole object in one step: a reader sees the old bytes or the new, never a part."""
        fs, path = self.fs, self.path(name)
        if isinstance(fs, LocalFileSystem):
            _write_local(Path(path), data, create_only=False)
        else:
            fs.pipe_file(path, data)

    @persistent
    def upload(self, name: str, source: Path) -> None:
        """Put a local file as a whole object, without ever holding it in memory."""
        fs, path = self.fs, self.path(name)
        if isinstance(fs, LocalFileSystem):
            with _beside(Path(path)) as temporary:
                shutil.copyfile(source, temporary)
                _flush(temporary)
                temporary.chmod(0o644)
                temporary.replace(path)
        else:
            fs.put_file(str(source), path)

    def create(self, name: str, data: bytes) -> bool:
        """Put a whole object only if none is there; True when this call made it.

        S3 `If-None-Match: *` (RFC 9110 section 13.1.2); on local disks a hard link, which fails when the name exists.
        A transient failure is tried again, and then False may mean that the first try had got through: callers tell
        by reading what is there.
        """
        try:
            self._create(name, data)
        except FileExistsError:
            return False
        except OSError as error:
            # s3fs makes FileExistsError of 412 only when the reply names the condition, which not every server does.
            # 409 (ConditionalRequestConflict) is no refusal: another put of the name is under way and may yet fail, so
            # it is tried again like what passes.
            if response_code(error) == "PreconditionFailed":
                return False
            raise
        return True

    @persistent
    def _create(self, name: str, data: bytes) -> None:
        fs, path = self.fs, self.path(name)
        if isinstance(fs, LocalFileSystem):
            _write_local(Path(path), data, create_only=True)
        else:
            fs.pipe_file(path, data, mode="create")

    @persistent
    def exists(self, name: str) -> bool:
        """Whether the object is there now (listing caches are bypassed)."""
        fs = self.fs
        fs.invalidate_cache()
        return bool(fs.exists(self.path(name)))

    @persistent
    def delete(self, name: str) -> None:
        """Remove one object; absent is fine."""
        try:
            self.fs.rm_file(self.path(name))
        except FileNotFoundError:
            return

    @persistent
    def names(self, prefix: str = "") -> list[str]:
        """Names of all objects below `prefix`, relative to this folder, sorted; empty where there is nothing."""
        return sorted(name for name, _ in self.walk(prefix))

    def walk(self, prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
        """Objects below the folder `prefix`, with fsspec's details (size, etag or mtime), in a repeatable order.

        Names are relative to this folder. Where there is no such folder there are no objects; any other error is
        raised, so that a refusal is never taken for an empty folder.
        """
        fs, top = self.fs, self.path(prefix).rstrip("/")
        start = f"{prefix}/" if prefix else ""
        try:
            for name, info in walk_files(fs, top):
                yield start + name, info
        except FileNotFoundError:
            return

    @persistent
    def children(self, prefix: str = "") -> list[str]:
        """Names of the folders directly below the folder `prefix`, sorted; empty where there is nothing."""
        fs = self.fs
        fs.invalidate_cache()
        try:
            entries = fs.ls(self.path(prefix), detail=True)
        except FileNotFoundError:
            return []
        return sorted(entry["name"].rstrip("/").rsplit("/", 1)[-1] for entry in entries if entry["type"] == "directory")

    def check(self) -> None:
        """Raise StorageError unless the folder can be written and read back."""
        probe = f"_facejobs/.probe-{uuid.uuid4().hex}"
        try:
            self.write(probe, b"facejobs")
            if self.read(probe) != b"facejobs":
                raise StorageError(f"{self.uri}: read back other bytes than were written")
            self.delete(probe)
        except StorageError:
            raise
        except Exception as error:
            raise StorageError(f"{self.uri}: cannot write there ({type(error).__name__}: {error})") from error


def split_chain(uri: str) -> tuple[str, str, str]:
    """A URI as what stands before, what is, and what stands behind the URL that holds the path.

    `zip://a/*.jpg::s3://bucket/a.zip` has the path in its first URL, `simplecache::s3://bucket/*.jpg` in its second;
    a URI that is no chain stands alone in the middle.
    """
    if not _CHAIN.search(uri):
        return "", uri, ""
    first, _, rest = uri.partition("::")
    return ("", first, f"::{rest}") if "://" in first else (f"{first}::", rest, "")


def filesystem(uri: str, options: Mapping[str, Any]) -> tuple[Any, str]:
    """The file system of a URL and the path inside it."""
    try:
        if "::" in uri and not _CHAIN.search(uri):
            # fsspec would cut the name at `::` and give the path of another object.
            protocol, _ = fsspec.core.split_protocol(uri)
            fs = fsspec.filesystem(protocol or "file", **options)
            return fs, str(fs._strip_protocol(uri))
        fs, path = fsspec.core.url_to_fs(uri, **options)
    except (ValueError, ImportError, TypeError) as error:
        raise StorageError(f"{uri}: {error}") from error
    return fs, str(path)


def _write_local(path: Path, data: bytes, *, create_only: bool) -> None:
    """Write beside the target, then move or link it into place, so that no reader ever sees half a file."""
    with _beside(path) as temporary:
        temporary.write_bytes(data)
        _flush(temporary)
        temporary.chmod(0o644)
        if create_only:
            os.link(temporary, path)
        else:
            temporary.replace(path)


def this_host() -> str:
    """This machine's name, as a part of a file's name."""
    return re.sub(r"[^A-Za-z0-9.]", "_", socket.gethostname())[:64]


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A temporary file in the folder where `path` is to be, gone at the end unless it was moved."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{PART}{this_host()}-{os.getpid()}-")
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Have the file's bytes on disk before its name appears."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
