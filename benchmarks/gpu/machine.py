"""On what the figures were measured, and what this machine lacks."""

from __future__ import annotations

import importlib
import importlib.util
import os
import platform
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from typing import Any

LIBRARIES = (
    "torch",
    "triton",
    "tensorrt",
    "tensorrt-cu13",
    "tensorrt-rtx-cu13-bindings",
    "numpy",
    "opencv-python-headless",
    "pyvips",
    "pillow",
    "onnx",
    "onnxscript",
    "onnxruntime",
    "nvidia-ml-py",
)

OPTIONAL = {
    "onnx": "TensorRT engines",
    "onnxscript": "TensorRT engines",
    "cv2": "facejobs' own detection, alignment, scoring and pasting (plain stand-ins are used)",
    "pyvips": "facejobs' own decoding and encoding (plain stand-ins are used)",
    "pynvml": "the driver's own figure of GPU utilisation (the CUDA events' share remains)",
}


def machine(device: str) -> dict[str, Any]:
    """Date, device and versions.

    Args:
        device: `cpu`, `cuda` or `cuda:N`.

    Returns:
        JSON values.
    """
    about: dict[str, Any] = {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "device": _device(device),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "libraries": {name: found for name in LIBRARIES if (found := _version(name)) is not None},
    }
    return about


def lacking() -> dict[str, str]:
    """Modules that are not installed, with what is left out for it."""
    return {name: what for name, what in OPTIONAL.items() if importlib.util.find_spec(name) is None}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _device(device: str) -> str:
    if device == "cpu":
        return f"cpu {platform.machine()}"
    torch = importlib.import_module("torch")
    about = torch.cuda.get_device_properties(device)
    units, memory = about.multi_processor_count, about.total_memory / 2**30
    return (
        f"{about.name}, sm_{about.major}{about.minor}, {units} multiprocessors, {memory:.0f} GiB, "
        f"CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}"
    )
