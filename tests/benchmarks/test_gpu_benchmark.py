"""The GPU benchmark on a CPU: tiny networks, the same script, children and report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


def benchmark(*arguments, out):
    """Run the script from the checkout, as on a machine that has facejobs not installed."""
    environment = {name: value for name, value in os.environ.items() if name != "OUT"}
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu", *arguments, "--out", str(out)],
        cwd=ROOT,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=550,
    )


@pytest.fixture
def importable(monkeypatch):
    """Makes the benchmark's modules importable, wherever pytest was started."""
    monkeypatch.syspath_prepend(ROOT)


def test_on_a_machine_without_a_gpu_it_says_so(tmp_path):
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    done = benchmark(out=tmp_path / "out")
    assert done.returncode == 2
    assert "no CUDA device" in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_script_measures_engines_floors_and_the_whole_path(tmp_path):
    done = benchmark(
        *("--device", "cpu", "--tiny", "--only", "floors|gfpgan-512: tensorrt$|gpen-512: published|whole"),
        *("--workers", "1", "--path-seconds", "1", "--patience", "6", "--seconds", "500"),
        out=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "gpu.json").read_text())
    rows = found["results"]
    assert not [row for row in rows if row["kind"] == "failed"]
    assert {row["what"] for row in rows if row["kind"] == "rate"} >= {"matrix bf16", "matrix fp32", "copy"}

    engines = [row for row in rows if row["kind"] == "engine"]
    assert {row["how"] for row in engines} == {"published"}
    assert {(row["precision"], row["batch"]) for row in engines} == {
        (p, b) for p in ("bf16", "fp32") for b in (1, 2, 4)
    }
    for row in engines:
        assert row["ms_per_face"] == pytest.approx(row["ms"] / row["batch"])
        assert row["psnr"] > (90 if row["precision"] == "fp32" else 30)

    whole = next(row for row in rows if row["kind"] == "whole")
    assert whole["scans"] >= 1
    assert whole["faces_per_second"] == pytest.approx(2 * whole["scans_per_second"])
    assert all(
        whole["stages_ms_per_scan"][stage] > 0 for stage in ("decode", "detect", "align", "score", "paste", "encode")
    )
    assert whole["left_out"] == {}

    assert [row["case"] for row in rows if row["kind"] == "left out"] == ["gfpgan-512: tensorrt"]
    text = (tmp_path / "gpu.md").read_text()
    assert done.stdout == text
    for part in (
        "## gpen-512",
        "## whole-image path",
        "## Measured rates",
        "FLOP floor",
        "## Left out",
    ):
        assert part in text


def test_a_case_that_hangs_is_ended_and_told(tmp_path):
    done = benchmark("--device", "cpu", "--tiny", "--only", "^floors$", "--patience", "0.001", out=tmp_path)
    assert done.returncode == 1
    rows = json.loads((tmp_path / "gpu.json").read_text())["results"]
    assert [row["kind"] for row in rows] == ["failed"]
    assert "was stopped" in rows[0]["reason"]
    assert "floors" in (tmp_path / "gpu.md").read_text()


def test_a_case_for_which_no_time_is_left_is_told(tmp_path):
    done = benchmark("--device", "cpu", "--tiny", "--only", "^floors$", "--seconds", "1", out=tmp_path)
    assert done.returncode == 1
    assert "no time was left" in done.stdout


def test_floors_follow_from_rates_and_costs(importable):
    from benchmarks.gpu.report import floors

    rows = [
        {"kind": "rate", "what": "matrix bf16", "unit": "FLOP/s", "value": 800e12},
        {"kind": "rate", "what": "copy", "unit": "B/s", "value": 4e12},
        {
            "kind": "cost",
            "network": "gfpgan-512",
            "flop": 400e9,
            "weight_bytes": {"bf16": 160e6, "fp16": 160e6},
            "activation_bytes": {"bf16": 2e9, "fp16": 2e9},
        },
    ]
    row = {"network": "gfpgan-512", "how": "compile", "precision": "bf16", "batch": 8}
    assert floors(rows, row) == (pytest.approx(0.5), pytest.approx((20e6 + 2e9) / 4e12 * 1e3))
    assert floors(rows, {**row, "precision": "fp16"})[0] is None
    assert floors(rows, {**row, "network": "gpen-512"}) == (None, None)


def test_every_case_has_its_own_name_and_the_first_ones_are_the_aim(importable):
    from benchmarks.gpu.cases import cases

    for tiny in (False, True):
        names = [case.name for case in cases(tiny)]
        assert len(set(names)) == len(names)
    first = cases(tiny=False)[:2]
    assert [case.name for case in first] == ["floors", "gfpgan-512: compile"]
    assert first[1].settings[0] == ("bf16", 8)


def test_results_of_a_killed_child_are_read_up_to_the_broken_line(importable, tmp_path):
    from benchmarks.gpu.results import read, write

    write(tmp_path / "rows", {"kind": "rate", "value": 1})
    with (tmp_path / "rows").open("a") as file:
        file.write('{"kind": "ra')
    assert read(tmp_path / "rows") == [{"kind": "rate", "value": 1}]
    assert read(tmp_path / "none") == []


def test_drawn_faces_are_where_they_are_said_to_be(importable):
    from benchmarks.gpu.scans import draw

    scan = draw(3, 640, 480, 5)
    again = draw(3, 640, 480, 5)
    assert np.array_equal(scan.pixels, again.pixels)
    assert scan.pixels.shape == (480, 640, 3)
    assert len(scan.landmarks) == 5
    for points in scan.landmarks:
        assert (points >= 0).all()
        assert (points < (640, 480)).all()
        eye, cheek = points[0], (points[0] + points[3]) / 2
        pixels = [scan.pixels[round(y), round(x)].astype(int).sum() for x, y in (eye, cheek)]
        assert pixels[0] < pixels[1] - 60


def test_stand_ins_bring_a_face_there_and_back(importable):
    from benchmarks.gpu.codecs import codec
    from benchmarks.gpu.scans import draw
    from benchmarks.gpu.stages_plain import Plain

    stages = Plain("cv2 not installed")
    assert {"detect", "score", "align", "paste"} <= set(stages.left_out)
    scan = draw(1, 320, 240, 2)
    data = codec().write(scan.pixels)
    image = stages.decode(data)
    assert np.abs(image.astype(int) - scan.pixels).mean() < 8
    face = stages.align(image, scan.landmarks[0], 64)
    assert face.crop.shape == (64, 64, 3)
    before = image.copy()
    stages.paste(image, [(face, np.zeros_like(face.crop))])
    x, y = scan.landmarks[0][2].round().astype(int)
    assert image[y, x].max() == 0
    assert np.array_equal(image[:, -20:], before[:, -20:])
    assert stages.encode(image, data) != data
