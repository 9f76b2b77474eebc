"""Walking storage in a repeatable order, without ever holding more than one directory or one listing page."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from fsspec.implementations.local import LocalFileSystem

from pipeline.errors import StorageError
from pipeline.retries import UnsureBytesError, persistent

Info = dict[str, Any]


def walk_files(fs: Any, root: str, enter: Callable[[str], bool] = lambda _: True) -> Iterator[tuple[str, Info]]:
    """Everything below a directory that is not a directory, in an order that depends on the content alone.

    S3 is listed page by page (1,000 objects in memory) and in the store's order; other file systems directory by
    directory, in the order of the full names' code points. AWS S3 lists in that order too; others need not (SeaweedFS
    lists `b/z` before `b-1`, S3 directory buckets have an order of their own). Links to directories are not followed,
    so that a loop cannot be walked; they are yielded like files, with type `other`.

    Args:
        fs: an fsspec file system.
        root: path inside it, without a trailing slash.
        enter: called with a directory's path relative to root; False leaves it out. S3 has no directories and does
            not ask.

    Yields:
        Path relative to root, and fsspec's details of it.

    Raises:
        FileNotFoundError: there is nothing at root.
        StorageError: S3 lists it in a way that contradicts itself.
        OSError: a directory cannot be listed. Errors are never taken for an empty directory.
    """
    if _is_s3(fs):
        yield from _walk_s3(fs, root)
        return
    infos: dict[str, Info] = {}
    top = root or fs.root_marker
    start = f"{top.rstrip('/')}/" if top else ""  # inside a zip, paths begin with no slash
    waiting = _names(fs, top, "", infos)
    while waiting:
        name = waiting.pop()
        path = f"{start}{name}".rstrip("/")
        if not name.endswith("/"):
            if info := infos.pop(name, None) or _local_info(fs, path):
                yield name, info
        elif enter(name[:-1]):
            with suppress(FileNotFoundError):  # removed since its parent was listed
                waiting.extend(_names(fs, path, name, infos))


def version_of(info: Info) -> str:
    """What tells one state of an object from another: its etag where there is one, else size and modification time.

    The time is in nanoseconds as far as the file system tells it; without one the size stands alone.
    """
    for name in ("ETag", "etag", "md5Hash"):
        if info.get(name):
            return str(info[name]).strip('"')
    for name in ("mtime", "LastModified", "last_modified", "updated", "created"):
        moment = info.get(name)
        if isinstance(moment, datetime):
            moment = moment.timestamp()
        if isinstance(moment, int | float):
            return f"{info['size']}-{int(moment * 1e9)}"
        if moment:
            return f"{info['size']}-{moment}"
    return f"{info['size']}-"


def _protocols(fs: Any) -> tuple[str, ...]:
    return (fs.protocol,) if isinstance(fs.protocol, str) else tuple(fs.protocol)


@persistent
def _names(fs: Any, path: str, below: str, infos: dict[str, Info]) -> list[str]:
    """Names in one directory, last first, folders with a slash: so they sort as their objects do in a flat listing.

    What the listing tells of each file goes to `infos`. Local directories tell nothing yet: names alone are a tenth of
    the memory, and looking costs the same later. fsspec's listing cache is neither used nor filled.
    """
    if isinstance(fs, LocalFileSystem):
        with os.scandir(path) as entries:
            names = [
                f"{below}{one.name}/" if one.is_dir(follow_symlinks=False) else below + one.name for one in entries
            ]
        return sorted(names, reverse=True)
    names = []
    fs.invalidate_cache(path)
    for info in fs.ls(path, detail=True):
        inner = info["name"].rstrip("/")
        if inner == path.rstrip("/"):
            if info["type"] != "directory":
                raise NotADirectoryError(path)
            continue
        name = below + inner.rsplit("/", 1)[-1]
        if info["type"] == "directory":
            names.append(f"{name}/")
        else:
            names.append(name)
            infos[name] = info
    fs.invalidate_cache(path)
    return sorted(names, reverse=True)


def _local_info(fs: Any, path: str) -> Info | None:
    """A local file as it is, a link as what it points to; None for a file that is gone by now."""
    try:
        info = dict(fs.info(path))
    except OSError:
        if not fs.islink(path):
            return None
        return {"name": path, "size": 0, "type": "dangling", "islink": True, "mtime": 0}
    return info | {"type": "other"} if info["type"] == "directory" else info


def subfolders(fs: Any, path: str) -> list[str]:
    """Names of the folders directly in one, sorted.

    Raises:
        FileNotFoundError: there is nothing at the path.
        StorageError: S3 lists it in a way that contradicts itself.
        OSError: it cannot be listed.
    """
    if _is_s3(fs):
        bucket, prefix, _ = fs.split_path(path)
        start = f"{prefix}/" if prefix else ""
        pages = _s3_pages(fs, bucket, start, {"Delimiter": "/"})
        found = [entry["Prefix"][len(start) : -1] for page in pages for entry in page.get("CommonPrefixes", ())]
        return sorted(name for name in found if name)
    return sorted(name.rstrip("/") for name in _names(fs, path, "", {}) if name.endswith("/"))


def _is_s3(fs: Any) -> bool:
    """Whether it is S3 and its present state is meant; all versions of a bucket are listed by s3fs."""
    return "s3" in _protocols(fs) and not fs.version_aware


def _walk_s3(fs: Any, root: str) -> Iterator[tuple[str, Info]]:
    """Flat listing, page by page, in the store's order (S3 API, ListObjectsV2)."""
    bucket, prefix, _ = fs.split_path(root)
    start = f"{prefix}/" if prefix else ""
    seen = False
    for page in _s3_pages(fs, bucket, start, {}):
        for entry in page.get("Contents", ()):
            name = entry["Key"][len(start) :]
            seen = True
            if name and not name.endswith("/"):  # a key that ends in a slash marks a directory
                info = {"name": f"{bucket}/{entry['Key']}", "size": entry["Size"], "type": "file"}
                yield name, info | {key: entry[key] for key in ("ETag", "LastModified") if key in entry}
    if not seen and prefix:
        raise FileNotFoundError(root)


