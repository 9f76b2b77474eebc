"""Prefixes, globs and include patterns: which names a source means."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from fsspec.utils import glob_translate

from pipeline.errors import SourceError
from pipeline.names import RESERVED
from pipeline.storage import split_chain

_MAGIC = re.compile(r"[*?]|\[[^/\]]+\]")


def has_magic(uri: str) -> bool:
    """Whether a URI is a glob. A bracket without its partner in the same part is an ordinary character."""
    return bool(_MAGIC.search(split_chain(uri)[1]))


def source_prefix(uri: str) -> str:
    """The folder before the first wildcard of a glob, or the URI itself, without a trailing slash.

    Everything that a source can name lies below it, so an output must not.
    """
    before, fixed, behind = split_chain(uri)
    if match := _MAGIC.search(fixed):
        head = fixed[: match.start()]
        fixed = head[: head.rindex("/") + 1] if "/" in head else ""
    stripped = fixed.rstrip("/")
    if stripped.endswith(":") or not stripped:
        stripped = fixed  # `s3://`, `/`: nothing but slashes to take away
    return before + stripped + behind


def matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Whether any pattern matches a path, case ignored.

    A pattern with a slash is matched against the whole path, one without against its last part.
    """
    known = list(patterns)
    whole = [compile_glob(pattern, ignore_case=True) for pattern in known if "/" in pattern]
    last = [compile_glob(pattern, ignore_case=True) for pattern in known if "/" not in pattern]

    def matches(path: str) -> bool:
        name = path.rsplit("/", 1)[-1]
        return any(regex.match(name) for regex in last) or any(regex.match(path) for regex in whole)

    return matches


def compile_glob(pattern: str, *, ignore_case: bool = False) -> re.Pattern[str]:
    """A glob as a regular expression that must match a whole path, by fsspec's rules."""
    try:
        return re.compile(glob_translate(pattern), re.IGNORECASE if ignore_case else 0)
    except ValueError as error:
        raise SourceError(
            f"pattern {pattern!r}: {error}; write `**` as a part of its own, as in `scans/**/*.tif`"
        ) from error


def set_aside(path: str) -> str:
    """Why a path is never a record whatever the patterns say: `hidden`, `ledger`, or empty."""
    parts = path.split("/")
    if parts[0] == RESERVED:
        return "ledger"
    hidden = any(part.startswith(".") and part not in {".", ".."} for part in parts)
    return "hidden" if hidden else ""
