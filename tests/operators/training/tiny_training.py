"""The smallest training there is: a network of a few hundred weights that takes noise off pictures of 8 px."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from operators.training.average import Average
from operators.training.contract import At, Tensors
from operators.training.loop import Row
from operators.training.player import Player

SIDE = 8


class TinySamples:
    """Pairs, by number; also a mask and a vector, so that every kind of array is there."""

    count = 5

    def batch(self, numbers: Sequence[int]) -> dict[str, NDArray[Any]]:
        made = [self._one(number) for number in numbers]
        return {name: np.stack([one[name] for one in made]) for name in made[0]}

    @staticmethod
    def _one(number: int) -> dict[str, NDArray[Any]]:
        generator = np.random.default_rng(number)
        truth = generator.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        noise = generator.integers(-30, 31, truth.shape)
        return {
            "degraded": np.clip(truth + noise, 0, 255).astype(np.uint8),
            "truth": truth,
            "mask": generator.integers(0, 2, (SIDE, SIDE), dtype=np.uint8),
            "attributes": np.array([number, number / 3], np.float32),
        }


class TinySchedule:
    """One network, one term, a running mean; every second step has a term of its own, and noise is drawn."""

    names = frozenset({"degraded", "truth"})
    watched = "content"

    def __init__(self, rate: float = 1e-2, seed: int = 0) -> None:
        torch.manual_seed(seed)
        self._network = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(6, 3, 3, padding=1))
        self._average = Average(self._network, 20.0)
        self._player = Player([(self._network, 1.0)], rate, (0.9, 0.99))
        self.seen: list[tuple[int, list[int]]] = []
        self.drawn: list[tuple[int, float]] = []
        self.poisoned: set[int] = set()
        self.wrong_terms: set[int] = set()

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        return {"generator": self._network, "average": self._average.module}

    def phase(self, step: int) -> str:
        return ""

    def step(self, at: At, batch: Tensors) -> dict[str, Tensor]:
        degraded, truth = batch["degraded"], batch["truth"]
        self.seen.append((at.step, truth[:, 0, 0, 0].add(1).mul(127.5).round().int().tolist()))
        noise = at.draws.normal("noise", len(degraded), *degraded.shape[1:], like=degraded)
        self.drawn.append((at.step, float(noise[0, 0, 0, 0])))
        content = (self._network(degraded + 0.01 * noise) - truth).abs().mean()
        self._player.improve(content)
        self._average.update(self._network)
        if at.step in self.poisoned:
            self.poisoned.discard(at.step)
            with torch.no_grad():
                next(self._network.parameters()).fill_(float("nan"))
        terms = {"content": content.detach()}
        if at.step in self.wrong_terms:
            self.wrong_terms.discard(at.step)
            terms["content"] = terms["content"] * float("inf")
        return terms | ({"penalty": content.detach() ** 2} if at.step % 2 else {})

    def state(self) -> dict[str, Any]:
        return {"player": self._player.state(), "mean_steps": self._average._steps}

    def resume(self, state: Mapping[str, Any]) -> None:
        self._player.resume(state["player"])
        self._average._steps = state["mean_steps"]

    def slower(self, factor: float) -> None:
        self._player.slower(factor)

    def shown(self, batch: Tensors) -> dict[str, Tensor]:
        with torch.no_grad():
            return {"degraded": batch["degraded"], "made": self._network(batch["degraded"]), "truth": batch["truth"]}

    def exports(self) -> Mapping[str, nn.Module]:
        return {"generator": self._average.module}

    @property
    def rate(self) -> float:
        return float(self._player.optimiser.param_groups[0]["lr"])


class Killed(BaseException):
    """What a test ends a training with at a moment of its choice."""


class MemoryHooks:
    """Keeps checkpoints in memory as storage would: what is newer than the one that was taken up is gone."""

    def __init__(self) -> None:
        self.kept: dict[int, tuple[Mapping[str, bytes], tuple[Row, ...], bool]] = {}
        self.shown: list[int] = []
        self.told: list[tuple[int, Row | None]] = []
        self.stop_after: int | None = None
        self.kill_after: int | None = None

    def newest(self, *, sound: bool) -> Mapping[str, bytes] | None:
        wanted = [done for done, (_, _, kept_sound) in self.kept.items() if kept_sound or not sound]
        if not wanted:
            return None
        self.kept = {done: kept for done, kept in self.kept.items() if done <= max(wanted)}
        return self.kept[max(wanted)][0]

    def keep(self, done: int, files: Mapping[str, bytes], rows: Sequence[Row], *, sound: bool) -> None:
        self.kept[done] = (files, tuple(rows), sound)

    def show(self, done: int) -> None:
        self.shown.append(done)

    def tell(self, done: int, row: Row | None) -> None:
        self.told.append((done, row))
        if done == self.kill_after:
            self.kill_after = None
            raise Killed

    def stopping(self) -> bool:
        return bool(self.told) and self.told[-1][0] == self.stop_after

    @property
    def curve(self) -> list[Row]:
        return [row for done in sorted(self.kept) for row in self.kept[done][1]]
