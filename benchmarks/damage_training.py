"""Trains the damage detector's network: `python -m benchmarks.damage_training --data FOLDER --out damage.safetensors`.

The folder holds `train/` and `val/`, photographs each; none of `val/` is ever trained on. Pairs are made by the
package's own recipes while training goes on, by as many processes as there are cores. The script ends itself in time,
writes the weights as fp16 safetensors, and prints precision and recall of each kind on validation scenes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from benchmarks.damage_curves import Curve
from benchmarks.damage_supply import Check, Crops, Plan, Supply
from operators.damage.kinds import KINDS, Kind
from operators.networks.damage.network import DamageUnet, reach
from operators.training.muon import Muon

_DECAY = 0.998
_WEIGHTS: Mapping[Kind, float] = {"scratch": 2.0, "tear": 1.0, "corner": 0.5, "stamp": 0.7, "crack": 1.0, "dust": 1.0}
"""Of the kinds' losses: areas weigh less than lines, which have few pixels."""


def main() -> int:
    """Train, write, validate.

    Returns:
        Exit code.
    """
    begun = time.monotonic()
    given = _arguments().parse_args()
    plan = Plan(given.data / "train", given.data / "val", given.crop, given.checks, given.seed, given.workers)
    supply = Supply(plan)
    torch.manual_seed(given.seed)
    torch.set_num_threads(given.threads)
    try:
        _train(given, begun, supply)
    finally:
        supply.close()
    return 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.damage_training", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with train/ and val/")
    parser.add_argument("--out", type=Path, required=True, help="weights; a .json beside them says how they were made")
    parser.add_argument("--seconds", type=float, default=80.0, help="of the whole script, validation included")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes that make pairs")
    parser.add_argument("--threads", type=int, default=1, help="of torch on a CPU")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--crop", type=int, default=256)
    parser.add_argument("--pool", type=int, default=24000, help="crops that are kept and drawn from")
    parser.add_argument("--start", type=Path, help="weights to begin with, of an earlier run")
    parser.add_argument("--optimizer", choices=("adamw", "muon"), default="adamw", help="muon: rate 0.01")
    parser.add_argument("--rate", type=float, default=4e-3, help="the largest learning rate")
    parser.add_argument(
        "--once", action="store_true", help="make no further pairs when the pool is full: for few cores"
    )
    parser.add_argument("--checks", type=int, default=40, help="validation scenes")
    parser.add_argument("--reserve", type=float, default=10.0, help="seconds kept for writing and validating")
    parser.add_argument("--seed", type=int, default=7)
    return parser


