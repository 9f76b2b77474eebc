"""Undisturbed runs to compare with, one a format; and a disk that is not waited for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .bed import SCALE, built

Whole = Callable[[str], dict[str, bytes]]


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every object is flushed to the disk, which takes most of these tests' time and changes no byte."""
    monkeypatch.setattr("pipeline.local_disk._flush", lambda path: None)


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """The objects of a run of a format that nothing happened to."""
    made: dict[str, dict[str, bytes]] = {}

    def objects(name: str) -> dict[str, bytes]:
        if name not in made:
            made[name] = built(tmp_path_factory.mktemp("whole"), name, scale=SCALE.get(name, 2)).objects()
        return made[name]

    return objects
