"""The benchmark's child: does one case and writes what it found, line by line."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

from benchmarks.gpu.cases import Child, cases

MODULES = {
    "floors": "benchmarks.gpu.floors",
    "engine": "benchmarks.gpu.engine",
    "kernels": "benchmarks.gpu.kernels",
    "whole": "benchmarks.gpu.whole",
}


def main() -> int:
    """Do the case that the command line names.

    Returns:
        Exit code.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--case", required=True)
    parser.add_argument("--device", required=True)
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    given = parser.parse_args()
    case = next(case for case in cases(given.tiny) if case.name == given.case)
    # Imported here: the CPU processes of the whole-image path import this file again, and need no torch.
    kind = importlib.import_module(MODULES[case.kind])
    kind.measure(Child(case, given.device, given.tiny, given.results, given.workers, given.seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
