"""A job that names a cluster joins it, and one that names nothing that answers says so in seconds."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jobs.exits import Exit

if TYPE_CHECKING:
    from .conftest import Bench

START_SECONDS = 60


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def head() -> Iterator[str]:
    """A Ray head node of its own on this machine; its address."""
    port = free_port()
    command = [
        *(str(Path(sys.executable).parent / "ray"), "start", "--head", "--block", f"--port={port}"),
        *("--num-cpus=3", "--include-dashboard=false", "--object-store-memory=300000000", "--log-color=false"),
    ]
    with tempfile.TemporaryDirectory(
        prefix="fj-", ignore_cleanup_errors=True
    ) as folder:  # a short path, for its sockets
        log = Path(folder) / "log"
        with log.open("wb") as sink:
            process = subprocess.Popen(
                [*command, f"--temp-dir={folder}/ray"],
                env={**os.environ, "RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"},
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            deadline = time.monotonic() + START_SECONDS
            while (
                "Ray runtime started" not in log.read_text() and time.monotonic() < deadline and process.poll() is None
            ):
                time.sleep(0.2)
            node = re.search(r"Local node IP: (\S+)", log.read_text())
            if node is None or process.poll() is not None:
                pytest.fail("the head node did not start:\n" + log.read_text()[-2000:])
            yield f"{node[1]}:{port}"
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.ray
def test_a_named_cluster_is_joined_and_left_running(bench: Bench, head: str) -> None:
    assert bench.call("run", bench.job("reference")).exit_code == Exit.QUARANTINED
    job = bench.job("other", run={"runner": "ray", "address": head})
    # A process of its own: what Ray remembers of one cluster in a process breaks the next one there.
    result = subprocess.run(
        [sys.executable, "-m", "jobs", "run", str(job)],
        env={**os.environ, "RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == Exit.QUARANTINED, result.stderr
    assert bench.outputs("other") == bench.outputs("reference")
    host, port = head.split(":")
    socket.create_connection((host, int(port)), 5).close()


def test_an_address_where_nothing_answers_is_said_at_once(bench: Bench) -> None:
    address = f"127.0.0.1:{free_port()}"
    start = time.monotonic()
    result = bench.call("run", bench.job("other", run={"runner": "ray", "address": address}))
    assert result.exit_code == Exit.FAILED
    assert address in result.output
    assert "ray start --head" in result.output
    assert time.monotonic() - start < 60
