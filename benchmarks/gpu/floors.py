"""The two floors of any engine: what the machine's matrix units and its memory can do at best, measured here."""

from __future__ import annotations

from collections.abc import Callable

import torch

from benchmarks.gpu.cases import Child
from benchmarks.gpu.networks import generator
from benchmarks.gpu.results import write
from benchmarks.gpu.timing import timed
from operators.engines.eager import DTYPES
from operators.networks.cost import cost

PRECISIONS = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32, "tf32": torch.float32}


def measure(child: Child) -> None:
    """Write the matrix rates, the copy rates and each network's cost.

    Args:
        child: what it is told.
    """
    device, tiny, results = child.device, child.tiny, child.results
    side = 256 if tiny else 8192
    for precision, dtype in PRECISIONS.items():
        rate = _matrix_rate(device, side if precision != "fp32" else min(side, 4096), dtype, precision == "tf32")
        write(results, {"kind": "rate", "what": f"matrix {precision}", "unit": "FLOP/s", "value": rate})
    size = 1 << (22 if tiny else 31)
    write(results, {"kind": "rate", "what": "copy", "unit": "B/s", "value": _copy_rate(device, size)})
    if device != "cpu":
        for what, rate in _bus_rates(device).items():
            write(results, {"kind": "rate", "what": what, "unit": "B/s", "value": rate})
    for name in ("gfpgan-512", "gpen-512"):
        network = generator(name, tiny=tiny).network
        found = {precision: cost(network.module, network.input_shape, 1, dtype) for precision, dtype in DTYPES.items()}
        row = {
            "kind": "cost",
            "network": name,
            "flop": found["fp32"].flops,
            "weight_bytes": {precision: one.weight_bytes for precision, one in found.items()},
            "activation_bytes": {precision: one.activation_bytes for precision, one in found.items()},
        }
        write(results, row)


def _matrix_rate(device: str, side: int, dtype: torch.dtype, tf32: bool) -> float:
    """FLOP/s of a square matrix product on random data: zeros run faster than real data."""
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = tf32
    try:
        left, right = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
        return 2 * side**3 / (timed(lambda: left @ right, device, 0.5).median / 1e3)
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def _copy_rate(device: str, size: int) -> float:
    """Bytes a second, read and written counted, of a copy much larger than any cache."""
    source = torch.randint(0, 255, (size,), device=device, dtype=torch.uint8)
    target = torch.empty_like(source)
    return 2 * size / (timed(lambda: target.copy_(source), device, 0.5).median / 1e3)


def _bus_rates(device: str) -> dict[str, float]:
    """Bytes a second between page-locked or ordinary memory and the GPU, for a batch of eight faces."""
    shape = (8, 3, 512, 512)
    pinned, plain = torch.randn(shape).pin_memory(), torch.randn(shape)
    there = torch.empty(shape, device=device)
    size = there.numel() * there.element_size()
    calls: dict[str, Callable[[], torch.Tensor]] = {
        "to the GPU, page-locked": lambda: there.copy_(pinned, non_blocking=True),
        "to the GPU, ordinary": lambda: there.copy_(plain),
        "from the GPU, page-locked": lambda: pinned.copy_(there, non_blocking=True),
        "from the GPU, ordinary": lambda: plain.copy_(there),
    }
    return {what: size / (timed(call, device, 0.3).median / 1e3) for what, call in calls.items()}
