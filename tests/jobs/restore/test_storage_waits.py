"""What a restore job reads and writes beside a record's own file is waiting for storage too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from jobs.restore.holes import Holes
from jobs.restore.samples import Sampler
from operators.images.limits import Limits
from operators.images.probe import probe
from pipeline.stage import UnitContext


class Waits:
    """Whether somebody waits now, and how often anybody did."""

    def __init__(self) -> None:
        self.now = False
        self.times = 0

    @contextmanager
    def __call__(self, key: str) -> Iterator[None]:
        assert key == "a.jpg"
        self.now = True
        self.times += 1
        yield
        self.now = False


def test_pictures_for_the_report() -> None:
    waits = Waits()
    kept: list[tuple[str, bool]] = []
    context = UnitContext(
        lambda record: b"",
        lambda record, artifacts: None,
        lambda name, data: kept.append((name, waits.now)),
        waiting=waits,
    )
    view = np.zeros((8, 8, 3), np.uint8)
    Sampler(1, 1)._store("x", "image", "a.jpg", [view, view], {}, context)
    assert kept == [("x-before.jpg", True), ("x-after.jpg", True), ("x.json", True)]
    assert not waits.now


def test_masks(tmp_path: Path) -> None:
    Image.new("L", (24, 20), 255).save(tmp_path / "a.png")
    waits = Waits()
    info = probe((tmp_path / "a.png").read_bytes(), Limits())
    mask = Holes(str(tmp_path)).read("a.jpg", info, Limits(), waits("a.jpg"))
    assert mask is not None
    assert (waits.times, waits.now) == (1, False)
