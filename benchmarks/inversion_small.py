"""Inversions against small PGGANs with random weights: `python -m benchmarks.inversion_small`, minutes on one core.

First table: pictures that the prior made from other codes than those that a search begins with, 4 networks of 16 pixels
with 32 pictures each. Second table: two pictures of another network of 32 pixels, by number of codes and layer.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from torch import Tensor

from operators.inversion.beginning import first
from operators.inversion.objective import Objective, Observation
from operators.inversion.options import SearchOptions
from operators.inversion.priors.pggan import PgganPrior
from operators.inversion.search import search
from operators.inversion.stepping import Stepper
from operators.networks.pggan.network import Pggan

ITERATIONS = 300


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("known", "other"), help="one of the tables")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.only != "other":
        _known()
    if asked.only != "known":
        _other()


def _known() -> None:
    print("| prior | rate | starts | trial | least dB | median dB | below 30 dB |\n|---|---|---|---|---|---|---|")
    for rate, starts in ((0.05, 16), (0.1, 1), (0.1, 16), (0.1, 64), (0.2, 16), (0.2, 64)):
        options = SearchOptions(importance="full", iterations=ITERATIONS, learning_rate=rate, starts=starts, trial=0)
        _say("z 32, 32 channels", options, [_reached(_prior(seed, 16, 32), options, 32) for seed in range(4)])
    for trial in (0, 30):
        options = SearchOptions(importance="full", iterations=ITERATIONS, trial=trial)
        _say("z 64, 16 channels", options, [_reached(_narrow(seed), options, 6) for seed in (13, 14)])


def _say(name: str, options: SearchOptions, reached: list[np.ndarray]) -> None:
    values = np.concatenate(reached)
    print(
        f"| {name} | {options.learning_rate:g} | {options.starts} | {options.trial} | {values.min():.1f} | "
        f"{np.median(values):.1f} | {(values < 30).sum()} of {len(values)} |",
        flush=True,
    )


def _narrow(seed: int) -> PgganPrior:
    """One whose codes are much wider than its maps, so that many valleys lie between."""
    torch.manual_seed(seed)
    network = Pggan(16, z_space_dim=64, fmaps_base=256, fmaps_max=16)
    return PgganPrior(network.eval().requires_grad_(False))


def _other() -> None:
    prior, maker = _prior(0, 32, 64), _prior(1, 32, 64)
    with torch.no_grad():
        target = maker.generate(maker.start(2, "z", torch.Generator().manual_seed(9)), "z").clamp(-1.0, 1.0)
    print("| codes | layer | resolution | PSNR dB |\n|---|---|---|---|")
    one = SearchOptions(importance="full", iterations=ITERATIONS, learning_rate=0.1)
    print(f"| 1 | | | {_found(prior, target, one).mean():.2f} |", flush=True)
    for codes in (10, 20):
        for layer in (2, 4, 6):
            options = SearchOptions(codes=codes, layer=layer, iterations=ITERATIONS, learning_rate=0.1)
            reached = _found(prior, target, options).mean()
            print(f"| {codes} | {layer} | {prior.places[layer - 1].resolution} | {reached:.2f} |", flush=True)


def _prior(seed: int, side: int, width: int) -> PgganPrior:
    torch.manual_seed(seed)
    network = Pggan(side, z_space_dim=width, fmaps_base=side * (16 if side == 16 else 32), fmaps_max=width)
    return PgganPrior(network.eval().requires_grad_(False))


def _reached(prior: PgganPrior, options: SearchOptions, count: int) -> np.ndarray:
    with torch.no_grad():
        target = prior.generate(prior.start(count, "z", torch.Generator().manual_seed(20)), "z")
    return _found(prior, target, options)


def _objective(target: Tensor) -> Objective:
    return Objective(Observation((), target.shape[-1], None, target.new_zeros(())), target)


def _found(prior: PgganPrior, target: Tensor, options: SearchOptions) -> np.ndarray:
    goal = _objective(target)
    states = [first(prior, options, 100 + place, _objective(one[None])) for place, one in enumerate(target)]
    made = search(prior, goal, states, options)
    return goal.psnr(Stepper(prior, goal, made.states, options, compiled=False).pictures()).numpy()


if __name__ == "__main__":
    main()
