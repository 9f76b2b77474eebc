"""A source that changes between two runs of a job: nothing of the former pairs stays, and what was broken comes in."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from jobs.exits import Exit

if TYPE_CHECKING:
    from .conftest import Studio

BLOCKS: dict[str, Any] = {
    "samples": {"kind": "images", "size": 64},
    "degrade": {"recipe": "gpen", "variants": 4},
    "split": {"parts": {"train": 0.5, "val": 0.5}},
}

KILLED = """
import os, signal, sys
from jobs.main import app
from jobs.pairs.make import Make

process, calls = Make.process, []

def counted(self, item, context):
    calls.append(item)
    if len(calls) == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
    process(self, item, context)

Make.process = counted
app(sys.argv[2:])
"""
"""Ends the process by signal 9 when so many pairs are begun."""


def change(studio: Studio) -> None:
    """Take a picture away and turn another upside down; so samples have other numbers and parts."""
    (studio.root / "photographs/scenes/cat.png").unlink()
    path = studio.root / "photographs/scenes/coffee.jpg"
    with Image.open(path) as image:
        turned = image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    turned.save(path, quality=92)


def killed(job: Path, pairs: int, *arguments: str) -> None:
    command = [sys.executable, "-c", KILLED, str(pairs), "run", str(job), *arguments]
    assert subprocess.run(command, capture_output=True, check=False).returncode == -signal.SIGKILL


@pytest.mark.parametrize("name", ["webdataset", "folders", "lmdb", "aligned"])
def test_nothing_of_the_former_listing_stays(studio: Studio, name: str) -> None:
    job = studio.job(**BLOCKS, output={"format": name})
    studio.run(job)
    change(studio)
    assert studio.call("run", job, "--replan").exit_code == Exit.QUARANTINED
    studio.run(studio.job("fresh", **BLOCKS, output={"format": name}))
    assert studio.outputs() == studio.outputs("fresh")
    assert studio.call("verify", job).exit_code == Exit.DONE


def test_nothing_of_a_run_that_was_broken_off_stays(studio: Studio) -> None:
    """The second run had taken nothing of the first away yet, and was in the middle of a unit."""
    job = studio.job(**BLOCKS, output={"format": "aligned", "shard_pairs": 9})
    studio.run(job)
    change(studio)
    killed(job, 14, "--replan")
    (studio.root / "photographs/scenes/rocket.jpg").unlink()
    studio.run(studio.job("fresh", **BLOCKS, output={"format": "aligned", "shard_pairs": 9}))
    assert studio.outputs().keys() - studio.outputs("fresh").keys()
    assert studio.call("run", job, "--replan").exit_code == Exit.QUARANTINED
    assert studio.outputs() == studio.outputs("fresh")


def test_another_recipe_replaces_what_was_begun(studio: Studio) -> None:
    blocks: dict[str, Any] = {"split": BLOCKS["split"], "samples": BLOCKS["samples"]}
    output = {"format": "folders", "shard_pairs": 9, "existing": "replace"}
    killed(studio.job(**blocks, degrade={"recipe": "gpen", "variants": 5}, output=output), 14)
    job = studio.job(**blocks, degrade={"recipe": "gfpgan", "variants": 1}, output=output)
    studio.run(job)
    assert studio.call("verify", job).exit_code == Exit.DONE


def test_images_that_could_not_be_read_are_looked_at_again(studio: Studio) -> None:
    job = studio.job(**BLOCKS)
    path = studio.root / "photographs/scenes/rocket.jpg"
    path.chmod(0)
    if os.access(path, os.R_OK):  # whoever may read everything needs another reason
        stat, data = path.stat(), path.read_bytes()
        path.write_bytes(bytes(len(data)))
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        studio.run(job)
        path.write_bytes(data)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    else:
        studio.run(job)
        path.chmod(0o644)
    assert studio.selection()["failed"] == 2
    result = studio.call("run", job, "--replan")
    assert "2 images of the survey's quarantine are looked at again" in result.stderr
    assert studio.selection()["failed"] == 1
    studio.run(studio.job("fresh", **BLOCKS))
    assert studio.outputs() == studio.outputs("fresh")


def test_names_that_differ_by_case_alone_are_two_images(studio: Studio) -> None:
    path = studio.root / "photographs/scenes/COFFEE.jpg"
    if path.exists():
        pytest.skip("this file system does not tell them apart")
    path.write_bytes((studio.root / "photographs/scenes/coffee.jpg").read_bytes())
    studio.run(studio.job(**BLOCKS, filter={"duplicates": "keep"}))
    assert studio.selection()["failed"] == 1


def test_a_source_of_broken_images_is_told_from_an_empty_one(studio: Studio) -> None:
    for path in (studio.root / "photographs").rglob("*.*"):
        path.write_bytes(b"broken")
    job = studio.job(**BLOCKS)
    result = studio.call("run", job)
    assert result.exit_code == Exit.BAD_JOB
    assert "10 images were looked at" in result.stderr
    assert "could not be read (10, see " in result.stderr
    result = studio.call("retry", job)
    assert result.exit_code == Exit.CONFLICT
    assert "there is a survey only" in result.stderr
