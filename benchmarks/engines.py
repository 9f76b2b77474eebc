"""Faces per second of every CPU engine beside the published formulation, at 512 px, in one run."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch

from benchmarks.gpu.networks import Generator, generator
from operators.engines.artifacts import FolderArtifacts
from operators.engines.choose import Runner
from operators.engines.options import ArtifactStore, EngineName, EngineOptions, Precision
from operators.engines.precision import cpu_kind, has_bf16
from operators.engines.probe_faces import probe_faces
from operators.engines.table import BACKENDS, ORDER
from operators.networks.cost import cost

GENERATORS = ("gfpgan-512", "gpen-512")
BATCHES = (1, 4, 8)
LARGE = 8
"""Batches from here on are run in the first round only: all of it is to end within minutes."""
ROUNDS = 3
LIBRARIES = ("torch", "openvino", "onnxruntime")

Run = Callable[[torch.Tensor], object]


@dataclass(frozen=True)
class Contestant:
    """An engine in a precision; both None for what a job without engine settings gets."""

    engine: EngineName | None = None
    precision: Precision | None = None

    @property
    def name(self) -> str:
        """For the table."""
        return f"{self.engine} {self.precision}" if self.engine else "default"

    @contextmanager
    def ready(self, made: Generator, store: ArtifactStore) -> Iterator[Run]:
        """Prepared; closed afterwards, since some keep gigabytes after a large batch."""
        if self.engine is None or self.precision is None:
            runner = Runner(made.network, EngineOptions(device="cpu"), store)
            runner.prepare()
            used, verdict = runner.description["used"], runner.verdict
            assert verdict is not None
            sys.stdout.write(
                f"  default is {used['engine']} in {used['precision']}, {used['batch']} at a time; PSNR "
                f"{verdict.psnr:.1f} dB against eager fp32\n"
            )
            yield runner.run
            runner.close()
            return
        engine = BACKENDS[self.engine].build(self.precision, "cpu", EngineOptions(), store)
        engine.prepare(made.network)
        yield engine.run
        engine.close()


def contestants() -> list[Contestant]:
    """Every CPU engine in the precisions that the hardware has, and the default choice."""
    fast: tuple[Precision, ...] = ("fp32", "bf16") if has_bf16("cpu") else ("fp32",)
    named = [
        Contestant(name, precision)
        for name in ORDER["cpu"]
        for precision in BACKENDS[name].precisions
        if precision in fast
    ]
    return [*named, Contestant()]


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


def line(name: str, batch: int, flops: int, times: Sequence[float], ratios: Sequence[float] = ()) -> str:
    """A row of the table."""
    middle = statistics.median(times)
    row = f"  {name:18s} {batch:5d} {middle:8.3f} {1 / middle:8.3f} {flops / middle / 1e9:8.0f}"
    if ratios:
        row += f"   {statistics.median(ratios):6.2f} ({min(ratios):.2f} .. {max(ratios):.2f})"
    return row + "\n"


def measure(name: str, batches: Sequence[int], rounds: int, store: ArtifactStore) -> None:
    """Print one generator's table.

    Every round of an engine begins with a face in the published form, and ratios are taken inside the round, so that
    whatever else the machine does hits both alike.
    """
    made = generator(name)
    flops = cost(made.network.module, made.network.input_shape).flops
    sys.stdout.write(f"{name}: {flops / 1e9:.1f} GFLOP a face\n")
    faces = probe_faces(max(batches), made.network.input_shape[1])
    base = published(made)
    base(faces[:1])
    bases: list[float] = []
    rows: list[str] = []
    for contestant in contestants():
        times: dict[int, list[float]] = {batch: [] for batch in batches}
        ratios: dict[int, list[float]] = {batch: [] for batch in batches}
        with contestant.ready(made, store) as run:
            run(faces[:1])
            for number in range(rounds):
                bases.append(seconds(base, faces[:1]))
                for batch in batches:
                    if batch < LARGE or number == 0:
                        times[batch].append(seconds(run, faces[:batch]))
                        ratios[batch].append(bases[-1] / times[batch][-1])
        rows.extend(line(contestant.name, batch, flops, times[batch], ratios[batch]) for batch in batches)
    sys.stdout.write("  engine             batch   s/face  faces/s  GFLOP/s   times published (least .. most)\n")
    sys.stdout.write(line("published", 1, flops, bases) + "".join(rows))


def main() -> None:
    """Print both generators' tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generators", nargs="+", choices=GENERATORS, default=GENERATORS)
    parser.add_argument("--batches", nargs="+", type=int, default=BATCHES)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given, _ = parser.parse_known_args()
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    sys.stdout.write(
        f"CPU engines at 512 px, {cpu_kind()}, {torch.get_num_threads()} threads, {libraries}; random weights, drawn "
        f"faces, median of {given.rounds} rounds\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        for name in given.generators:
            measure(name, given.batches, given.rounds, FolderArtifacts(Path(folder)))


if __name__ == "__main__":
    main()
