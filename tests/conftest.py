"""Fixtures for the whole tree: a real S3 server on loopback, and a cache of models that nobody has filled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.s3_server import S3Server, s3_server


@pytest.fixture(scope="session", autouse=True)
def own_model_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty cache, for this process and those it starts: what a person has pulled must not change a test."""
    folder = tmp_path_factory.mktemp("facejobs-cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACEJOBS_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """A SeaweedFS server of this session's own."""
    with s3_server() as server:
        yield server
