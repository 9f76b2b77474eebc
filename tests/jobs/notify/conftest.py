from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jobs.small_job import SmallJob

from .servers import Kept, mail_server, webhook


@pytest.fixture
def prints(tmp_path: Path) -> SmallJob:
    job = SmallJob(tmp_path)
    job.fill()
    return job


@pytest.fixture
def hook() -> Iterator[Kept]:
    with webhook() as kept:
        yield kept


@pytest.fixture
def post() -> Iterator[Kept]:
    with mail_server() as kept:
        yield kept