class Pool:
    """Crops on the device; when full, new ones take the place of the oldest.

    Args:
        size: crops at most.
        crop: their side.
        device: where.
    """

    def __init__(self, size: int, crop: int, device: torch.device) -> None:
        self._inputs = torch.empty((size, 4, crop, crop), dtype=torch.uint8, device=device)
        self._targets = torch.empty((size, len(KINDS), crop, crop), dtype=torch.uint8, device=device)
        self.made = 0

    @property
    def held(self) -> int:
        """Crops there are to draw from."""
        return min(self.made, len(self._inputs))

    def add(self, crops: Crops) -> None:
        """Take crops in."""
        for inputs, targets in zip(crops.inputs, crops.targets, strict=True):
            place = self.made % len(self._inputs)
            self._inputs[place] = torch.from_numpy(inputs).to(self._inputs.device)
            self._targets[place] = torch.from_numpy(targets).to(self._targets.device)
            self.made += 1

    def draw(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """A batch: inputs with their tones jittered, turned and mirrored, and targets in [0, 1]."""
        index = torch.randint(self.held, (count,), generator=generator).to(self._inputs.device)
        inputs, targets = self._inputs[index].float() / 255.0, self._targets[index].float() / 255.0
        pictures, inside = inputs[:, :3], inputs[:, 3:]
        pictures = _jittered(pictures, generator)
        inputs = torch.cat([(2.0 * pictures - 1.0) * inside, inside], dim=1)
        turns, mirrored = (
            int(torch.randint(4, (1,), generator=generator)),
            bool(torch.rand(1, generator=generator) < 0.5),
        )
        inputs, targets = (torch.rot90(plane, turns, (2, 3)) for plane in (inputs, targets))
        return (inputs.flip(3), targets.flip(3)) if mirrored else (inputs, targets)


def _jittered(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """Other gammas, gains and offsets, colour by colour a little, and a fifth of the pictures in grey."""

    def between(low: float, high: float, channels: int) -> Tensor:
        drawn = torch.rand((len(pictures), channels, 1, 1), generator=generator) * (high - low) + low
        return drawn.to(pictures.device)

    grey = pictures.mean(dim=1, keepdim=True).expand_as(pictures)
    pictures = torch.where(between(0.0, 1.0, 1) < 0.2, grey, pictures)
    pictures = pictures.clamp(1e-4, 1.0) ** between(0.75, 1.33, 1)
    return (pictures * between(0.8, 1.1, 1) * between(0.93, 1.07, 3) + between(-0.05, 0.1, 1)).clamp(0.0, 1.0)


def _train(given: argparse.Namespace, begun: float, supply: Supply) -> None:
    device = torch.device(given.device)
    network = DamageUnet(len(KINDS))
    if given.start is not None:
        network.load_state_dict(load_file(given.start))
    else:
        # Damage is rare: without this the first hundred steps only learn that.
        torch.nn.init.constant_(network.head.bias, -4.0)  # type: ignore[arg-type]  # it has a bias
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    torch.backends.cudnn.benchmark = True
    averaged = {name: value.detach().clone().float() for name, value in network.state_dict().items()}
    pool, checks = Pool(given.pool, given.crop, device), list[Check]()
    optimizer = _optimizer(given, network)
    generator = torch.Generator().manual_seed(given.seed)
    end = begun + given.seconds - given.reserve
    first, step, told, total = 0.0, 0, time.monotonic(), 0.0
    while (now := time.monotonic()) < end:
        if not (given.once and pool.made >= given.pool):
            _fill(supply, pool, checks, wait=0.5 if pool.held < 4 * given.batch else 0.0)
        elif supply.running:
            supply.close()
        if pool.held < 4 * given.batch:
            continue
        first = first or now
        _set_rate(optimizer, given.rate, (now - first) / max(1e-6, end - first))
        inputs, targets = pool.draw(given.batch, generator)
        total += _step(network, optimizer, inputs, targets, telling := step % 20 == 0)
        _average(averaged, network, step)
        step += 1
        if telling and now - told > 5.0:
            told = now
            _say(f"{now - begun:6.1f} s  step {step}  crops {pool.made}  loss {total / (step // 20 + 1):.5f}")
    _say(f"{step} steps of {given.batch} crops in {time.monotonic() - begun:.1f} s, {pool.made} crops made")
    network.load_state_dict({name: averaged[name].to(value.dtype) for name, value in network.state_dict().items()})
    given.out.parent.mkdir(parents=True, exist_ok=True)
    save_file(_half(network.state_dict()), given.out)
    results = validate(network.eval(), checks, device, begun + given.seconds)
    about: dict[str, object] = {
        "steps": step,
        "batch": given.batch,
        "crop": given.crop,
        "crops": pool.made,
        "seed": given.seed,
    }
    about |= {"optimizer": given.optimizer, "rate": given.rate}
    about["start"] = None if given.start is None else hashlib.sha256(given.start.read_bytes()).hexdigest()
    about |= {"seconds": round(time.monotonic() - begun, 1), "device": _name(device), "validation": results}
    given.out.with_suffix(".json").write_text(json.dumps(about, indent=1))


def _optimizer(given: argparse.Namespace, network: DamageUnet) -> torch.optim.Optimizer:
    if given.optimizer == "muon":
        return Muon([{"params": list(network.parameters()), "lr": given.rate}], (0.9, 0.99))
    return torch.optim.AdamW(network.parameters(), lr=given.rate, weight_decay=1e-4)


def _fill(supply: Supply, pool: Pool, checks: list[Check], wait: float) -> None:
    for _ in range(8):
        made = supply.take(wait)
        if isinstance(made, Crops):
            pool.add(made)
        elif isinstance(made, Check):
            checks.append(made)
        else:
            return


def _set_rate(optimizer: torch.optim.Optimizer, peak: float, share: float) -> None:
    """A short rise, then half a cosine down to a hundredth."""
    rate = peak * min(1.0, share / 0.03 + 0.05) * (0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * min(1.0, share))))
    for group in optimizer.param_groups:
        group["lr"] = rate


