"""The batch script, run for real but for Slurm itself: stand-ins for srun and scontrol, and Ray's own symmetric-run."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ray.scripts.scripts import start as ray_start

from .kube import ROOT

SCRIPT = ROOT / "deploy" / "slurm" / "facejobs.sbatch"
TEXT = SCRIPT.read_text("utf-8")
DIRECTIVES = dict(re.findall(r"^#SBATCH --([\w-]+)(?:=(\S+))?$", TEXT, flags=re.MULTILINE))
WAIT_SECONDS = 60

# srun without Slurm: one task on this machine, which is given what follows srun's own options.
SRUN = """#!/usr/bin/env bash
while [[ $1 == -* ]]; do shift; done
exec "$@"
"""
# symmetric-run without Ray, where only exit codes matter: what follows `--`.
RAY = """#!/usr/bin/env bash
while [[ $1 != -- ]]; do shift; done
shift
exec "$@"
"""
# symmetric-run itself, with a stand-in for the commands that it calls: `ray stop` ends every cluster of the machine.
SYMMETRIC = """#!/usr/bin/env bash
if [[ $1 == symmetric-run ]]; then exec "$REAL_RAY" "$@"; fi
echo "$@" >>"$FAKE_LOG.ray"
"""
SCONTROL = """#!/usr/bin/env bash
if [[ $1 == show ]]; then echo "$FAKE_HOST"; else echo "$@" >>"$FAKE_LOG"; fi
"""
FACEJOBS = """#!/usr/bin/env bash
echo "$@" >>"$FAKE_LOG.arguments"
if [[ -n ${FAKE_SLOW:-} ]]; then
    trap 'exit 130' TERM
    touch "$FAKE_LOG.began"
    while :; do sleep 0.05; done
fi
exit "$FAKE_CODE"
"""


class Site:
    """A machine with a script's surroundings: programs of its own before the real ones."""

    def __init__(self, folder: Path, ray: str = RAY) -> None:
        self.log = folder / "log"
        programs = {"srun": SRUN, "scontrol": SCONTROL, "facejobs": FACEJOBS, "ray": ray}
        binaries = folder / "venv" / "bin"
        binaries.mkdir(parents=True)
        for name, text in programs.items():
            (binaries / name).write_text(text)
            (binaries / name).chmod(0o755)
        self.environment = {
            **os.environ,
            "FACEJOBS_VENV": str(folder / "venv"),
            "FAKE_HOST": "127.0.0.1",
            "FAKE_LOG": str(self.log),
            "SLURM_JOB_ID": "4711",
            "SLURM_JOB_NODELIST": "node1",
            "SLURM_JOB_NUM_NODES": "1",
            "SLURM_CPUS_PER_TASK": "1",
        }

    def start(self, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["bash", str(SCRIPT), "/project/archive.yaml"],
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def requeued(self) -> bool:
        return self.log.exists() and "requeue 4711" in self.log.read_text()


def test_shellcheck_has_nothing_against_it() -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    result = subprocess.run(["shellcheck", str(SCRIPT)], capture_output=True, text=True, check=False)
    assert result.stdout == ""
    planted = TEXT.replace('"$SLURM_JOB_NODELIST"', "$SLURM_JOB_NODELIST")
    result = subprocess.run(["shellcheck", "-"], input=planted, capture_output=True, text=True, check=False)
    assert "SC2086" in result.stdout


@pytest.mark.parametrize(
    ("code", "seen", "requeued"),
    [(0, 0, False), (3, 0, False), (6, 0, True), (130, 0, True), (1, 1, False), (4, 4, False), (5, 5, False)],
)
def test_exit_codes(tmp_path: Path, code: int, seen: int, requeued: bool) -> None:
    site = Site(tmp_path)
    process = site.start(FAKE_CODE=str(code))
    output, _ = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == seen, output
    assert site.requeued() == requeued
    assert Path(f"{site.log}.arguments").read_text() == "run /project/archive.yaml\n"


def test_a_job_that_was_put_back_often_enough_is_not_put_back_again(tmp_path: Path) -> None:
    site = Site(tmp_path)
    process = site.start(FAKE_CODE="6", SLURM_RESTART_COUNT="2", FACEJOBS_REQUEUES="2")
    output, _ = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 6
    assert "sbatch it again" in output
    assert not site.requeued()


def test_a_signal_before_the_time_limit_drains_and_puts_the_job_back(tmp_path: Path) -> None:
    site = Site(tmp_path)
    process = site.start(FAKE_SLOW="1")
    began, deadline = Path(f"{site.log}.began"), time.monotonic() + WAIT_SECONDS
    while not began.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 0, output
    assert "told to stop" in output
    assert site.requeued()


def test_the_job_file_must_be_named() -> None:
    result = subprocess.run(["bash", str(SCRIPT)], capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "say which job file" in result.stderr


def test_the_warning_comes_long_enough_before_the_end() -> None:
    found = re.fullmatch(r"B:TERM@(\d+)", DIRECTIVES["signal"])
    assert found is not None
    assert int(found[1]) >= 30 + 60  # run.grace_seconds has 30 by default
    assert "requeue" in DIRECTIVES
    assert DIRECTIVES["ntasks-per-node"] == "1"


def test_rays_own_symmetric_run_takes_its_arguments_and_hands_back_the_code(tmp_path: Path) -> None:
    site = Site(tmp_path, ray=SYMMETRIC)
    process = site.start(FAKE_CODE="5", REAL_RAY=str(Path(sys.executable).parent / "ray"))
    output, _ = process.communicate(timeout=WAIT_SECONDS)
    if "Ray is already started on this node" in output:
        pytest.skip("another Ray cluster runs on this machine, beside which symmetric-run starts none")
    assert process.returncode == 5, output
    assert "Running command on head node" in output
    assert Path(f"{site.log}.arguments").read_text() == "run /project/archive.yaml\n"
    started, stopped = Path(f"{site.log}.ray").read_text().splitlines()
    assert stopped == "stop"
    # Read by Ray's own command, which is not carried out; an unknown option is an error.
    options = ray_start.make_context("start", started.split()[1:]).params
    assert options["head"] is True
    assert options["port"] == 20000 + 4711
    assert options["num_cpus"] == 1
    # The other nodes are given the same options, of which none may be the head's alone.
    own = ("--head", "--node-ip-address", "--port")
    others = [word for word in started.split()[1:] if word.split("=")[0] not in own]
    options = ray_start.make_context("start", ["--address", "127.0.0.1:24711", "--block", *others]).params
    assert options["num_cpus"] == 1
    assert [options[name] for name in ("port", "redis_shard_ports", "include_dashboard")] == [None, None, None]
