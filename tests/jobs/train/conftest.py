"""One undisturbed training that all tests compare with, and a folder for those of a test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.jobs.train.small_training import SmallTraining


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> SmallTraining:
    training = SmallTraining(tmp_path_factory.mktemp("undisturbed"))
    training.fill()
    training.write()
    result = training.call("run")
    assert result.exit_code == 0, result.output
    return training


@pytest.fixture(scope="session")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> SmallTraining:
    """One that was stopped after eight steps, to be copied."""
    training = SmallTraining(tmp_path_factory.mktemp("stopped"))
    training.fill()
    training.write()
    training.interrupted(8)
    return training


@pytest.fixture
def halfway(tmp_path: Path, stopped: SmallTraining) -> SmallTraining:
    """One that goes on after eight steps; its pictures lie where the stopped one's did."""
    shutil.copytree(stopped.root, tmp_path, dirs_exist_ok=True)
    return SmallTraining(tmp_path)


@pytest.fixture
def training(tmp_path: Path) -> SmallTraining:
    small = SmallTraining(tmp_path)
    small.fill()
    small.write()
    return small