def _s3_pages(fs: Any, bucket: str, prefix: str, more: dict[str, str]) -> Iterator[Any]:
    """All pages of a listing; one that is cut short is an error and never an end."""
    asked: set[int] = set()  # hashes of the tokens: a listing of ten million objects has ten thousand
    token: dict[str, str] = {}
    while True:
        try:
            page = _s3_page(fs, bucket, prefix, {**more, **token}, asked)
        except UnsureBytesError as error:
            raise StorageError(
                f"s3://{bucket}/{prefix}: the store lists it wrongly, however often it is asked: {error}. Nothing was "
                "left out for it; try again, and if it stays so, the store is defective"
            ) from error
        yield page
        if not page.get("IsTruncated"):
            return
        token = {"ContinuationToken": page["NextContinuationToken"]}
        asked.add(hash(page["NextContinuationToken"]))


@persistent
def _s3_page(fs: Any, bucket: str, prefix: str, more: dict[str, str], asked: set[int]) -> Any:
    """One page, checked as far as a page can be.

    Raises:
        UnsureBytesError: it says that it is not the last, and not where to go on, or where one has been already; or it
            counts more keys than it holds (`KeyCount`, which some stores leave out).
    """
    page = fs.call_s3("list_objects_v2", Bucket=bucket, Prefix=prefix, **more, **fs.req_kw)
    held = len(page.get("Contents", ())) + len(page.get("CommonPrefixes", ()))
    if page.get("KeyCount", 0) > held:
        raise UnsureBytesError(f"a page counts {page['KeyCount']} keys and holds {held}")
    if page.get("IsTruncated"):
        token = page.get("NextContinuationToken")
        if not token:
            raise UnsureBytesError("a page says that more follow, but not where (IsTruncated without a token)")
        if hash(token) in asked:
            raise UnsureBytesError("a page goes on where the listing has been before (a continuation token twice)")
    return page
