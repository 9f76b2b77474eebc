"""A Ray cluster of two nodes on loopback, started as KubeRay would start it, and jobs to run on it."""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from .kube import FOLDER, ROOT, one

BIN = Path(sys.executable).parent
MANIFEST = FOLDER / "rayjob-cpu.yaml"
START_SECONDS = 90
KEPT = ("glass-negatives/GN-1911-0042.tif", "damaged/email-attachment.jpg", "damaged/interrupted-transfer.jpg")
"""Two good files of the demo archive, and one that is cut off and goes to quarantine."""
PORTS = ("node-manager", "object-manager", "dashboard-agent-listen", "dashboard-agent-grpc", "metrics-export")
PORTS += ("runtime-env-agent",)
WITHOUT_DASHBOARD = importlib.util.find_spec("aiohttp_cors") is None or importlib.util.find_spec("opencensus") is None


@dataclass(frozen=True)
class Cluster:
    """A running cluster: the environment of whoever works on it, and the address of its dashboard."""

    environment: dict[str, str]
    dashboard: str


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens at, all at once so that no two are the same."""
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.socket()) for _ in range(count)]
        for listener in listeners:
            listener.bind(("127.0.0.1", 0))
        return [int(listener.getsockname()[1]) for listener in listeners]


@contextmanager
def node(log: Path, environment: dict[str, str], *arguments: str) -> Iterator[None]:
    """One Ray node, ended with its whole group."""
    ports = [f"--{name}-port={port}" for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True)]
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [
                sys.executable,
                str(BIN / "ray"),
                "start",
                "--block",
                "--object-store-memory=300000000",
                *ports,
                *arguments,
            ],
            env=environment,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while "Ray runtime started" not in log.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"a Ray node did not start: {log.read_text()[-2000:]}")
            time.sleep(0.2)
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(3)  # a head without nodes takes half a minute, and nothing in it is of worth
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def two_raylets() -> Iterator[Cluster]:
    """A head and a worker with the start parameters of the manifest, but for the number of CPUs and memory."""
    spec = one(MANIFEST, "RayJob")["spec"]["rayClusterSpec"]
    head = spec["headGroupSpec"]["rayStartParams"]
    port, dashboard, client = free_ports(3)
    with tempfile.TemporaryDirectory(prefix="fj-", ignore_cleanup_errors=True) as name:  # short, for its sockets
        folder = Path(name)
        environment = {
            **os.environ,
            "HOME": name,
            "RAY_AUTH_MODE": spec["authOptions"]["mode"],
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_USAGE_STATS_ENABLED": "0",
            "PATH": f"{folder / 'bin'}:{BIN}:{os.environ['PATH']}",
        }
        # What the image has in its path, with this interpreter in place of the image's.
        (folder / "bin").mkdir()
        wrapper = (ROOT / "deploy" / "image" / "facejobs-job").read_text("utf-8").split("\n", 1)[1]
        (folder / "bin" / "facejobs-job").write_text(f"#!{sys.executable}\n{wrapper}")
        (folder / "bin" / "facejobs-job").chmod(0o755)
        with (
            node(
                folder / "head.log",
                environment,
                "--head",
                f"--port={port}",
                f"--num-cpus={head['num-cpus']}",
                f"--temp-dir={folder}/ray",
                "--dashboard-host=127.0.0.1",
                f"--dashboard-port={dashboard}",
                f"--ray-client-server-port={client}",
                f"--include-dashboard={str(not WITHOUT_DASHBOARD).lower()}",
            ),
            node(folder / "worker.log", environment, f"--address=127.0.0.1:{port}", "--num-cpus=3"),
        ):
            yield Cluster({**environment, "RAY_ADDRESS": f"127.0.0.1:{port}"}, f"http://127.0.0.1:{dashboard}")


def demo_archive(folder: Path) -> Path:
    """The archive that examples/make_archive.py makes."""
    command = [sys.executable, str(ROOT / "examples" / "make_archive.py"), str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def few_of(archive: Path, folder: Path) -> Path:
    """`KEPT` alone."""
    for key in KEPT:
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(archive / key, folder / key)
    return folder


def manifest_job(folder: Path, archive: Path) -> Path:
    """The manifest's job file, with folders in place of the buckets, and one quarantined record of three allowed."""
    job: dict[str, Any] = yaml.safe_load(one(MANIFEST, "ConfigMap")["data"]["job.yaml"])
    job["source"] = {"kind": "files", "uri": str(archive)}
    job["output"] = {"uri": str(folder / "restored")}
    job["run"]["max_quarantined"] = 1
    return _written(folder, job)


def demo_job(folder: Path, archive: Path) -> Path:
    """examples/archive.yaml on the cluster at hand."""
    job: dict[str, Any] = yaml.safe_load((ROOT / "examples" / "archive.yaml").read_text("utf-8"))
    job["source"]["uri"], job["output"]["uri"] = str(archive), str(folder / "restored")
    job["run"]["address"] = "auto"
    return _written(folder, job)


def _written(folder: Path, job: dict[str, Any]) -> Path:
    path = folder / "job.yaml"
    path.write_text(yaml.safe_dump(job))
    return path


def entrypoint(job: Path) -> str:
    """The manifest's command, with the job file at another place."""
    command = str(one(MANIFEST, "RayJob")["spec"]["entrypoint"])
    assert "/etc/facejobs/job.yaml" in command
    return command.replace("/etc/facejobs/job.yaml", str(job))


def counts(job: Path, environment: dict[str, str]) -> tuple[str, int, int]:
    """State, restored and quarantined records of a job's run."""
    status = subprocess.run(
        [sys.executable, "-m", "jobs", "status", str(job), "--json"],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(status.stdout)
    return found["state"], found["records_ok"], found["records_quarantined"]
