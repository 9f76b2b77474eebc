"""`facejobs gc`: what it says, how it ends, and that it knows a run's own leftovers from files of others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import pytest
import yaml
from skimage.data import astronaut
from typer.testing import CliRunner

from jobs.commands.gc import WORDS, age
from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.main import app
from pipeline.gc import KINDS


def call(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def write_job(folder: Path, **output: Any) -> Path:
    job = {
        "job": "restore",
        "name": "prints",
        "source": {"kind": "files", "uri": str(folder / "in")},
        "restore": {"model": "classic"},
        "output": {"uri": str(folder / "out"), **output},
        "run": {"runner": "local", "unit_records": 2, "max_quarantined": 9},
    }
    path = folder / "prints.yaml"
    path.write_text(yaml.safe_dump(job))
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Output of a job over four prints, two of which were replaced by text when their units had to be done again."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "in").mkdir()
    for number in range(4):
        cv2.imwrite(str(folder / f"in/{number}.png"), cv2.resize(astronaut()[10:270, 100:360], (140, 140))[..., ::-1])
    path = write_job(folder)
    assert call("run", path).exit_code == 0
    # A ledger that lost its commits has the units done again, by attempts that find something else.
    for commit in (folder / "out").glob("_facejobs/runs/*/commits/*.json"):
        commit.unlink()
    for number in (1, 3):
        (folder / f"in/{number}.png").write_text("no image")
    assert call("run", path).exit_code == Exit.QUARANTINED
    return folder / "out"


@pytest.fixture
def out(finished: Path, tmp_path: Path) -> Path:
    """A copy of that output."""
    return shutil.copytree(finished, tmp_path / "out")


def there(out: Path) -> set[str]:
    return {path.name for path in out.iterdir() if path.is_file()}


ALL = {f"{number}.png{suffix}" for number in range(4) for suffix in ("", ".json")}
LEFT = {f"{number}.png{suffix}" for number in (1, 3) for suffix in ("", ".json")}


def test_leftovers_of_quarantined_records_go(out: Path) -> None:
    assert there(out) == ALL
    young = call("gc", out)
    assert young.exit_code == 0
    assert "4 others are younger than --older-than 24h and were left" in young.stdout
    would = call("gc", out, "--older-than", "0", "--dry-run")
    assert "4 outputs of records that ended in quarantine would be removed" in would.stdout
    assert there(out) == ALL
    done = json.loads(call("gc", out, "--older-than", "0", "--json").stdout)
    assert done["removed"]["outputs"]["objects"] == 4
    assert done["removed"]["outputs"]["bytes"] > 10_000
    assert not done["dry_run"]
    assert there(out) == ALL - LEFT
    assert call("verify", out).exit_code == 0


def test_a_file_that_somebody_put_in_its_place_stays(out: Path) -> None:
    (out / "1.png").write_bytes(b"restored by hand")
    record = json.loads((out / "3.png.json").read_text())
    (out / "3.png.json").write_text(json.dumps({**record, "settings_sha256": "of another job"}))
    done = json.loads(call("gc", out, "--older-than", "0", "--json").stdout)
    assert done["removed"]["outputs"]["objects"] == 1
    assert there(out) == ALL - {"1.png.json"}


def test_nothing_is_said_to_be_garbage_of_an_undisturbed_run(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in/0.png"), cv2.resize(astronaut(), (140, 140)))
    path = write_job(tmp_path, name="{key}.{ext}", format="jpeg", layout="webdataset")
    assert call("run", path).exit_code == 0
    done = json.loads(call("gc", path, "--older-than", "0", "--json").stdout)
    assert all(pile == {"objects": 0, "bytes": 0} for pile in done["removed"].values())
    assert (done["left_for_age"], done["left_in_use"], done["units_open"]) == (0, 0, 0)


def test_a_run_that_another_machine_works_on_is_refused(out: Path) -> None:
    (home,) = out.glob("_facejobs/runs/*")
    next((home / "commits").glob("*.json")).unlink()
    for path in home.glob("attempts/*/*.json"):
        path.write_text(json.dumps({**json.loads(path.read_text()), "host": "another", "space": "another"}))
    refused = call("gc", out)
    assert refused.exit_code == Exit.CONFLICT
    assert "on another" in refused.output
    assert "--force" in refused.output
    assert call("gc", out, "--force").exit_code == 0


def test_a_place_without_a_run_and_an_age_that_is_none(tmp_path: Path) -> None:
    assert call("gc", tmp_path).exit_code == Exit.NO_RUN
    wrong = call("gc", tmp_path, "--older-than", "soon")
    assert wrong.exit_code == Exit.USAGE
    assert "--older-than soon: found no age; write a number and s, m, h or d" in wrong.output


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("90s", 90), ("1.5m", 90), ("24h", 86400), ("7d", 604800)])
def test_ages(text: str, seconds: float) -> None:
    assert age(text) == seconds


@pytest.mark.parametrize("text", ["", "24", "-1h", "h", "1 h", "1w"])
def test_no_ages(text: str) -> None:
    with pytest.raises(CommandError):
        age(text)


def test_every_kind_has_words() -> None:
    assert set(WORDS) == set(KINDS)