def _step(
    network: DamageUnet, optimizer: torch.optim.Optimizer, inputs: Tensor, targets: Tensor, telling: bool
) -> float:
    inputs = inputs.contiguous(memory_format=torch.channels_last)
    with torch.autocast(inputs.device.type, torch.bfloat16):
        logits = network(inputs)
    losses = functional.binary_cross_entropy_with_logits(logits.float(), targets, reduction="none").mean(dim=(0, 2, 3))
    loss = sum(_WEIGHTS[kind] * own for kind, own in zip(KINDS, losses, strict=True))
    assert isinstance(loss, Tensor)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]  # torch has no type for it
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    # Reading the loss waits for the device; not at every step.
    return float(loss.detach()) if telling else 0.0


@torch.no_grad()
def _average(averaged: Mapping[str, Tensor], network: DamageUnet, step: int) -> None:
    """A moving average of weights and statistics, short at the beginning."""
    share = 1.0 - min(_DECAY, (step + 1.0) / (step + 10.0))
    own = [value if value.is_floating_point() else value.float() for value in network.state_dict().values()]
    torch._foreach_lerp_(list(averaged.values()), own, share)  # as torch's own averages of weights do


def _half(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights in fp16; the counter of batches, which nothing reads, as it is."""
    return {
        name: (value.half() if value.is_floating_point() else value).cpu().contiguous() for name, value in state.items()
    }


@torch.no_grad()
def validate(
    network: DamageUnet, checks: list[Check], device: torch.device, end: float
) -> dict[str, dict[str, list[float]]]:
    """Precision and recall by kind, printed and given back as [threshold, precision, recall].

    Pixels with a mask whose change cannot be seen count neither way in `visible`; in `every` they are truth.

    Args:
        network: in eval mode.
        checks: scenes.
        device: the network's.
        end: of the time for it, on the monotonic clock; scenes that are left then are not looked at.
    """
    views = ("visible", "visible, 1 px", "every")
    curves = {kind: {view: Curve() for view in views} for kind in KINDS}
    looked = 0
    for made in checks:
        if time.monotonic() > end:
            break
        looked += 1
        values = torch.sigmoid(network(framed(made.image).to(device)).float())[0].cpu().numpy()
        border = reach()
        height, width = made.image.shape[:2]
        for kind, plane, truth in zip(KINDS, values, made.truth, strict=True):
            seen = np.ascontiguousarray(plane[border : border + height, border : border + width])
            curves[kind]["visible"].add(seen, truth == 2, truth == 1)
            curves[kind]["visible, 1 px"].add(seen, truth == 2, truth == 1, tolerance=1)
            curves[kind]["every"].add(seen, truth > 0)
    _say(f"{looked} validation scenes; recall at a precision of 0.8, and the best F1")
    for kind, by_view in curves.items():
        for view, curve in by_view.items():
            point, best = curve.at_precision(0.8), curve.best()
            _say(
                f"{kind:8} {view:14} at {point.threshold:.2f}: precision {point.precision:.3f} recall "
                f"{point.recall:.3f}; best at {best.threshold:.2f}: {best.precision:.3f} {best.recall:.3f}"
            )
    return {
        kind: {view: [*vars(curve.at_precision(0.8)).values()] for view, curve in by_view.items()}
        for kind, by_view in curves.items()
    }


def framed(image: NDArray[np.uint8]) -> Tensor:
    """A picture as the network takes it: (1, 4, H', W') with a border of its reach, up to the coarsest grid."""
    height, width = image.shape[:2]
    border = reach()
    rows, columns = (-(-extent // 16) * 16 + 2 * border for extent in (height, width))
    planes = torch.zeros((1, 4, rows, columns))
    inside = planes[0, :, border : border + height, border : border + width]
    inside[:3] = torch.from_numpy(image.transpose(2, 0, 1) / np.float32(127.5) - np.float32(1.0))
    inside[3] = 1.0
    return planes


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
