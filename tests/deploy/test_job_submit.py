"""`ray job submit`, through which KubeRay starts a RayJob, on a Ray cluster of two nodes on loopback."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .raylets import BIN, WITHOUT_DASHBOARD, Cluster, counts, demo_archive, demo_job, entrypoint, two_raylets

pytestmark = [
    pytest.mark.ray,
    pytest.mark.skipif(WITHOUT_DASHBOARD, reason="ray[default] is not installed, and without it Ray takes no jobs"),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with two_raylets() as made:
        yield made


def submitted(job: Path, cluster: Cluster) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BIN / "ray"), "job", "submit", "--address", cluster.dashboard, "--"]
    return subprocess.run(
        [*command, *entrypoint(job).split()], env=cluster.environment, capture_output=True, text=True, check=False
    )


def test_a_submitted_demo_job_is_completed(cluster: Cluster, tmp_path: Path) -> None:
    job = demo_job(tmp_path, demo_archive(tmp_path / "archive"))
    result = submitted(job, cluster)
    said = result.stdout + result.stderr
    assert result.returncode == 0, said
    assert "succeeded" in said
    assert "exit code 3" in said  # what is in quarantine is no failure to whoever knows only success and failure
    assert counts(job, cluster.environment) == ("complete", 13, 3)


def test_a_submitted_job_that_fails_has_failed(cluster: Cluster, tmp_path: Path) -> None:
    job = demo_job(tmp_path, tmp_path / "nowhere")
    result = submitted(job, cluster)
    said = result.stdout + result.stderr
    assert result.returncode != 0
    assert "failed" in said
    assert "nowhere" in said
