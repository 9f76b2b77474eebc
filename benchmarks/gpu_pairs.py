"""Pairs a second, by the CPU path on one core and batched on a device: `python -m benchmarks.gpu_pairs`.

Both make the same pairs from the same drawn steps. Exit codes: 0 measured, 2 no such device.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from operators.degradations.applying import Pair, apply, to_8bit
from operators.degradations.batched.applying import apply_batch, apply_to_tensors
from operators.degradations.contract import Image
from operators.degradations.drawing import draw
from operators.degradations.record import DrawnStep
from operators.degradations.shipped import shipped

RECIPES = (
    *("gfpgan", "gpen", "codeformer-ii", "codeformer-iii", "vqfr", "restoreformer++", "old-photo", "real-esrgan"),
)
EQUAL = 100.0
"""PSNR that stands for images without a difference."""


@dataclass(frozen=True)
class Row:
    """What was measured of a recipe.

    Attributes:
        recipe: its name.
        cpu: pairs a second of the CPU path, one thread.
        batched: pairs a second of the batched path, in the memory of the host at the end.
        kept: the same where pairs stay on the device.
        least_psnr: the smallest PSNR between both, 8-bit images, dB; 100 for none.
    """

    recipe: str
    cpu: float
    batched: float
    kept: float
    least_psnr: float


def main() -> int:
    """Measure each recipe, print a table, and write it as JSON where asked for.

    Returns:
        Exit code.
    """
    given = _arguments().parse_args()
    if not given.device.startswith("cpu") and not torch.cuda.is_available():
        sys.stderr.write("torch finds no CUDA device; --device cpu --tiny tries the script itself out\n")
        return 2
    cv2.setNumThreads(1)
    torch.set_num_threads(given.threads)
    side, batch, seconds = (64, 4, 0.0) if given.tiny else (given.side, given.batch, given.seconds)
    device = torch.device(given.device)
    sys.stdout.write(_about(device, side, batch, given.threads))
    rows = []
    for recipe in given.recipes:
        rows.append(_measured(recipe, device, side, batch, seconds))
        sys.stdout.write(_line(rows[-1]))
        sys.stdout.flush()
    if given.out is not None:
        given.out.write_text(json.dumps({"device": _name(device), "rows": [asdict(row) for row in rows]}, indent=1))
    return 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_pairs", description=__doc__)
    parser.add_argument("--device", default="cuda", help="cuda, cuda:N or cpu [%(default)s]")
    parser.add_argument("--tiny", action="store_true", help="tiny images: tries the script out, measures nothing")
    parser.add_argument("--recipes", nargs="+", default=RECIPES, choices=RECIPES, metavar="RECIPE", help="[all]")
    parser.add_argument("--side", type=int, default=512, help="of the images, pixels [%(default)s]")
    parser.add_argument("--batch", type=int, default=64, help="pairs [%(default)s]")
    parser.add_argument("--seconds", type=float, default=3.0, help="for each figure, at least [%(default)s]")
    parser.add_argument("--threads", type=int, default=1, help="of torch, on a CPU [%(default)s]")
    parser.add_argument("--out", type=Path, help="JSON file for the figures")
    return parser


def _measured(name: str, device: torch.device, side: int, batch: int, seconds: float) -> Row:
    recipe = shipped(name)
    images = [_picture(side, number) for number in range(batch)]
    steps = [draw(recipe, 1, f"picture {number}", 0) for number in range(batch)]
    reference = [apply(image, own) for image, own in zip(images, steps, strict=True)]
    found = apply_batch(images, steps, device)
    return Row(
        recipe=name,
        cpu=batch / _seconds(lambda: _by_reference(images, steps), seconds),
        batched=batch / _seconds(lambda: apply_batch(images, steps, device), seconds),
        kept=batch / _seconds(lambda: _kept(images, steps, device), seconds),
        least_psnr=min(_psnr(first, second) for first, second in zip(reference, found, strict=True)),
    )


def _picture(side: int, number: int) -> Image:
    """Smooth shapes, edges and texture."""
    random = np.random.default_rng(number)
    coarse = random.random((max(2, side // 32), max(2, side // 32), 3), dtype=np.float32)
    picture = np.asarray(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC), dtype=np.float32)
    cv2.circle(picture, (side // 2, side // 2), side // 4, (0.9, 0.5, 0.3), -1)
    picture += 0.03 * random.standard_normal(picture.shape, dtype=np.float32)
    return np.clip(picture, np.float32(0.0), np.float32(1.0))


def _by_reference(images: Sequence[Image], steps: Sequence[Sequence[DrawnStep]]) -> None:
    for image, own in zip(images, steps, strict=True):
        apply(image, own)


def _kept(images: Sequence[Image], steps: Sequence[Sequence[DrawnStep]], device: torch.device) -> None:
    apply_to_tensors(images, steps, device)
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _seconds(work: Callable[[], object], least: float) -> float:
    """Median time of a call; everything was called once before."""
    times: list[float] = []
    while not times or sum(times) < least:
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def _psnr(first: Pair, second: Pair) -> float:
    apart = np.mean((to_8bit(first.image).astype(np.float64) - to_8bit(second.image)) ** 2)
    return EQUAL if apart == 0 else float(10.0 * np.log10(255.0**2 / apart))


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"


def _about(device: torch.device, side: int, batch: int, threads: int) -> str:
    versions = f"torch {torch.__version__}, OpenCV {cv2.__version__}, NumPy {np.__version__}"
    about = f"{_name(device)}, {threads} thread(s) of torch; {batch} pairs of {side} x {side} at once; {versions}"
    head = "| recipe | CPU path, one core: pairs/s | batched: pairs/s | kept on the device: pairs/s | least PSNR |"
    return f"{about}\n\n{head}\n|---|---|---|---|---|\n"


def _line(row: Row) -> str:
    psnr = "equal" if row.least_psnr == EQUAL else f"{row.least_psnr:.1f} dB"
    return f"| {row.recipe} | {row.cpu:.1f} | {row.batched:.1f} | {row.kept:.1f} | {psnr} |\n"


if __name__ == "__main__":
    sys.exit(main())
