"""A place to put a source: a local folder, the memory file system, or a bucket of a real S3 server."""

from __future__ import annotations

import pytest

from pipeline.storage import Folder


@pytest.fixture
def place(folder: Folder) -> Folder:
    """Where a source is put."""
    return folder
