"""Runs every benchmark and says on what: `make bench`."""

from __future__ import annotations

import platform
import sys
from datetime import datetime, timezone
from importlib.metadata import version

from benchmarks import flow, paste
from pipeline.runners.ray_cluster import cores

LIBRARIES = ("facejobs", "ray", "numpy", "opencv-python-headless", "onnxruntime", "pyvips-binary")


def main() -> None:
    """Print machine, versions, and each benchmark's figures."""
    today, python = datetime.now(timezone.utc).date(), platform.python_version()
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    sys.stdout.write(f"{today}, {cores()} cores, {platform.machine()}, Python {python}, {libraries}\n\n")
    paste.main()
    sys.stdout.write("\n")
    flow.main()


if __name__ == "__main__":
    main()
