"""What whole pictures cost: seconds per megapixel of the source for each network, and of the tiling alone."""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
import torch

from operators import networks
from operators.whole.networks import whole_network
from operators.whole.options import tiling
from operators.whole.tiled import tiled
from operators.whole.windows import Tiling

NETWORKS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("Real-ESRGAN x4", "rrdb", {}),
    ("Real-ESRGAN x2", "rrdb", {"unshuffle": 2}),
    ("SRResNet x4 (BasicSR)", "msrresnet", {}),
    ("SRResNet x4 (SRGAN)", "srresnet", {}),
    ("pix2pix U-Net 256", "pix2pix", {}),
    ("CycleGAN, 9 blocks", "cyclegan", {}),
    ("transformation network", "transform", {}),
)
SIDE = {"rrdb": 48, "srresnet": 64, "msrresnet": 64}
"""Pixels of the square that is run, 256 unless it is said; small, as one megapixel of the slowest takes minutes."""
TILING_MEGAPIXELS = 16


def seconds_per_megapixel(architecture: str, arguments: dict[str, Any]) -> float:
    """The better of two runs, with made-up weights, in torch and fp32, one window at a time."""
    side = SIDE.get(architecture, 256)
    with torch.random.fork_rng(), torch.inference_mode(False), torch.no_grad():
        torch.manual_seed(0)
        module = networks.inference_form(networks.build(architecture, arguments))
        picture = torch.rand(1, 3, side, side).contiguous(memory_format=torch.channels_last)
        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        times = []
        for _ in range(2):
            start = time.perf_counter()
            module(picture)
            times.append(time.perf_counter() - start)
    return min(times) / (side * side / 1e6)


def overhead(scale: int) -> float:
    """Seconds per megapixel for reading, converting and writing 16-bit windows, with no network between."""
    side = round((TILING_MEGAPIXELS * 1e6) ** 0.5 / scale)
    source = np.zeros((side, side, 3), np.uint16)
    target = np.zeros((side * scale, side * scale, 3), np.uint16)
    start = time.perf_counter()
    tiled(lambda windows: windows.repeat(scale, 1).repeat(scale, 2), source, target, Tiling(512, 32, scale))
    return (time.perf_counter() - start) / (side * side / 1e6)


def main() -> None:
    """Print a row for each network: per megapixel run, and with the overlap and passes of a large picture."""
    threads = torch.get_num_threads()
    sys.stdout.write(f"whole pictures, torch in fp32 on the CPU, {threads} threads; megapixels are the source's\n")
    sys.stdout.write("  network                   scale  reach  tile  overlap   s/megapixel   tiled\n")
    for title, architecture, arguments in NETWORKS:
        with torch.device("meta"):
            recognised = networks.recognise(networks.build(architecture, arguments).state_dict())
        about = whole_network(architecture, recognised.arguments)
        geometry = tiling(about)
        seconds = seconds_per_megapixel(architecture, arguments)
        kept = ((geometry.tile - 2 * geometry.margin) / geometry.tile) ** 2
        passes = 1.0 if about.reach is not None else (layers(architecture, arguments) + 2) / 2
        reach = "all" if about.reach is None else str(about.reach)
        sys.stdout.write(
            f"  {title:24}  {about.scale:5}  {reach:>5}  {geometry.tile:4}  {geometry.margin:7}  {seconds:12.1f}"
            f"  {seconds * passes / kept:6.0f}\n"
        )
    for scale in (1, 4):
        sys.stdout.write(f"  tiling alone, 16 bits, scale {scale}: {overhead(scale):.2f} s/megapixel\n")


def layers(architecture: str, arguments: dict[str, Any]) -> int:
    """Normalisations by the whole picture."""
    with torch.device("meta"):
        module = networks.build(architecture, arguments)
    return sum(isinstance(part, torch.nn.InstanceNorm2d) for part in module.modules())


if __name__ == "__main__":
    main()
