"""The script that goes once round: from portraits over a training to an archive that was restored and measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data as pictures

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "whole_circle.py"


def circle(portraits: Path, work: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), str(portraits), str(work), "--steps", "8"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.timeout(1200)
def test_it_goes_round_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    portraits, work = tmp_path / "portraits", tmp_path / "work"
    portraits.mkdir()
    face = pictures.astronaut()[0:300, 80:380]
    for number in range(12):
        shade = np.clip(face * (0.7 + 0.05 * number), 0, 255).astype(np.uint8)
        Image.fromarray(np.roll(shade, number, axis=1)).save(portraits / f"{number:02}.png")
    first = circle(portraits, work)
    assert first.returncode == 0, first.stdout + first.stderr
    assert {path.stem for path in (work / "good").iterdir()} == {f"{number:02}" for number in range(10)}
    assert {path.stem for path in (work / "restored").glob("*.png")} == {"10", "11"}
    records = [json.loads((work / f"restored/{name}.png.json").read_text()) for name in ("10", "11")]
    # After eight steps it gives what it got, and that counts as no change; that it was asked is what is seen here.
    assert [[face["restorer"]["name"] for face in record["faces"]] for record in records] == [["circle"]] * 2
    model = work / "training" / "model" / "circle.safetensors"
    made = model.stat()
    measured = json.loads((work / "evaluation" / "evaluation.json").read_text())
    assert "psnr" in json.dumps(measured)
    for page in ("training/report.html", "evaluation/evaluation.html"):
        assert (work / page).is_file()
    again = circle(portraits, work)
    assert again.returncode == 0, again.stdout + again.stderr
    assert (model.stat().st_mtime_ns, model.stat().st_size) == (made.st_mtime_ns, made.st_size)


def test_too_few_portraits(tmp_path: Path) -> None:
    done = circle(tmp_path, tmp_path / "work")
    assert done.returncode == 1
    assert "0 pictures, expected at least 12 portraits" in done.stderr
