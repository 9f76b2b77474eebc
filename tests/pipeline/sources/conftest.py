"""A place to put a source: a local folder, the memory file system, or a bucket of a real S3 server."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from pipeline.storage import Folder


@pytest.fixture(params=["local", "memory", pytest.param("s3", marks=pytest.mark.s3)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Folder:
    if request.param == "local":
        return Folder(str(tmp_path / "source"))
    if request.param == "memory":
        return Folder(f"memory://{uuid.uuid4().hex}/source")
    server = request.getfixturevalue("s3")
    return Folder(server.bucket("source") + "/scans", server.options)
