"""Faces per second of every CPU engine beside the published formulation, at 512 px, in one run."""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version

import torch

from benchmarks.gpu.networks import Generator, generator
from operators.engines.choose import Runner
from operators.engines.contract import Engine
from operators.engines.options import EngineOptions
from operators.engines.precision import cpu_kind, has_bf16
from operators.engines.probe_faces import probe_faces
from operators.engines.table import BACKENDS, ORDER
from operators.networks.cost import cost

GENERATORS = ("gfpgan-512", "gpen-512")
BATCHES = (1, 4, 8)
ROUNDS = 3
DEFAULT = "default"
"""What a job without engine settings gets: the fastest engine in the default precision, one face at a time on a CPU."""
PUBLISHED = "published"
LIBRARIES = ("torch", "openvino", "onnxruntime")

Run = Callable[[torch.Tensor], object]


def engines(made: Generator) -> dict[str, Run]:
    """Every CPU engine in the precisions that the hardware has, the default choice, and the published formulation."""
    found: dict[str, Run] = {}
    for name in ORDER["cpu"]:
        for precision in BACKENDS[name].precisions:
            if precision == "fp16" or (precision == "bf16" and not has_bf16("cpu")):
                continue
            engine: Engine = BACKENDS[name].build(precision, "cpu", EngineOptions(), None)
            engine.prepare(made.network)
            found[f"{name} {precision}"] = engine.run
    runner = Runner(made.network, EngineOptions(device="cpu"), None)
    runner.prepare()
    used, verdict = runner.description["used"], runner.verdict
    assert verdict is not None
    sys.stdout.write(
        f"  default: {used['engine']} in {used['precision']}, batch {used['batch']}; PSNR {verdict.psnr:.1f} dB "
        "against eager fp32 on drawn faces, random weights\n"
    )
    found[DEFAULT] = runner.run
    return found


def published(made: Generator) -> Run:
    """The authors' formulation as their code runs it: fp32, one group of channels for each face, one face at a time."""

    def run(batch: torch.Tensor) -> object:
        with torch.inference_mode():
            return [made.published(batch[i : i + 1]) for i in range(len(batch))]

    return run


def seconds(run: Run, batch: torch.Tensor) -> float:
    """Seconds for one face of a batch."""
    start = time.perf_counter()
    run(batch)
    return (time.perf_counter() - start) / len(batch)


def measure(name: str, batches: tuple[int, ...], rounds: int) -> None:
    """Print one generator's table.

    Rounds are interleaved: in each, the published form runs first and then every engine at every batch size, and ratios
    are taken inside the round, so that whatever else the machine does hits all alike.
    """
    made = generator(name)
    flops = cost(made.network.module, made.network.input_shape).flops
    sys.stdout.write(f"{name}: {flops / 1e9:.1f} GFLOP a face\n")
    running = engines(made)
    faces = probe_faces(max(batches), made.network.input_shape[1])
    base = published(made)
    for run in (base, *running.values()):
        run(faces[:1])
    bases: list[float] = []
    times: dict[tuple[str, int], list[float]] = {(key, batch): [] for key in running for batch in batches}
    for _ in range(rounds):
        bases.append(seconds(base, faces[:1]))
        for (key, batch), found in times.items():
            found.append(seconds(running[key], faces[:batch]))
    sys.stdout.write("  engine              batch   s/face  faces/s  GFLOP/s   times published (least .. most)\n")
    middle = statistics.median(bases)
    sys.stdout.write(f"  {PUBLISHED:18s} {1:6d} {middle:8.3f} {1 / middle:8.3f} {flops / middle / 1e9:8.0f}\n")
    for (key, batch), found in times.items():
        middle = statistics.median(found)
        ratios = [before / after for before, after in zip(bases, found, strict=True)]
        sys.stdout.write(
            f"  {key:18s} {batch:6d} {middle:8.3f} {1 / middle:8.3f} {flops / middle / 1e9:8.0f}   "
            f"{statistics.median(ratios):6.2f} ({min(ratios):.2f} .. {max(ratios):.2f})\n"
        )


def main() -> None:
    """Print both generators' tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generators", nargs="+", choices=GENERATORS, default=GENERATORS)
    parser.add_argument("--batches", nargs="+", type=int, default=BATCHES)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given, _ = parser.parse_known_args()
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    sys.stdout.write(
        f"CPU engines at 512 px, {cpu_kind()}, {torch.get_num_threads()} threads, {libraries}; random weights, "
        f"median of {given.rounds} interleaved rounds\n"
    )
    for name in given.generators:
        measure(name, tuple(given.batches), given.rounds)


if __name__ == "__main__":
    main()
