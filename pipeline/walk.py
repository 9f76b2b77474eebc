"""Walking storage in a repeatable order, without ever holding more than one directory or one listing page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from fsspec.implementations.local import LocalFileSystem

from pipeline.retries import persistent

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
        OSError: a directory cannot be listed. Errors are never taken for an empty directory.
    """
    if "s3" in _protocols(fs) and not fs.version_aware:
        yield from _walk_s3(fs, root)
        return
    infos = _list(fs, root or fs.root_marker)
    if len(infos) == 1 and infos[0]["name"].rstrip("/") == root and infos[0]["type"] != "directory":
        raise NotADirectoryError(root)
    yield from _descend(fs, root, infos, "", enter)


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
def _list(fs: Any, path: str) -> list[Info]:
    """One directory, never from or into fsspec's listing cache."""
    fs.invalidate_cache(path)
    try:
        return list(fs.ls(path, detail=True))
    finally:
        fs.invalidate_cache(path)


def _descend(
    fs: Any, root: str, infos: list[Info], below: str, enter: Callable[[str], bool]
) -> Iterator[tuple[str, Info]]:
    """Yield a directory's entries; a directory sorts as its name with a slash, as its objects do in a flat listing."""
    entries = []
    here = f"{root}/{below}".rstrip("/")
    for info in infos:
        path = info["name"].rstrip("/")
        if path == here:
            continue
        name = below + path.rsplit("/", 1)[-1]
        entries.append((f"{name}/" if info["type"] == "directory" else name, info))
    infos.clear()
    entries.sort(key=lambda entry: entry[0], reverse=True)
    while entries:
        name, info = entries.pop()
        if not name.endswith("/"):
            yield name, _follow(fs, info)
        elif enter(name[:-1]):
            try:
                inner = _list(fs, info["name"].rstrip("/"))
            except FileNotFoundError:
                continue  # removed since its parent was listed
            yield from _descend(fs, root, inner, name, enter)


def _follow(fs: Any, info: Info) -> Info:
    """What a local link points to, in place of the link; a dangling or looping one stays as it is."""
    if not (isinstance(fs, LocalFileSystem) and info.get("islink")):
        return info
    try:
        target = fs.info(info["name"])
    except OSError:
        return info | {"type": "dangling"}
    return dict(target) if target["type"] != "directory" else info


def _walk_s3(fs: Any, root: str) -> Iterator[tuple[str, Info]]:
    """Flat listing, page by page, in the store's order (S3 API, ListObjectsV2)."""
    bucket, prefix, _ = fs.split_path(root)
    start = f"{prefix}/" if prefix else ""
    token: dict[str, str] = {}
    seen = False
    while True:
        page = _s3_page(fs, bucket, start, token)
        for entry in page.get("Contents", ()):
            name = entry["Key"][len(start) :]
            seen = True
            if name and not name.endswith("/"):  # a key that ends in a slash marks a directory
                info = {"name": f"{bucket}/{entry['Key']}", "size": entry["Size"], "type": "file"}
                yield name, info | {key: entry[key] for key in ("ETag", "LastModified") if key in entry}
        if not page.get("IsTruncated"):
            break
        token = {"ContinuationToken": page["NextContinuationToken"]}
    if not seen and prefix:
        raise FileNotFoundError(root)


@persistent
def _s3_page(fs: Any, bucket: str, prefix: str, token: dict[str, str]) -> Any:
    return fs.call_s3("list_objects_v2", Bucket=bucket, Prefix=prefix, **token, **fs.req_kw)
