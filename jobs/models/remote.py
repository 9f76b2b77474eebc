"""A file somewhere behind fsspec: what tells whether it has changed, and how a piece of it is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from jobs.models.patience import brief, patient
from pipeline.retries import is_storage
from pipeline.storage import filesystem

BLOCK = 8 << 20
"""Bytes of one request: what a cut connection costs at most, and a few dozen requests for a model."""

IDLE_SECONDS = 60.0
"""After so long without a byte a connection counts as cut."""

_MARKS = ("ETag", "etag", "Content-MD5", "md5Hash", "content_md5", "Last-Modified", "LastModified", "mtime", "created")
_HTTP = ("http://", "https://")
_NOT_THERE = frozenset({404, 410})


@dataclass(frozen=True)
class State:
    """What is known of a remote file without reading it.

    Attributes:
        size: in bytes, None where the server does not say.
        marks: entity tag, hash, time of change, as far as the storage tells them; equal marks mean equal bytes.
    """

    size: int | None
    marks: Mapping[str, str]

    @property
    def resumable(self) -> bool:
        """Whether a later look can tell that the file is still the same."""
        return self.size is not None and bool(self.marks)


@dataclass(frozen=True)
class Remote:
    """A file behind fsspec.

    Attributes:
        uri: any URL that fsspec reads, or an absolute path.
        options: fsspec storage options beside those that the environment gives.
    """

    uri: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def is_web(self) -> bool:
        """Whether it is behind HTTP, where a server may know nothing of ranges."""
        return self.uri.startswith(_HTTP)

    @brief
    def state(self) -> State:
        """Look at the file.

        Raises:
            FileNotFoundError: there is none.
            OSError: storage does not answer or refuses, or another exception of its client.
        """
        fs, path = self._open_at()
        fs.invalidate_cache()
        try:
            info = fs.info(path)
        except FileNotFoundError as error:
            raise _reason(error) from error
        if info.get("type") == "directory":
            raise FileNotFoundError(f"{self.uri} is a folder")
        size = info.get("size")
        marks = {key: str(info[key]) for key in _MARKS if info.get(key)}
        return State(int(size) if size is not None else None, marks)

    @patient
    def piece(self, start: int, end: int, state: State) -> bytes:
        """Bytes from `start` to `end`, all of them.

        Args:
            start: first byte.
            end: one past the last.
            state: as it was seen; a web server is asked for the piece only if its entity tag is still that one
                (RFC 9110 section 13.1.5).

        Raises:
            ValueError: the web server knows nothing of ranges, or has another file now.
            ConnectionError: fewer came.
        """
        fs, path = self._open_at()
        if self.is_web:
            # fsspec's file checks that it is a part that comes; its `cat_file` takes whatever comes.
            with fs.open(path, "rb", **_asking(state)) as file:
                file.seek(start)
                data = bytes(file.read(end - start))
        else:
            data = bytes(fs.cat_file(path, start=start, end=end))
        if len(data) != end - start:
            raise ConnectionError(f"{len(data)} bytes came where {end - start} were asked for")
        return data

    @contextmanager
    def stream(self) -> Iterator[Any]:
        """The file from its beginning, for servers that know nothing of ranges; `read(n)` gives b'' at the end."""
        fs, path = self._open_at()
        with fs.open(path, "rb", **({"block_size": 0} if self.is_web else {})) as file:
            yield file

    def _open_at(self) -> tuple[Any, str]:
        return filesystem(self.uri, {**(_web_options() if self.is_web else {}), **self.options})


def _reason(error: FileNotFoundError) -> Exception:
    """What stands behind fsspec's word that a web server has no such file, which it says of every failure."""
    cause = error.__cause__
    if not isinstance(cause, Exception) or getattr(cause, "status", None) in _NOT_THERE or not is_storage(cause):
        return error
    return cause


def _asking(state: State) -> dict[str, Any]:
    """How a web server is asked for a part."""
    headers = {"Accept-Encoding": "identity"}
    tag = state.marks.get("ETag", "")
    if tag.startswith('"'):  # a weak tag, W/"...", says nothing about bytes
        headers["If-Range"] = tag
    return {"size": state.size, "block_size": BLOCK, "cache_type": "none", "headers": headers}


def _web_options() -> dict[str, Any]:
    """Options for HTTP: bytes as they are stored, proxies from the environment, and no limit on the whole.

    aiohttp's own limit of five minutes for a request would break off large files on slow lines.
    """
    import aiohttp  # noqa: PLC0415  a tenth of a second, for those who fetch

    timeout = aiohttp.ClientTimeout(total=None, sock_connect=IDLE_SECONDS, sock_read=IDLE_SECONDS)
    return {"headers": {"Accept-Encoding": "identity"}, "client_kwargs": {"timeout": timeout, "trust_env": True}}
