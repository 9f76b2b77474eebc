"""Tiny trainings of face restorers: batches, steps, what is kept of them, several workers."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed, multiprocessing
from torch.nn import functional

from operators.training.contract import At, Hardware, Schedule
from operators.training.draws import Draws
from operators.training.packing import packed, unpacked

SEED = 5
Build = Callable[[Hardware], Schedule]
Rows = list[dict[str, Tensor]]


def pairs(count: int, side: int) -> dict[str, Tensor]:
    """Smooth pictures, and the same coarser and noisy."""
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(count, 3, 4, 4, generator=generator) * 2 - 1
    truth = functional.interpolate(coarse, side, mode="bicubic", align_corners=False).clamp(-1, 1)
    degraded = functional.interpolate(functional.avg_pool2d(truth, 2), side)
    noise = torch.randn(truth.shape, generator=generator)
    return {"degraded": (degraded + 0.1 * noise).clamp(-1, 1), "truth": truth}


def at(step: int, samples: int = 4, rank: int = 0, world: int = 1) -> At:
    return At(step, 1000, Draws(SEED, step, rank, world), samples)


def run(schedule: Schedule, batch: Mapping[str, Tensor], first: int, last: int) -> Rows:
    """Steps from `first` to before `last` on one batch."""
    return [schedule.step(at(step, len(batch["truth"])), batch) for step in range(first, last)]


def files(schedule: Schedule) -> dict[str, bytes]:
    """All of it, as a checkpoint keeps it."""
    networks = {name: module.state_dict() for name, module in schedule.networks.items()}
    return packed({"networks": networks, "state": schedule.state()})


def resumed(build: Build, kept: Mapping[str, bytes]) -> Schedule:
    """A new one that goes on from a checkpoint."""
    schedule, content = build(Hardware()), unpacked(kept)
    for name, module in schedule.networks.items():
        module.load_state_dict(content["networks"][name])
    schedule.resume(content["state"])
    return schedule


def weights(schedule: Schedule) -> dict[str, Tensor]:
    """Copies of all weights, by network and name."""
    return {
        f"{name} {key}": one.detach().clone()
        for name, module in schedule.networks.items()
        for key, one in module.state_dict().items()
    }


def far(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> float:
    """The mean absolute difference of all weights."""
    assert one.keys() == other.keys()
    gaps = torch.cat([(one[name] - other[name]).abs().reshape(-1) for name in one])
    return float(gaps.double().mean())


def from_two_workers(build: Build, batch: Mapping[str, Tensor], steps: range, folder: Path) -> dict[str, Any]:
    """What two processes with half of the batch each come to: `weights` and `rows` of the first.

    Args:
        build: a function of a module, so that other processes find it.
        batch: of both.
        steps: their numbers.
        folder: for what they leave.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    multiprocessing.spawn(_worker, (build, dict(batch), steps, folder, port), nprocs=2)
    first, second = (torch.load(folder / f"{rank}.pt") for rank in range(2))
    assert all(torch.equal(first["weights"][name], second["weights"][name]) for name in first["weights"])
    means = [
        {name: (row[name] + other[name]) / 2 for name in row}
        for row, other in zip(first["rows"], second["rows"], strict=True)
    ]
    return {"weights": first["weights"], "rows": means}


def _worker(rank: int, build: Build, batch: dict[str, Tensor], steps: range, folder: Path, port: int) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    schedule = build(Hardware(rank=rank, world=2))
    own = {name: one[rank::2] for name, one in batch.items()}
    rows = [schedule.step(at(step, len(batch["truth"]), rank, 2), own) for step in steps]
    torch.save({"weights": weights(schedule), "rows": rows}, folder / f"{rank}.pt")
    distributed.destroy_process_group()
