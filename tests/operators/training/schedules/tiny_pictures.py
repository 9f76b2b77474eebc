"""Pictures with sharp edges to train tiny networks on, by number."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from operators.training.contract import Schedule
from tests.operators.training.schedules.tiny_faces import at

SIDE = 32


def shapes(numbers: range, side: int = SIDE) -> Tensor:
    """Discs, triangles and lines in plain colours: (N, 3, side, side) in [-1, 1]."""
    made = np.stack([_picture(np.random.default_rng(number), side) for number in numbers])
    return torch.from_numpy(made).permute(0, 3, 1, 2).float() / 127.5 - 1


def _picture(generator: np.random.Generator, side: int) -> NDArray[np.uint8]:
    large = np.full((4 * side, 4 * side, 3), generator.integers(0, 256, 3), np.uint8)
    for _ in range(6):
        colour = tuple(int(one) for one in generator.integers(0, 256, 3))
        points = generator.integers(0, 4 * side, (3, 2)).tolist()
        match int(generator.integers(3)):
            case 0:
                cv2.circle(large, points[0], int(generator.integers(10, 50)), colour, -1)
            case 1:
                cv2.fillPoly(large, [np.array(points)], colour)
            case _:
                cv2.line(large, points[0], points[1], colour, int(generator.integers(4, 14)))
    return np.asarray(cv2.resize(large, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def trained(
    schedule: Schedule, steps: int, samples: int, batch: Callable[[range], Mapping[str, Tensor]], first: int = 0
) -> list[dict[str, float]]:
    """Rows of a training on ever new pictures, from step `first` to before `steps`."""
    rows = []
    for step in range(first, steps):
        terms = schedule.step(at(step, samples), batch(range(step * samples, (step + 1) * samples)))
        rows.append({name: float(value) for name, value in terms.items()})
    return rows


def moments(schedule: Schedule, player: str) -> Tensor:
    """Adam's first moments of all parameters: what the gradients were, in proportion."""
    found = schedule.state()[player]["optimiser"]["state"].values()
    return torch.cat([one["exp_avg"].reshape(-1) for one in found])


HELD_OUT = range(1_000_000, 1_000_016)
