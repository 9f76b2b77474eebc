"""The only door to storage: a folder at any URL that fsspec knows."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from pipeline.errors import StorageError
from pipeline.local_disk import PART, copy_local, this_host, write_local
from pipeline.retries import is_broken_body, is_transient, persistent, response_code
from pipeline.walk import subfolders, walk_files

__all__ = ["PART", "Folder", "SoleWriter", "filesystem", "is_transient", "persistent", "split_chain", "this_host"]

# `::` joins file systems only where another URL follows (`zip://a.jpg::s3://bucket/a.zip`, `simplecache::s3://...`);
# elsewhere it belongs to a name.
_CHAIN = re.compile(r"::[A-Za-z0-9+.-]+://")

_S3 = re.compile(r"s3a?://")


@dataclass(frozen=True)
class SoleWriter:
    """Who alone may write to a store that knows no create-only put; see `pipeline.writer_lock`.

    Attributes:
        uri: the folder of the lock.
        name: the lock's name in it.
        token: what the lock holds while it is this writer's.
    """

    uri: str
    name: str
    token: str


@dataclass(frozen=True)
class Folder:
    """A folder in storage.

    Attributes:
        uri: where it is; a plain path or any fsspec URL.
        options: fsspec storage options (credentials, endpoint), environment variables already filled in.
        sole: set where the store has no create-only put: who may write, and looks before it does.
    """

    uri: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    sole: SoleWriter | None = None

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
        return Folder(f"{self.uri.rstrip('/')}/{name}", self.options, self.sole)

    def read(self, name: str) -> bytes:
        """Whole object. Raises FileNotFoundError where there is none."""
        try:
            return self._read(name)
        except Exception as error:
            if is_broken_body(error):
                said = f"{type(error).__name__}: {error}"
                raise StorageError(f"{self.uri}/{name}: its bytes broke off on every try ({said})") from error
            raise

    @persistent
    def _read(self, name: str) -> bytes:
        fs = self.fs
        # s3fs would look up the size of each object before it reads it, and list what is not there: one request
        # becomes two or three.
        at_once = {"max_concurrency": 1} if "s3" in fs.protocol else {}
        return bytes(fs.cat_file(self.path(name), **at_once))

    @persistent
    def write(self, name: str, data: bytes) -> None:
        """Put a whole object in one step: a reader sees the old bytes or the new, never a part."""
        fs, path = self.fs, self.path(name)
        if isinstance(fs, LocalFileSystem):
            write_local(Path(path), data, create_only=False)
        else:
            fs.pipe_file(path, data)

    @persistent
    def upload(self, name: str, source: Path) -> None:
        """Put a local file as a whole object, without ever holding it in memory."""
        fs, path = self.fs, self.path(name)
        if isinstance(fs, LocalFileSystem):
            copy_local(source, Path(path))
        else:
            fs.put_file(str(source), path)

    def create(self, name: str, data: bytes) -> bool:
        """Put a whole object only if none is there; True when this call made it.

        S3 `If-None-Match: *` (RFC 9110 section 13.1.2); on local disks a hard link, which fails when the name exists.
        A transient failure is tried again, and then False may mean that the first try had got through: callers tell
        by reading what is there.

        Raises:
            StorageError: the store does not answer, refuses, or is another writer's by now.
        """
        try:
            if self.sole is not None:
                return self._create_alone(self.sole, name, data)
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
            write_local(Path(path), data, create_only=True)
        else:
            fs.pipe_file(path, data, mode="create")

    def _create_alone(self, sole: SoleWriter, name: str, data: bytes) -> bool:
        """Look, write, and look again, which is as good as it gets where a store overwrites whatever is there."""
        self._hold(sole)
        try:
            self.read(name)
        except FileNotFoundError:
            self.write(name, data)
            return self.read(name) == data
        return False

    def _hold(self, sole: SoleWriter) -> None:
        """Raise StorageError unless the lock is still ours: a worker may outlive the driver that held it."""
        holder = ""
        try:
            holder = str(json.loads(Folder(sole.uri, self.options).read(sole.name))["token"])
        except FileNotFoundError:
            pass
        except (ValueError, KeyError, TypeError) as error:
            raise StorageError(f"{sole.uri}/{sole.name}: damaged, not what facejobs wrote; remove it") from error
        if holder != sole.token:
            raise StorageError(
                f"{sole.uri}/{sole.name}: another run has taken this output over, or the file was removed; this one "
                "stops here. Run one at a time: the store cannot keep two apart"
            )

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

    def children(self, prefix: str = "") -> list[str]:
        """Names of the folders directly below the folder `prefix`, sorted; empty where there is nothing."""
        try:
            return subfolders(self.fs, self.path(prefix))
        except FileNotFoundError:
            return []

    def check(self) -> None:
        """Raise StorageError unless the folder can be written and read back."""
        probe = f"_facejobs/.probe-{uuid.uuid4().hex}"
        try:
            self.write(probe, b"facejobs")
            same = self.read(probe) == b"facejobs"
            self.delete(probe)
        except Exception as error:
            raise StorageError(f"{self.uri}: cannot write there ({type(error).__name__}: {error})") from error
        if not same:
            raise StorageError(f"{self.uri}: read back other bytes than were written")


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
        if _S3.match(uri) and not _CHAIN.search(uri):
            from pipeline.s3 import PatientS3  # noqa: PLC0415  half a second, for those who use it

            s3 = PatientS3(**{**PatientS3._get_kwargs_from_urls(uri), **options})
            return s3, str(s3._strip_protocol(uri))
        if "::" in uri and not _CHAIN.search(uri):
            # fsspec would cut the name at `::` and give the path of another object.
            protocol, _ = fsspec.core.split_protocol(uri)
            fs = fsspec.filesystem(protocol or "file", **options)
            return fs, str(fs._strip_protocol(uri))
        fs, path = fsspec.core.url_to_fs(uri, **options)
    except (ValueError, ImportError, TypeError) as error:
        raise StorageError(f"{uri}: {error}") from error
    return fs, str(path)
