"""Libraries that report to their makers, imported so that they do not."""

from __future__ import annotations

import os
from typing import Any

_SWITCH = "ORT_DISABLE_TELEMETRY"


def silent_onnxruntime() -> Any:
    """Import ONNX Runtime without its reports.

    Since 1.29 its builds for Linux write an identifier below the home folder (`~/.cache/Microsoft`) and send which
    models are loaded on what machine, unless this variable is set before the library is first loaded.
    """
    os.environ.setdefault(_SWITCH, "1")
    import onnxruntime  # noqa: PLC0415 - not before the switch

    return onnxruntime
