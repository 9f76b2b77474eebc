"""Which versions of what made an output."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import version

LIBRARIES = (
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "pillow",
    "pyarrow",
    "pyvips",
    "pyvips-binary",
    "ray",
)


@cache
def facejobs_version() -> str:
    """The installed version of facejobs."""
    return version("facejobs")


def versions() -> dict[str, str]:
    """Versions of facejobs, Python and the libraries that touch pixels."""
    return {
        "facejobs": facejobs_version(),
        "python": platform.python_version(),
        **{library: version(library) for library in LIBRARIES},
    }
