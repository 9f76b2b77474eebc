"""How busy the GPUs of this machine are, from NVIDIA's management library (NVML)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pynvml  # type: ignore[import-untyped]  # nvidia-ml-py has no annotations
from prometheus_client.core import Metric

from jobs.observe.metrics import Labels, family


class Gpus:
    """The GPUs of the machine on which the command runs; none where there is no driver.

    Those of other machines of a cluster Ray itself reports.
    """

    def __init__(self) -> None:
        self._open = False
        with suppress(pynvml.NVMLError):  # no driver, or no library: a machine without GPUs
            pynvml.nvmlInit()
            self._open = True

    def families(self, common: Labels) -> Iterator[Metric]:
        """Use and memory of each GPU; nothing of what a GPU does not tell."""
        if not self._open:
            return
        busy: dict[Labels, float] = {}
        used: dict[Labels, float] = {}
        total: dict[Labels, float] = {}
        for index in range(_count()):
            with suppress(pynvml.NVMLError):  # one that has fallen off the bus, or does not support a question
                device = pynvml.nvmlDeviceGetHandleByIndex(index)
                labels = (str(index), str(pynvml.nvmlDeviceGetName(device)))
                memory = pynvml.nvmlDeviceGetMemoryInfo(device)
                used[labels], total[labels] = float(memory.used), float(memory.total)
                busy[labels] = pynvml.nvmlDeviceGetUtilizationRates(device).gpu / 100
        yield family("gpu_utilization_ratio", busy, common)
        yield family("gpu_memory_used_bytes", used, common)
        yield family("gpu_memory_total_bytes", total, common)

    def close(self) -> None:
        """Let go of the library."""
        if self._open:
            self._open = False
            with suppress(pynvml.NVMLError):
                pynvml.nvmlShutdown()


def _count() -> int:
    """GPUs of this machine; 0 while the driver does not say, as when it is being replaced."""
    try:
        return int(pynvml.nvmlDeviceGetCount())
    except pynvml.NVMLError:
        return 0
