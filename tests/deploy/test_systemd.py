"""The units: by systemd itself where it is installed, and by the exit codes and times of facejobs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from jobs.exits import Exit

from .kube import ROOT

FOLDER = ROOT / "deploy" / "systemd"
SERVICE = (FOLDER / "facejobs@.service").read_text("utf-8")
PROGRAM = "/opt/facejobs/bin/facejobs"


def setting(name: str, text: str = SERVICE) -> str:
    (value,) = re.findall(rf"^{name}=(.*)$", text, flags=re.MULTILINE)
    return str(value)


def seconds(span: str) -> float:
    number, unit = re.fullmatch(r"(\d+)(s|min|h)?", span).groups()  # type: ignore[union-attr]
    return float(number) * {None: 1, "s": 1, "min": 60, "h": 3600}[unit]


def verified(tmp_path: Path, service: str) -> str:
    """What systemd says of the units, whose program has to exist."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    (tmp_path / "facejobs@.service").write_text(service.replace(PROGRAM, "/bin/true"))
    shutil.copy(FOLDER / "facejobs@.timer", tmp_path)
    names = [str(tmp_path / "facejobs@.service"), str(tmp_path / "facejobs@.timer")]
    result = subprocess.run(["systemd-analyze", "verify", *names], capture_output=True, text=True, check=False)
    return result.stdout + result.stderr + ("" if result.returncode == 0 else f"exit code {result.returncode}")


def test_systemd_has_nothing_against_them(tmp_path: Path) -> None:
    assert verified(tmp_path, SERVICE) == ""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("TimeoutStopSec=120", "TimeoutStopSec=soon", "soon"),
        ("OOMPolicy=continue", "OOMPolitics=continue", "OOMPolitics"),
        (f"ExecStart={PROGRAM} run /etc/facejobs/%i.yaml\n", "", "ExecStart"),
    ],
)
def test_systemd_sees_a_planted_error(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in SERVICE
    assert said in verified(tmp_path, SERVICE.replace(old, new))


def test_exit_codes() -> None:
    assert {int(code) for code in setting("SuccessExitStatus").split()} == {
        Exit.QUARANTINED,
        Exit.BUSY,
        Exit.INTERRUPTED,
    }
    assert {int(code) for code in setting("RestartForceExitStatus").split()} == {Exit.STORAGE, Exit.INTERRUPTED}
    assert "\nRestart=" not in SERVICE


def test_restarts_end_in_time() -> None:
    burst, interval = int(setting("StartLimitBurst")), seconds(setting("StartLimitIntervalSec"))
    assert burst * seconds(setting("RestartSec")) < interval


def test_stopping_leaves_more_time_than_the_units_under_way_are_given() -> None:
    assert setting("KillMode") == "mixed"
    assert seconds(setting("TimeoutStopSec")) >= 30 + 30  # run.grace_seconds has 30 by default


def test_a_killed_record_does_not_end_the_run() -> None:
    assert setting("OOMPolicy") == "continue"


def test_the_timer_catches_up() -> None:
    timer = (FOLDER / "facejobs@.timer").read_text("utf-8")
    assert setting("Persistent", timer) == "true"
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    command = ["systemd-analyze", "calendar", setting("OnCalendar", timer)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
