"""A real S3 server on loopback, for tests and benchmarks: SeaweedFS, which honours conditional puts and credentials."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START_SECONDS = 60
START_TRIES = 3
LOOPBACK = "127.0.0.1"
# The admin part of the server looks for its own gRPC port this far above its HTTP port.
GRPC_OFFSET = 10_000

PORT_FLAGS = (
    "s3.port",
    "s3.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
)


@dataclass(frozen=True)
class S3Server:
    """An S3 server that checks credentials.

    Attributes:
        endpoint: `http://127.0.0.1:<port>`.
        key: access key id that it accepts.
        secret: the secret to it.
    """

    endpoint: str
    key: str
    secret: str

    @property
    def options(self) -> dict[str, Any]:
        """Storage options of fsspec that reach it."""
        return {
            "key": self.key,
            "secret": self.secret,
            "client_kwargs": {"endpoint_url": self.endpoint, "region_name": "us-east-1"},
        }

    @property
    def fs(self) -> Any:
        """The file system (`s3fs.S3FileSystem`), listing caches off so that a test sees what is there."""
        import s3fs  # noqa: PLC0415 - half a second that tests without S3 need not wait

        return s3fs.S3FileSystem(**self.options, use_listings_cache=False)

    def bucket(self, name: str) -> str:
        """Create a fresh bucket and return its URL, `s3://<name>-<random>`."""
        fresh = f"{name}-{uuid.uuid4().hex[:8]}"
        self.fs.mkdir(fresh)
        return f"s3://{fresh}"


@contextlib.contextmanager
def s3_server() -> Iterator[S3Server]:
    """One of our own: its ports, its folder, its credentials; gone at the end.

    Raises:
        RuntimeError: it does not start; the message has the end of its log.
    """
    for attempt in range(START_TRIES):
        with tempfile.TemporaryDirectory(prefix="weed-") as folder:
            process, server = _start(Path(folder))
            try:
                if not _ready(process, server):
                    # Another process may have taken a port between the choice and the start.
                    if attempt + 1 < START_TRIES:
                        continue
                    log = (Path(folder) / "log").read_text()
                    raise RuntimeError(f"the S3 server did not start:\n{log[-2000:]}")
                yield server
                return
            finally:
                _stop(process)


def _start(folder: Path) -> tuple[subprocess.Popen[bytes], S3Server]:
    ports = _free_ports(len(PORT_FLAGS))
    admin = _free_pair()
    server = S3Server(f"http://{LOOPBACK}:{ports[0]}", secrets.token_hex(8), secrets.token_hex(16))
    setpriv = shutil.which("setpriv")  # util-linux: has the kernel end the server when a killed session cannot
    command = [
        *([setpriv, "--pdeathsig", "KILL"] if setpriv else []),
        str(Path(sys.executable).parent / "weed"),
        "mini",
        f"-dir={folder}",
        f"-ip={LOOPBACK}",
        f"-ip.bind={LOOPBACK}",
        "-webdav=false",
        "-admin.ui=false",
        f"-admin.port={admin}",
        f"-admin.port.grpc={admin + GRPC_OFFSET}",
        "-master.telemetry=false",
        "-s3.autoCreateBucket=false",
        # A bucket takes seven volumes. By default there are as many as the disk has room for, and then puts hang.
        "-volume.max=20000",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        f"-s3.localSocket={folder}/s3.sock",
        f"-filer.localSocket={folder}/filer.sock",
        *(f"-{flag}={port}" for flag, port in zip(PORT_FLAGS, ports, strict=True)),
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {"AWS_ACCESS_KEY_ID": server.key, "AWS_SECRET_ACCESS_KEY": server.secret}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return process, server


def _ready(process: subprocess.Popen[bytes], server: S3Server) -> bool:
    """Whether the server can hold an object, waited for."""
    deadline = time.monotonic() + START_SECONDS
    port = int(server.endpoint.rsplit(":", 1)[1])
    while time.monotonic() < deadline and process.poll() is None:
        if _answers(server, port):
            return True
        time.sleep(0.1)
    return False


def _answers(server: S3Server, port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()  # quicker than the client's own retries
        server.fs.pipe_file(f"{server.bucket('ready')}/object", b"ready")
    except OSError:
        return False
    return True


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server and what it started; its data is thrown away, so it need not tidy up."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)


def _free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago, each another."""
    held = [socket.create_server((LOOPBACK, 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def _free_pair() -> int:
    """A port that is free like the one `GRPC_OFFSET` above it."""
    while True:
        (port,) = _free_ports(1)
        if port + GRPC_OFFSET > 65535:
            port -= 2 * GRPC_OFFSET
        try:
            for one in (port, port + GRPC_OFFSET):
                socket.create_server((LOOPBACK, one)).close()
        except OSError:
            continue
        return port
