"""A network that was tried without a GPU, and a cluster that has some."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from jobs.estimate.forecast import NO_GPU_SPEED
from tests.jobs.estimate.conftest import Shelf
from tests.jobs.restore.small_models import add_generator

pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason="the sample would be tried on a GPU")

NODES = [{"name": "gpu", "count": 2, "cpus": 16, "gpus": 1, "price_per_hour": 2.0}]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "cache"
    add_generator(folder, "small-gfpgan")
    return folder


def job(shelf: Shelf, models: Path, **cluster: Any) -> Path:
    return shelf.job(
        scored=True,
        restore={"model": "small-gfpgan", "oversize": "reduce", "engine": {"name": "eager", "precision": "fp32"}},
        models={"cache": str(models)},
        score={"measures": []},
        run={"runner": "ray", "isolate": True},
        cluster={"nodes": NODES, **cluster},
    )


def test_its_time_is_unknown_until_somebody_says_how_fast_it_is(shelf: Shelf, models: Path) -> None:
    said = shelf.call("plan", job(shelf, models), "--sample", "4")
    lines = said.splitlines()
    start = lines.index("cluster")
    assert lines[start + 1].split() == ["time", "unknown"]
    assert lines[start + 2] == f"  {NO_GPU_SPEED}"
    assert "cost" not in lines  # without a time there is no price of machines

    estimate = shelf.plan(job(shelf, models, faces_per_second=20.0), "--sample", "4")["estimate"]
    (passed,) = estimate["cluster"]["passes"]
    assert passed["placement"] == "staged"
    assert [pool["segments"] for pool in passed["pools"]] == [["examine"], ["restore"], ["compose"]]
    assert estimate["cluster"]["cost"]["point"] == pytest.approx(
        2 * 2.0 * estimate["cluster"]["seconds"]["point"] / 3600, rel=1e-3
    )
    assert estimate["machine"]["unknown"] is None  # here the network runs on CPUs, as in the sample
