from __future__ import annotations

from pathlib import Path

import pytest

from tests.jobs.small_job import SmallJob


@pytest.fixture
def prints(tmp_path: Path) -> SmallJob:
    job = SmallJob(tmp_path)
    job.fill()
    return job
