"""Where an engine's time goes: the GPU's kernels by the time they took."""

from __future__ import annotations

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.gpu.cases import Child
from benchmarks.gpu.networks import generator
from benchmarks.gpu.results import write
from operators.engines.compile import CompileEngine
from operators.engines.options import EngineOptions, Profile

KEPT = 30
RUNS = 3


def measure(child: Child) -> None:
    """Write the kernels that took the most time of a compiled generator, launched one by one.

    Args:
        child: what it is told.
    """
    case, device, tiny, results = child.case, child.device, child.tiny, child.results
    precision, batch = case.settings[0]
    network = generator(case.network, tiny=tiny).network
    options = EngineOptions(profile=Profile(batch, batch, batch))
    engine = CompileEngine(precision, device, options, graphs=False)  # type: ignore[arg-type]
    engine.prepare(network)
    faces = torch.rand(batch, *network.input_shape, device=device) * 2 - 1
    engine.run(faces)
    activity = ProfilerActivity.CPU if device == "cpu" else ProfilerActivity.CUDA
    with profile(activities=[activity]) as found:
        for _ in range(RUNS):
            engine.run(faces)
        if device != "cpu":
            torch.cuda.synchronize()
    events = [
        {
            "name": event.key[:120],
            "calls": event.count / RUNS,
            "ms": (event.self_cpu_time_total if device == "cpu" else event.self_device_time_total) / 1e3 / RUNS,
        }
        for event in found.key_averages()
    ]
    events.sort(key=lambda event: -event["ms"])
    total = sum(event["ms"] for event in events)
    write(results, {"kind": "kernels", "case": case.name, "total_ms": total, "kernels": events[:KEPT]})
