"""Which versions of what made an output."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version

LIBRARIES = (
    "jpeglib",
    "numpy",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "opencv-python-headless",
    "openvino",
    "pillow",
    "pyarrow",
    "pyvips",
    "pyvips-binary",
    "ray",
    "safetensors",
    "tensorrt-cu12",
    "tensorrt-cu13",
    "tensorrt-rtx-cu13-bindings",
    "torch",
)

PIXELS = ("numpy", "opencv-python-headless", "pillow", "pyvips", "pyvips-binary")
"""Those on which the pixels of a pair depend."""


@cache
def facejobs_version() -> str:
    """The installed version of facejobs."""
    return version("facejobs")


def versions() -> dict[str, str]:
    """Versions of facejobs, Python and the libraries that touch pixels."""
    return {
        "facejobs": facejobs_version(),
        "python": platform.python_version(),
        **{library: found for library in LIBRARIES if (found := _installed(library))},
    }


@cache
def pixel_versions() -> dict[str, str]:
    """What the pixels of a pair depend on, on this machine: facejobs, libraries, and the kind of processor."""
    found = {library: number for library in PIXELS if (number := _installed(library))}
    return {"facejobs": facejobs_version(), **found, "machine": platform.machine()}


def _installed(library: str) -> str:
    """Its version, or an empty string: jpeglib and TensorRT are not there on every kind of machine."""
    try:
        return version(library)
    except PackageNotFoundError:
        return ""
