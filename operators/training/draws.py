"""What is drawn in a step: the same for every number of workers and after every resumption."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor


class Draws:
    """Random numbers by name; nothing is remembered between steps, so that there is no state to keep.

    Args:
        seed: of the training.
        step: number of the step.
        rank: of this worker.
        world: how many there are.
    """

    def __init__(self, seed: int, step: int, rank: int = 0, world: int = 1) -> None:
        self._seed = seed
        self._step = step
        self._rank = rank
        self._world = world

    def generator(self, name: str) -> torch.Generator:
        """A generator on the CPU, the same in all workers."""
        digest = hashlib.sha256(f"{self._seed} {self._step} {name}".encode()).digest()
        return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)

    def normal(self, name: str, count: int, *shape: int, like: Tensor) -> Tensor:
        """Standard normal numbers for the samples of this worker.

        Args:
            name: what they are for; another name gives other numbers.
            count: samples of this worker; all workers have as many.
            shape: of one sample's.
            like: a tensor on the device they go to.

        Returns:
            (count, *shape) float32: every `world`-th of those that are drawn for all workers together.
        """
        drawn = torch.randn(count * self._world, *shape, generator=self.generator(name))
        return drawn[self._rank :: self._world].to(like.device)

    def uniform(self, name: str, count: int, *shape: int, like: Tensor) -> Tensor:
        """Numbers from 0 to 1, as `normal`."""
        drawn = torch.rand(count * self._world, *shape, generator=self.generator(name))
        return drawn[self._rank :: self._world].to(like.device)
