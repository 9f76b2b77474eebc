"""Runs every benchmark and says on what: `make bench`; `python -m benchmarks engines` runs the ones that are named."""

from __future__ import annotations

import platform
import sys
from datetime import datetime, timezone
from importlib.metadata import version

from benchmarks import engines, flow, paste, scale, whole
from benchmarks.pairs import __main__ as pairs
from benchmarks.scaling import __main__ as scaling
from pipeline.runners.ray_cluster import cores

BENCHMARKS = {
    "paste": paste.main,
    "engines": engines.main,
    "flow": flow.main,
    "scale": scale.main,
    "pairs": pairs.main,
    "scaling": scaling.quick,
    "whole": whole.main,
}
LIBRARIES = ("facejobs", "ray", "numpy", "opencv-python-headless", "onnxruntime", "pyvips-binary")


def main() -> None:
    """Print machine, versions, and each benchmark's figures; arguments other than names go to the benchmarks."""
    named = [argument for argument in sys.argv[1:] if argument in BENCHMARKS]
    sys.argv[1:] = [argument for argument in sys.argv[1:] if argument not in BENCHMARKS]
    today, python = datetime.now(timezone.utc).date(), platform.python_version()
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    sys.stdout.write(f"{today}, {cores()} cores, {platform.machine()}, Python {python}, {libraries}\n\n")
    for name in named or BENCHMARKS:
        BENCHMARKS[name]()
        sys.stdout.write("\n")


if __name__ == "__main__":
    main()
