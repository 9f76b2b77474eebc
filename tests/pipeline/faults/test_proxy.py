"""The proxy itself: transparent without rates, honest in its counts, a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from pipeline.storage import Folder

ROOT = Path(__file__).parents[3]


@pytest.mark.s3
def test_without_rates_it_changes_nothing(proxied, tmp_path: Path) -> None:
    place = proxied()
    folder = place.folder()
    data = os.urandom(3_000_000)
    folder.write("a b/ü+%&=.bin", data)
    assert folder.read("a b/ü+%&=.bin") == data == place.behind(folder).read("a b/ü+%&=.bin")
    name = "a b/ü+%&=.bin"
    through, direct = folder.fs.info(folder.path(name)), place.direct.fs.info(folder.path(name))
    assert through == direct
    assert folder.fs.cat_file(folder.path(name), start=10, end=20) == data[10:20]
    assert set(place.counts) == {"requests"}


@pytest.mark.s3
def test_as_a_process_of_its_own(s3, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.faults.proxy", "--upstream", s3.endpoint, "--seed", "1"]
    process = subprocess.Popen(
        [*command, "--rates", "internal_error=0.5"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        endpoint = process.stdout.readline().strip()
        options = s3.options | {"client_kwargs": {"endpoint_url": endpoint, "region_name": "us-east-1"}}
        folder = Folder(s3.bucket("alone"), options)
        for number in range(10):
            folder.write(f"{number}", b"x")
        with urllib.request.urlopen(f"{endpoint}/-/faults") as answer:
            counts = json.load(answer)
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0
    assert json.loads(rest) == counts
    assert counts["requests"] == 10 + counts["internal_error"]
    assert counts["internal_error"] > 0


def test_rates_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT)
    from benchmarks.faults.rates import Rates

    assert Rates.parse("slow_down=0.5, truncated=0.25") == Rates(slow_down=0.5, truncated=0.25)
    for wrong, words in {"slowdown=0.1": "no such fault", "slow_down=2": "share from 0 to 1"}.items():
        with pytest.raises(ValueError, match=words):
            Rates.parse(wrong)
