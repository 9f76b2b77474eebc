"""The RayJob's own command on a Ray cluster of two nodes on loopback, as KubeRay would start them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .raylets import Cluster, counts, demo_archive, demo_job, entrypoint, few_of, manifest_job, two_raylets

pytestmark = pytest.mark.ray


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with two_raylets() as made:
        yield made


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo_archive(tmp_path_factory.mktemp("archive"))


def entered(job: Path, cluster: Cluster) -> subprocess.CompletedProcess[str]:
    command = ["/bin/sh", "-c", entrypoint(job)]
    return subprocess.run(command, env=cluster.environment, capture_output=True, text=True, check=False)


def test_the_entrypoint_completes_the_manifests_job(cluster: Cluster, archive: Path, tmp_path: Path) -> None:
    job = manifest_job(tmp_path, few_of(archive, tmp_path / "few"))
    result = entered(job, cluster)
    assert result.returncode == 0, result.stderr
    assert "exit code 3" in result.stderr
    assert counts(job, cluster.environment) == ("complete", 2, 1)


def test_the_entrypoint_completes_the_demo_job(cluster: Cluster, archive: Path, tmp_path: Path) -> None:
    job = demo_job(tmp_path, archive)
    result = entered(job, cluster)
    assert result.returncode == 0, result.stderr
    assert "exit code 3" in result.stderr
    assert counts(job, cluster.environment) == ("complete", 13, 3)
