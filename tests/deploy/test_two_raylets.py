"""The RayJob's own command and job file on a Ray cluster of two nodes on loopback, as KubeRay would start them."""

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
from contextlib import contextmanager
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
WITHOUT_DASHBOARD = importlib.util.find_spec("aiohttp_cors") is None or importlib.util.find_spec("opencensus") is None


@dataclass(frozen=True)
class Cluster:
    """A running cluster: the environment of whoever works on it, and the address of its dashboard."""

    environment: dict[str, str]
    dashboard: str


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def node(log: Path, environment: dict[str, str], *arguments: str) -> Iterator[None]:
    """One Ray node, ended with its whole group."""
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, str(BIN / "ray"), "start", "--block", "--object-store-memory=300000000", *arguments],
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


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A head and a worker with the start parameters of the manifest, but for the number of CPUs and memory."""
    spec = one(MANIFEST, "RayJob")["spec"]["rayClusterSpec"]
    head = spec["headGroupSpec"]["rayStartParams"]
    port, dashboard = free_port(), free_port()
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
                f"--include-dashboard={str(not WITHOUT_DASHBOARD).lower()}",
            ),
            node(folder / "worker.log", environment, f"--address=127.0.0.1:{port}", "--num-cpus=3"),
        ):
            yield Cluster({**environment, "RAY_ADDRESS": f"127.0.0.1:{port}"}, f"http://127.0.0.1:{dashboard}")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    whole, few = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("few")
    command = [sys.executable, str(ROOT / "examples" / "make_archive.py"), str(whole)]
    subprocess.run(command, check=True, capture_output=True)
    for key in KEPT:
        (few / key).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(whole / key, few / key)
    return few


def job_file(folder: Path, archive: Path) -> Path:
    """The manifest's job file, with folders in place of the buckets, and one quarantined record of three allowed."""
    job: dict[str, Any] = yaml.safe_load(one(MANIFEST, "ConfigMap")["data"]["job.yaml"])
    job["source"] = {"kind": "files", "uri": str(archive)}
    job["output"] = {"uri": str(folder / "restored")}
    job["run"]["max_quarantined"] = 1
    path = folder / "job.yaml"
    path.write_text(yaml.safe_dump(job))
    return path


def entrypoint(job: Path) -> str:
    """The manifest's command, with the job file at another place."""
    command = str(one(MANIFEST, "RayJob")["spec"]["entrypoint"])
    assert "/etc/facejobs/job.yaml" in command
    return command.replace("/etc/facejobs/job.yaml", str(job))


def counts(job: Path, environment: dict[str, str]) -> tuple[str, int, int]:
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


@pytest.mark.ray
def test_the_entrypoint_completes_a_job_on_two_nodes(cluster: Cluster, archive: Path, tmp_path: Path) -> None:
    job = job_file(tmp_path, archive)
    result = subprocess.run(
        ["/bin/sh", "-c", entrypoint(job)], env=cluster.environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "exit code 3" in result.stderr
    assert counts(job, cluster.environment) == ("complete", 2, 1)


@pytest.mark.ray
@pytest.mark.skipif(WITHOUT_DASHBOARD, reason="ray[default] is not installed, and without it Ray takes no jobs")
def test_ray_job_submit_completes_a_job_on_two_nodes(cluster: Cluster, archive: Path, tmp_path: Path) -> None:
    job = job_file(tmp_path, archive)
    command = [sys.executable, str(BIN / "ray"), "job", "submit", "--address", cluster.dashboard, "--"]
    result = subprocess.run(
        [*command, *entrypoint(job).split()], env=cluster.environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "succeeded" in result.stdout
    assert counts(job, cluster.environment) == ("complete", 2, 1)
