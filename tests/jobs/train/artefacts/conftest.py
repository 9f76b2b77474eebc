"""A training's facts: half done, with a rollback, held-out measures and sheets."""

from __future__ import annotations

import math

import numpy as np
import pytest

from jobs.train.artefacts.facts import (
    CardFacts,
    DataFacts,
    Happening,
    HeldOut,
    Interval,
    KeptFile,
    MachineFacts,
    ReportFacts,
    Row,
    Sheet,
)
from jobs.train.artefacts.grid import sheet

SUMMARY = "GPEN: GAN prior embedded network (Yang et al. 2021)"
SETTINGS = {"job": "train", "name": "small-gpen", "model": {"kind": "gpen", "size": 256}, "data": {"uri": "portraits/"}}


def pictures(value: int, count: int = 2, side: int = 16) -> np.ndarray:
    return np.full((count, side, side, 3), value, np.uint8)


def row(step: int) -> Row:
    broken = step == 1200
    return {
        "step": step,
        "samples": step * 8,
        "l1": 0.3 * math.exp(-step / 900) + 0.05,
        "adversarial": math.nan if broken else math.sin(step),
    }


def held_out(step: int) -> HeldOut:
    better = step / 1000
    return HeldOut(
        step,
        59,
        made={
            "psnr": Interval(24 + better, 23.5 + better, 24.5 + better, 59),
            "identity": Interval(0.8, 0.78, 0.82, 59),
            "niqe": Interval(6 - better / 3, 5.5 - better / 3, 6.5 - better / 3, 58),
        },
        given={
            "psnr": Interval(24.5, 24.0, 25.0, 59),
            "identity": Interval(0.85, 0.83, 0.87, 59),
            "niqe": Interval(5.5, 5.0, 6.0, 59),
        },
        gain={
            "psnr": Interval(better - 0.5, better - 0.7, better - 0.3, 59),
            "identity": Interval(-0.05, -0.06, -0.04, 59),
            "niqe": Interval(-0.2, -0.6, 0.2, 58),
        },
    )


@pytest.fixture(scope="session")
def data_facts() -> DataFacts:
    return DataFacts(
        kind="faces",
        uri="portraits/",
        fingerprint="5f" * 32,
        pictures=412,
        held_out=59,
        skipped=3,
        first_skipped=("box1/a.jpg: no face was found", "b.jpg: the file is cut short"),
        recipes={"gfpgan": 4.0, "gpen": 4.0, "old-photo": 2.0},
        description="Portraits of the public domain",
        licence="CC0-1.0",
    )


@pytest.fixture(scope="session")
def report_facts(data_facts: DataFacts) -> ReportFacts:
    png = sheet({"input": pictures(60), "made": pictures(120), "truth": pictures(180)})
    return ReportFacts(
        name="small-gpen",
        model="gpen",
        summary=SUMMARY,
        state="unfinished",
        created="2026-11-26T09:00:00Z",
        updated="2026-11-26T12:00:00Z",
        facejobs_version="0.1.0",
        steps=5000,
        done=3000,
        samples=24000,
        seconds=10800.0,
        watched="l1",
        settings=SETTINGS,
        data=data_facts,
        machine=MachineFacts("NVIDIA H100 80GB HBM3", "bf16", workers=4, nodes=2, runner="ray", compiled=True),
        rows=tuple(row(step) for step in range(10, 3001, 10)),
        pace=tuple((step, step * 3.6) for step in range(0, 3001, 500)),
        happenings=(
            Happening(1000, "phase", "the prior is embedded"),
            Happening(1200, "not_finite", "`adversarial` is NaN"),
            Happening(1200, "rolled_back", "back to step 1,000 with half the learning rate"),
            Happening(2000, "resumed"),
        ),
        held_out=tuple(held_out(step) for step in (1000, 2000, 3000)),
        sheets=tuple(Sheet(step, png) for step in (1000, 2000, 3000)),
        files=(KeptFile("checkpoints/000003000/networks.safetensors", 40_000_000, "ab" * 32),),
        versions={"facejobs": "0.1.0", "torch": "2.13.0"},
        hashes={"job": "0" * 64},
        licence="Apache-2.0",
        output="out/",
    )


@pytest.fixture(scope="session")
def card_facts(data_facts: DataFacts) -> CardFacts:
    return CardFacts(
        name="small-gpen",
        model="gpen",
        summary=SUMMARY,
        created="2026-11-26T12:00:00Z",
        facejobs_version="0.1.0",
        steps=5000,
        planned=5000,
        samples=40000,
        seconds=18000.0,
        settings=SETTINGS,
        data=data_facts,
        machine=MachineFacts("cpu"),
        licence="CC0-1.0",
        held_out=held_out(3000),
        template="ffhq",
        versions={"torch": "2.13.0"},
    )
