"""A few small pictures, jobs on them, and somebody who reads metrics while a job runs."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import pytest
import yaml
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families
from skimage.data import astronaut
from typer.testing import CliRunner

from jobs.main import app

GOOD, BAD = 5, 1
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def parsed(text: str) -> Samples:
    """Name and labels (without those that all have) to value."""
    return {
        (
            sample.name,
            tuple(sorted((k, v) for k, v in sample.labels.items() if k not in ("job_name", "kind"))),
        ): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((f"facejobs_{name}", tuple(sorted(labels.items()))))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Desk:
    """A folder with five pictures and a broken one in `in`, and jobs run on that."""

    root: Path

    def job(self, name: str = "job", **blocks: Any) -> Path:
        job: dict[str, Any] = {
            "job": "restore",
            "name": name,
            "source": {"kind": "files", "uri": "in"},
            "restore": {"model": "classic"},
            "output": {"uri": name},
            "score": {"measures": []},
            "run": {"runner": "local", "unit_records": 2, "isolate": False},
        }
        for block, values in blocks.items():
            job[block] = {**job.get(block, {}), **values}
        path = self.root / f"{name}.yaml"
        path.write_text(yaml.safe_dump(job))
        return path

    def call(self, *arguments: str | Path) -> Any:
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    @staticmethod
    def lines(result: Any) -> list[dict[str, Any]]:
        return [json.loads(line) for line in result.stderr.splitlines()]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    folder = tmp_path / "in"
    folder.mkdir()
    face = cv2.resize(astronaut()[10:290, 90:370], (150, 150), interpolation=cv2.INTER_AREA)
    for index in range(GOOD):
        Image.fromarray(face).rotate(index).save(folder / f"{index}.png")
    (folder / "notes.jpg").write_bytes(b"no picture\n")
    return Desk(tmp_path)


@dataclass
class Scraper:
    """Reads a port again and again, as Prometheus would."""

    port: int
    seen: list[Samples] = field(default_factory=list)

    @contextmanager
    def reading(self) -> Iterator[None]:
        left = threading.Event()

        def read() -> None:
            while not left.wait(0.01):
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
                        self.seen.append(parsed(answer.read().decode()))
                except OSError:  # noqa: PERF203 - nobody listens yet, or any more
                    time.sleep(0.01)

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        try:
            yield
        finally:
            left.set()
            thread.join()


@pytest.fixture
def scraper() -> Scraper:
    return Scraper(free_port())


@dataclass
class Receiver:
    """An HTTP server that keeps what it is sent: method, path, headers and body."""

    status: int = 200
    got: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def take(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            kept.got.append((self.command, self.path, dict(self.headers), body))
            self.send_response(kept.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_PUT = take  # noqa: N815

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
