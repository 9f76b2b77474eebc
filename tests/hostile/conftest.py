"""Lets the tests of this folder import its makers of bad input, and gives each a world to let them loose in."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from watched import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)
