"""The GPU benchmark: `python -m benchmarks.gpu`. Each case runs in a child with a time limit of its own.

A child that hangs, crashes or fails costs its own rows and nothing else, and what is measured is written at once.
Exit codes: 0 done, 1 nothing could be measured, 2 no such device.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.gpu.cases import Case, cases
from benchmarks.gpu.machine import lacking, machine
from benchmarks.gpu.report import report
from benchmarks.gpu.results import read, write

SECONDS = 450.0
LEAST_SECONDS = 15.0
"""A case is not begun with less time than this."""
KEPT = 1500


def main() -> int:
    """Run the cases one after the other until they or the time are at an end.

    Returns:
        Exit code.
    """
    given = _arguments().parse_args()
    reason = _absent(given.device)
    if reason is not None:
        sys.stderr.write(f"{reason}; --device cpu --tiny tries the script itself out\n")
        return 2
    given.out.mkdir(parents=True, exist_ok=True)
    results = given.out / "results.jsonl"
    results.unlink(missing_ok=True)
    about, missing = machine(given.device), lacking()
    until = time.monotonic() + given.seconds
    for case in cases(given.tiny):
        if not re.search(given.only, case.name):
            continue
        left = until - time.monotonic()
        if left < LEAST_SECONDS:
            write(results, {"kind": "left out", "case": case.name, "reason": "no time was left"})
            continue
        _run(case, given, results, min(case.seconds * given.patience, left))
        _keep(given.out, about, missing, results)
    rows = _keep(given.out, about, missing, results)
    sys.stdout.write((given.out / "gpu.md").read_text())
    return 0 if any(row["kind"] in ("rate", "engine", "whole", "kernels") for row in rows) else 1


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    out = Path(os.environ.get("OUT") or "build/bench/gpu")
    parser.add_argument(
        "--out", type=Path, default=out, help="folder for gpu.md, gpu.json, results.jsonl [$OUT or %(default)s]"
    )
    parser.add_argument("--device", default="cuda", help="cuda, cuda:N or cpu [%(default)s]")
    parser.add_argument("--tiny", action="store_true", help="tiny networks: tries the script out, measures nothing")
    parser.add_argument(
        "--only", default="", help="regular expression for the names of cases; floors are needed for floors"
    )
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for everything [%(default)s]")
    parser.add_argument("--patience", type=float, default=1.0, help="factor on each case's own limit [%(default)s]")
    parser.add_argument(
        "--workers", type=int, default=max(1, len(os.sched_getaffinity(0)) - 1), help="CPU processes [%(default)s]"
    )
    parser.add_argument("--path-seconds", type=float, default=20.0, help="for the whole-image path [%(default)s]")
    return parser


def _absent(device: str) -> str | None:
    """Why there is no such device, or None."""
    if device == "cpu":
        return None
    torch = importlib.import_module("torch")  # not for --help
    if not torch.cuda.is_available():
        return "torch finds no CUDA device"
    count = torch.cuda.device_count()
    index = torch.device(device).index or 0
    return None if index < count else f"{device} is asked for, and there are {count} CUDA devices"


def _run(case: Case, given: argparse.Namespace, results: Path, seconds: float) -> None:
    """Run one case in a child of its own session, and end all of it when its time is over."""
    command = [sys.executable, "-m", "benchmarks.gpu.child", "--case", case.name, "--device", given.device]
    command += ["--results", str(results), "--workers", str(given.workers), "--seconds", str(given.path_seconds)]
    command += ["--tiny"] if given.tiny else []
    begun = time.monotonic()
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            code = child.wait(seconds)
            reason = None if code == 0 else f"ended with {code}"
        except subprocess.TimeoutExpired:
            reason = f"was stopped after {seconds:.0f} s"
        finally:
            _end(child)
        log.seek(0)
        said = log.read().decode(errors="replace").strip()
    sys.stderr.write(f"{case.name}: {reason or 'done'}, {time.monotonic() - begun:.1f} s\n")
    if reason is not None:
        write(results, {"kind": "failed", "case": case.name, "reason": f"{reason}. {said[-KEPT:]}"})


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the child's whole session: its own children hold the GPU or a core as well as it does."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _keep(out: Path, about: dict[str, object], missing: dict[str, str], results: Path) -> list[dict[str, object]]:
    """Write both forms of what is there so far."""
    rows = read(results)
    (out / "gpu.json").write_text(json.dumps({"machine": about, "lacking": missing, "results": rows}, indent=1))
    (out / "gpu.md").write_text(report(about, missing, rows))
    return rows


if __name__ == "__main__":
    sys.exit(main())
