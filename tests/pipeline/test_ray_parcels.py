"""What travels between Ray workers has a size that Arrow can hold, or its unit is given up with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.parcel import Parcel
from pipeline.runners import ray as ray_runner
from pipeline.runners.ray import row_of
from pipeline.worker import Worker

from .bed import TEXTS, Bed


def test_a_parcel_too_large_to_travel_gives_its_unit_up_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bed = Bed(tmp_path, TEXTS)
    ref = next(bed.run.refs())
    packed = Worker(bed.spec, [0])(Parcel(ref)).pack()
    travelled = Parcel.unpack(row_of(packed)["parcel"])
    assert travelled.receipt is None
    assert len(travelled.items) == ref.records
    monkeypatch.setattr(ray_runner, "LARGEST_PARCEL", 100)
    given_up = Parcel.unpack(row_of(packed)["parcel"]).receipt
    assert given_up is not None
    assert given_up.state == "error"
    assert "run.unit_records" in given_up.message
    assert bed.drive().state == "complete"
