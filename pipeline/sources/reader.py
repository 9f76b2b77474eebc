"""Reading records' bytes, whole objects and ranges, and telling a bad record from bad storage."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from fsspec.implementations.local import LocalFileSystem

from pipeline.errors import RecordError, StorageError
from pipeline.records import Record
from pipeline.retries import UnsureBytesError, is_broken_body, is_transient, persistent, response_code
from pipeline.sources.spec import SourceSpec
from pipeline.storage import filesystem
from pipeline.walk import version_of

T = TypeVar("T")

# Above this, fsspec may fetch parts of an object side by side; below, one request for the known range is quicker.
ONE_REQUEST_BYTES = 32 * 2**20
# How long a shard's version holds before it is asked for again: one request a minute in place of one a member.
SHARD_SECONDS = 60.0
REMEMBERED_SHARDS = 8


class ObjectReader:
    """Reads records that are whole objects, or ranges of one; made in the worker."""

    def __init__(self, spec: SourceSpec) -> None:
        self._spec = spec
        self._shards: dict[str, tuple[float, dict[str, Any]]] = {}
        self._lock = threading.Lock()

    def read(self, record: Record) -> bytes:
        """The record's bytes, checked against what was planned.

        Raises:
            RecordError: `missing`, `source_changed`, `too_large`, `truncated_read`, `permission_denied`, `unreadable`,
                or the problem found at planning.
            StorageError: storage refused (credentials) or did not answer; the run should stop.
        """
        refuse_planned(record)
        refuse_large(record, record.size, self._spec.max_bytes)
        with storage_errors(record.uri, self._spec):
            fs, path = filesystem(record.uri, self._spec.options)
            info = self._details(fs, path, record)
            refuse_changed(record, info)
            start, size = (0, int(info["size"])) if record.offset < 0 else (record.offset, record.size)
            refuse_large(record, size, self._spec.max_bytes)
            return _fetch(fs, path, start, size, whole=record.offset < 0)

    def _details(self, fs: Any, path: str, record: Record) -> dict[str, Any]:
        if record.offset < 0:
            return details(fs, path)
        now = time.monotonic()
        with self._lock:
            asked, info = self._shards.get(record.uri, (0.0, {}))
        if not info or now - asked > SHARD_SECONDS:
            info = details(fs, path)
            with self._lock:
                self._shards[record.uri] = (now, info)
                while len(self._shards) > REMEMBERED_SHARDS:
                    self._shards.pop(next(iter(self._shards)))
        return info


@persistent
def details(fs: Any, path: str) -> dict[str, Any]:
    """What fsspec says of an object as it is now, past its listing cache."""
    fs.invalidate_cache(path)
    info = dict(fs.info(path))
    if info["type"] == "directory":
        raise IsADirectoryError(path)
    if info["type"] == "other":
        # Opening a pipe waits for a writer, and a device may never end.
        raise RecordError("not_a_file", f"{path}: a pipe, a socket or a device; put the file itself there")
    return info


def refuse_planned(record: Record) -> None:
    """Raise what planning found wrong with a record."""
    if record.problem:
        code, _, message = record.problem.partition(": ")
        raise RecordError(code, message)


def refuse_large(record: Record, size: int, limit: int) -> None:
    """Raise `too_large` for more encoded bytes than the job allows."""
    if size > limit:
        raise RecordError(
            "too_large", f"{record.key}: {size:,} bytes, at most {limit:,} are allowed; raise `source.limits.max_bytes`"
        )


def refuse_changed(record: Record, info: dict[str, Any]) -> None:
    """Raise `source_changed` when the object is not the one that was planned."""
    if record.version and (version := version_of(info)) != record.version:
        raise RecordError(
            "source_changed",
            f"{record.uri}: it was {record.version} when the run was planned and is {version} now; "
            "put the planned state back, or run the job with --replan",
        )


@contextmanager
def storage_errors(uri: str, spec: SourceSpec) -> Iterator[None]:
    """Turn errors of a file system into what they mean: this record is bad, or storage is."""
    try:
        yield
    except (RecordError, StorageError):
        raise
    except FileNotFoundError as error:
        raise RecordError("missing", f"{uri}: there is no such object; restore it or take it off the list") from error
    except (IsADirectoryError, NotADirectoryError) as error:
        raise RecordError("missing", f"{uri}: a folder or a part of one, expected an object") from error
    except OSError as error:
        raise _meaning(error, uri, spec) from error
    except Exception as error:
        if is_transient(error) or type(error).__module__.startswith("botocore"):
            raise StorageError(f"{uri}: storage does not answer ({type(error).__name__}: {error})") from error
        raise


def _meaning(error: OSError, uri: str, spec: SourceSpec) -> Exception:
    said = f"({type(error).__name__}: {error})"
    if response_code(error) == "InvalidObjectState":
        return RecordError("archived", f"{uri}: the object is in cold storage; restore it there, then retry")
    if isinstance(filesystem(uri, spec.options)[0], LocalFileSystem):
        # One file that cannot be read, or lies on a bad sector, says nothing of the next.
        code = "permission_denied" if isinstance(error, PermissionError) else "unreadable"
        return RecordError(code, f"{uri}: cannot be read {said}; check its permissions and the disk")
    if isinstance(error, PermissionError):
        return StorageError(f"{uri}: access refused {said}; check the credentials in `source.storage_options`")
    if is_transient(error):
        return StorageError(f"{uri}: storage does not answer {said}")
    return RecordError("unreadable", f"{uri}: cannot be read {said}")


def _fetch(fs: Any, path: str, start: int, size: int, *, whole: bool) -> bytes:
    if size == 0:
        return b""

    def fetch() -> bytes:
        with _whole_bodies():
            if whole and size > ONE_REQUEST_BYTES:
                data = bytes(fs.cat_file(path))
            else:
                data = bytes(fs.cat_file(path, start=start, end=start + size))
        if len(data) != size:
            raise UnsureBytesError(f"{len(data):,} bytes came, {size:,} were expected")
        return data

    return _patient(fetch, path)


@contextmanager
def _whole_bodies() -> Iterator[None]:
    """A body that breaks off is worth a few tries and then the record's trouble: the store answers, after all."""
    try:
        yield
    except Exception as error:
        if is_broken_body(error):
            raise UnsureBytesError(f"the body broke off ({type(error).__name__}: {error})") from error
        raise


def _patient(fetch: Callable[[], bytes], path: str) -> bytes:
    try:
        return persistent(fetch)()
    except UnsureBytesError as error:
        raise RecordError(
            "truncated_read", f"{path}: {error}, on every try; check the object, then `facejobs retry` reads it again"
        ) from error
