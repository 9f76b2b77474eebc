"""Killing a command's processes at random, with signal 9."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import psutil

KINDS: Mapping[str, str] = {
    "driver": "the command itself",
    "raylet": "Ray's own process on the machine, which takes all workers with it",
    "actor": "a Ray actor, which watches a worker's process",
    "worker": "the process that touches images",
}


@dataclass
class Killer:
    """Kills something of the command's every few seconds with signal 9, as long as kills are left."""

    seed: int
    left: int
    every: float
    done: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)

    def strike(self, command: int) -> None:
        """One kill, of a kind that is drawn first, so that rare processes have their turn."""
        targets = self._targets(command)
        kinds = sorted(kind for kind, processes in targets.items() if processes)
        if "worker" not in kinds:
            return  # it is still starting: killed then, nothing would ever be under way
        # The driver and the raylet end everything: weighted less, since workers are what dies most on clusters.
        kind = self._dice.choices(kinds, [1 if kind in ("driver", "raylet") else 3 for kind in kinds])[0]
        victim = self._dice.choice(targets[kind])
        with suppress(psutil.NoSuchProcess):
            victim.kill()
            self.done[kind] += 1
            self.left -= 1

    def pause(self) -> float:
        """Seconds until the next one."""
        return self._dice.uniform(0.3, 1.7) * self.every

    @staticmethod
    def _targets(command: int) -> dict[str, list[psutil.Process]]:
        found: dict[str, list[psutil.Process]] = {kind: [] for kind in KINDS}
        with suppress(psutil.Error):
            driver = psutil.Process(command)
            found["driver"].append(driver)
            for process in driver.children(recursive=True):
                with suppress(psutil.Error):
                    line = " ".join(process.cmdline())
                    if "pipeline.watched.child" in line:
                        found["worker"].append(process)
                    elif line.startswith("ray::") and "Map" in line:
                        found["actor"].append(process)
                    elif "raylet/raylet" in line or process.name() == "raylet":
                        found["raylet"].append(process)
        return found


@contextmanager
def killing(killer: Killer | None, command: int) -> Iterator[None]:
    """Strike at a command while the block runs."""
    if killer is None:
        yield
        return
    over = threading.Event()

    def strikes() -> None:
        while killer.left > 0 and not over.wait(killer.pause()):
            killer.strike(command)

    thread = threading.Thread(target=strikes, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
