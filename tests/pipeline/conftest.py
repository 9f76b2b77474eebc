"""An empty folder in each kind of storage that the tests can have for real."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from pipeline.storage import Folder


@pytest.fixture(params=["local", "memory", pytest.param("s3", marks=pytest.mark.s3)])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Folder:
    if request.param == "local":
        return Folder(str(tmp_path / "out"))
    if request.param == "memory":
        return Folder(f"memory://{uuid.uuid4().hex}/out")
    server = request.getfixturevalue("s3")
    return Folder(server.bucket("folder") + "/out", server.options)
