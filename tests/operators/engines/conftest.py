"""What the tests of engines share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from operators.engines.artifacts import FolderArtifacts


@pytest.fixture(scope="session")
def engine_store(tmp_path_factory: pytest.TempPathFactory) -> FolderArtifacts:
    """A store that fills as the tests go, so that a network is exported once."""
    return FolderArtifacts(tmp_path_factory.mktemp("engines"))


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """On networks this small, more threads only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
