"""A web server on loopback, as good or as bad as a test wants it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "operators" / "models"))  # tiny_models


@dataclass
class Web:
    """A web server and what it does.

    Attributes:
        files: content by path, with the slash.
        ranges: whether requests for a part get a part.
        tagged: whether answers carry an entity tag.
        sized: whether answers say how long they are.
        cut_after: bytes after which the next answers break off, one a number.
        statuses: status codes of the next answers to GET, in place of the file.
        refused: paths that are answered with 403.
        asked: method, path and Range header of every request.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    tagged: bool = True
    sized: bool = True
    cut_after: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)

    def gets(self) -> list[str | None]:
        """Range headers of all GET requests."""
        return [wanted for method, _, wanted in self.asked if method == "GET"]


@pytest.fixture
def web() -> Iterator[Web]:
    """A web server of this test's own."""
    state = Web()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, *, body: bool) -> None:
            path = self.path.partition("?")[0]
            wanted = self.headers.get("Range")
            state.asked.append((self.command, self.path, wanted))
            content = state.files.get(path)
            status = state.statuses.pop(0) if body and state.statuses else 200 if content is not None else 404
            status = 403 if path in state.refused else status
            content = content if content is not None and status == 200 else b"no such thing"
            tag = f'"{hash(content) & 0xFFFFFFFF:x}"'
            start, end = 0, len(content)
            fresh = self.headers.get("If-Range") in (None, tag)
            if wanted and state.ranges and fresh and status == 200:
                first, _, last = wanted.removeprefix("bytes=").partition("-")
                start, end, status = int(first), min(int(last) + 1, len(content)), 206
            self.send_response(status)
            if state.sized:
                self.send_header("Content-Length", str(end - start))
            else:
                self.send_header("Connection", "close")
                self.close_connection = True
            if state.tagged:
                self.send_header("ETag", tag)
            if status == 206:
                self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(content)}")
            self.end_headers()
            if not body:
                return
            part = content[start:end]
            if state.cut_after and status in (200, 206):
                self.wfile.write(part[: state.cut_after.pop(0)])
                self.wfile.flush()
                self.close_connection = True
                self.connection.close()
                return
            self.wfile.write(part)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    thread.join()
    server.server_close()
