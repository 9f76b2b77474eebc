"""URIs of a job file: what is relative, what is a scheme, where a glob begins."""

from __future__ import annotations

import os
import re
from pathlib import Path

from fsspec.registry import known_implementations

from jobs.spec.problems import nearest
from jobs.spec.secrets import scrub_urls

SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
LOCAL = re.compile(r"(?:file|local):(.*)", re.IGNORECASE | re.DOTALL)
DRIVE = re.compile(r"[A-Za-z]:([\\/]|$)")
MAGIC = re.compile(r"[*?]|\[[^/\]]+\]")
NO_WRITING = frozenset({"data", "github", "git", "http", "https", "libarchive", "reference", "tar", "zip"})
NO_HOST = frozenset({"memory", "dask", "data", "tar", "zip", "libarchive", "reference"})


def absolute(uri: str, folder: Path) -> str:
    """The URI, made absolute if it is a path.

    A trailing slash is kept. `file://` URLs become plain paths. In a chained URL (`zip://*.tif::scans.zip`) only the
    last part can be relative.

    Args:
        uri: as in the job file.
        folder: absolute, what relative paths are relative to.

    Raises:
        ValueError: the URI cannot be meant so; the message says why.
    """
    *outer, last = uri.split("::")
    if any(not part for part in outer):
        raise ValueError("found '::' with nothing before it, expected a chain such as 'zip://*.tif::scans.zip'")
    place = _url(last) if _is_url(last) else _path(last, folder)
    return "::".join((*outer, place))


def _is_url(uri: str) -> bool:
    return bool(SCHEME.match(uri)) and not LOCAL.match(uri)


def _url(uri: str) -> str:
    match = SCHEME.match(uri)
    assert match is not None
    scheme = match[1].lower()
    if scheme not in known_implementations:
        close = nearest(scheme, [*known_implementations])
        meant = f"; did you mean '{close}://'?" if close else ""
        raise ValueError(f"found the unknown scheme '{match[1]}://'{meant}")
    rest = uri[match.end() :]
    if scheme not in NO_HOST and not rest.strip("/"):
        raise ValueError(f"found nothing after '{match[1]}://', expected a bucket or host there")
    if ".." in rest.split("/"):
        raise ValueError("found '..' in a URL, where stores do not resolve it; write the path out")
    if scrub_urls(uri) != uri:
        raise ValueError(
            "found a password or signature in a URL, which would be copied into every record; put it in storage_options"
        )
    return f"{scheme}://{rest}"


def _path(text: str, folder: Path) -> str:
    local = LOCAL.match(text)
    path = local[1] if local else text
    if local and path.startswith("//"):
        path = re.sub(r"^//(localhost(?=/))?", "", path)
    if local and not path.startswith(("/", "~")):
        raise ValueError("found a relative file URL, expected 'file:///absolute/path' or a plain relative path")
    if os.name != "nt" and DRIVE.match(path):
        raise ValueError("found a Windows drive letter on a system without drives; a folder so named is './C:/...'")
    scheme = re.match(r"([a-z][a-z0-9+.-]+):/", path)
    if scheme and scheme[1] in known_implementations:
        raise ValueError(f"found '{scheme[1]}:/', expected '{scheme[1]}://'")
    if "\0" in path:
        raise ValueError("found a NUL character in a path")
    if path.startswith("~"):
        try:
            path = os.fspath(Path(path).expanduser()) + ("/" if path.endswith("/") else "")
        except RuntimeError:
            raise ValueError(f"found no home folder for '{path.split('/')[0]}'") from None
    full = _without_dots(os.fspath(folder / path))
    return full + "/" if path.endswith("/") and not full.endswith("/") else full


def _without_dots(path: str) -> str:
    """The path without `..`, unless that would lead elsewhere because a part is a link."""
    wildcard = MAGIC.search(path)
    head, _, rest = path[: wildcard.start()].rpartition("/") if wildcard else (path, "", "")
    rest += path[wildcard.start() :] if wildcard else ""
    if ".." not in head.split("/"):
        return path
    plain = os.path.normpath(head)
    if os.path.realpath(plain) != os.path.realpath(head):
        return path
    return f"{plain.rstrip('/')}/{rest}" if wildcard else plain


def has_wildcard(uri: str) -> bool:
    """Whether it is a glob; a bracket without its partner in the same part is an ordinary character."""
    return bool(MAGIC.search(uri))


def check_source(text: str, uri: str) -> None:
    """Refuse a source that would not be read as it looks.

    Args:
        text: as in the job file.
        uri: made absolute.

    Raises:
        ValueError: wildcards stand in the job file's own folder.
    """
    added = uri.removesuffix(text) if uri != text else ""
    if has_wildcard(added):
        raise ValueError(
            "the job file's own folder has wildcard characters in its name, which make a relative path a glob; "
            "rename that folder or move the job file"
        )


def check_folder(text: str, uri: str) -> None:
    """Refuse what cannot be a folder that is read from.

    Args:
        text: as in the job file.
        uri: made absolute.

    Raises:
        ValueError: a glob, a chained URL, or a file.
    """
    if "::" in uri:
        raise ValueError("found a chained URL, expected a folder or a single URL")
    if set("*?") & set(text):
        raise ValueError("found a wildcard, expected one folder")
    if not SCHEME.match(uri) and Path(uri).is_file():
        raise ValueError("found a file there, expected a folder")


def check_local(text: str, uri: str) -> None:
    """Refuse what is no folder of the machine itself.

    Args:
        text: as in the job file.
        uri: made absolute.

    Raises:
        ValueError: a URL, a glob or a file.
    """
    if SCHEME.match(uri):
        raise ValueError(
            "found a URL, expected a folder of the machine itself; a shared place goes under models.source"
        )
    check_folder(text, uri)


def check_output(text: str, uri: str) -> None:
    """Refuse an output that nothing can be written to.

    Args:
        text: as in the job file.
        uri: made absolute.

    Raises:
        ValueError: a glob, a chained URL, a read-only scheme, or a file.
    """
    check_folder(text, uri)
    match = SCHEME.match(uri)
    if match and match[1] in NO_WRITING:
        raise ValueError(f"found '{match[1]}://', which can only be read; expected a folder or a store")
