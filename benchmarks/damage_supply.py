"""Processes that make training crops and validation scenes of damaged photographs without end."""

from __future__ import annotations

import itertools
import math
import multiprocessing
import queue
from collections.abc import Sequence
from dataclasses import dataclass, replace
from multiprocessing.queues import Queue as ProcessQueue
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.damage_pairs import Scene, drawn, learnt, likelier, read_square, scene, sized, visible
from operators.damage.kinds import KINDS
from operators.degradations.contract import Generator, Image
from operators.degradations.record import DrawnStep
from operators.degradations.shipped import shipped

RECIPES = {
    "archival-print": 0.42,
    "archival-negative": 0.16,
    "archival-colour": 0.12,
    "archival-postcard": 0.08,
    "archival-newspaper": 0.06,
    "scratch-repair": 0.16,
}
"""Recipes and their shares."""

OFTEN = {"scratches": 0.85, "tear": 0.45, "missing-corner": 0.4, "cracks": 0.3, "fold": 0.25}
"""How often training takes what recipes take seldom."""
STAMPS = 0.35

SIDES = (384, 1024)
VALIDATION_SIDES = (512, 640, 768)


@dataclass(frozen=True)
class Crops:
    """Training crops of one scene.

    Attributes:
        inputs: (N, 4, C, C) uint8: the picture, and 255 inside it; all 0 outside.
        targets: (N, kinds, C, C) uint8: 255 where damage is plain.
    """

    inputs: NDArray[np.uint8]
    targets: NDArray[np.uint8]


@dataclass(frozen=True)
class Check:
    """A validation scene.

    Attributes:
        image: (H, W, 3) uint8.
        truth: (kinds, H, W) uint8: 0 no mask, 1 a mask that cannot be seen, 2 visible.
    """

    image: NDArray[np.uint8]
    truth: NDArray[np.uint8]


@dataclass(frozen=True)
class Plan:
    """What the processes make.

    Attributes:
        training: folder of photographs to train on.
        validation: folder of others.
        crop: side of a crop.
        checks: validation scenes in all.
        seed: of everything drawn.
        workers: processes.
    """

    training: Path
    validation: Path
    crop: int
    checks: int
    seed: int
    workers: int


class Supply:
    """The processes, and the queue that they fill.

    Args:
        plan: what they make.

    Attributes:
        running: it was not closed.
    """

    def __init__(self, plan: Plan) -> None:
        # Forked before a GPU is touched: new interpreters would each import torch first, which takes seconds.
        context = multiprocessing.get_context("fork")
        self._queue: ProcessQueue[Crops | Check] = context.Queue(maxsize=4 * plan.workers)
        self._processes = [
            context.Process(target=_work, args=(plan, number, self._queue), daemon=True)
            for number in range(plan.workers)
        ]
        for process in self._processes:
            process.start()
        self.running = True

    def take(self, wait: float) -> Crops | Check | None:
        """The next thing made; None where there is none within so many seconds.

        Raises:
            RuntimeError: all processes have ended, which they do only on an error.
        """
        try:
            return self._queue.get(timeout=wait) if wait > 0.0 else self._queue.get_nowait()
        except queue.Empty:
            if not any(process.is_alive() for process in self._processes):
                raise RuntimeError("no process makes pairs any more; the first error is above") from None
            return None

    def close(self) -> None:
        """End the processes."""
        self.running = False
        for process in self._processes:
            process.terminate()
        self._queue.cancel_join_thread()


def _work(plan: Plan, number: int, out: ProcessQueue[Crops | Check]) -> None:
    cv2.setNumThreads(1)
    _lower_threads()
    held = sorted(plan.validation.iterdir())
    checks = iter(range(number, plan.checks, plan.workers))
    pictures = sorted(plan.training.iterdir())
    generator = np.random.default_rng([plan.seed, number])
    for made in itertools.count(1):
        path = pictures[int(generator.integers(len(pictures)))]
        out.put(crops(path, generator, plan.crop))
        # Training waits for crops and validation for nothing: one scene for it among eight for training.
        index = next(checks, None) if made % 8 == 0 else None
        if index is not None:
            out.put(check(held[index % len(held)], index, plan.seed))


def _lower_threads() -> None:
    try:
        import threadpoolctl  # noqa: PLC0415 - not everywhere installed, and only a matter of speed
    except ImportError:
        return
    threadpoolctl.threadpool_limits(1)


def check(path: Path, index: int, seed: int) -> Check:
    """A validation scene: recipes in turn, parameters as they are written, what is rare made likely."""
    names = [name for name in RECIPES if name != "archival-newspaper"]
    side = VALIDATION_SIDES[index % len(VALIDATION_SIDES)]
    recipe = likelier(shipped(names[index % len(names)]), OFTEN)
    steps = drawn(recipe, seed + 1, f"check/{path.name}", index, stamps=STAMPS)
    made = scene(read_square(path, side), steps)
    truth = np.zeros((len(KINDS), side, side), dtype=np.uint8)
    for place, kind in enumerate(KINDS):
        if kind in made.masks:
            truth[place] = np.where(visible(made, kind), 2, made.masks[kind] > 0.0)
    return Check(made.image, truth)


def crops(path: Path, generator: Generator, crop: int) -> Crops:
    """Crops of a newly damaged photograph."""
    image = _framed(path, generator)
    recipe = likelier(shipped(str(generator.choice(list(RECIPES), p=list(RECIPES.values())))), OFTEN)
    variant = int(generator.integers(1 << 30))
    steps = _stronger(drawn(recipe, variant, path.name, 0, stamps=STAMPS), generator)
    made = scene(image, steps)
    count = max(2, round(0.7 * (image.shape[0] / crop) ** 2))
    return _cut(made, generator, crop, count)


def _framed(path: Path, generator: Generator) -> Image:
    """A square part of a photograph at a drawn size, enlarged by half at most."""
    whole = read_square(path, 0)
    extent = whole.shape[0]
    part = round(extent * generator.uniform(0.55, 1.0))
    top, left = (int(generator.integers(extent - part + 1)) for _ in range(2))
    least, most = SIDES[0], min(SIDES[1], 1.5 * part)
    side = round(math.exp(generator.uniform(math.log(least), math.log(max(least, most)))))
    return sized(whole[top : top + part, left : left + part], side)


def _stronger(steps: Sequence[DrawnStep], generator: Generator) -> tuple[DrawnStep, ...]:
    """Half of the scratches as drawn, half more and plainer ones: few of those drawn can be seen at small sizes."""
    return tuple(
        replace(step, parameters=_plainer(step.parameters, generator))
        if step.use == "scratches" and generator.random() < 0.5
        else step
        for step in steps
    )


def _plainer(parameters: Any, generator: Generator) -> dict[str, Any]:
    return {
        **parameters,
        "count": min(400, round(parameters["count"] * generator.uniform(1.0, 3.0))),
        "opacity": min(1.0, parameters["opacity"] * generator.uniform(1.0, 1.6)),
        "width": min(8.0, parameters["width"] * generator.uniform(1.0, 2.0)),
    }


def _cut(made: Scene, generator: Generator, crop: int, count: int) -> Crops:
    """Crops, of which a third may reach over the picture's border; of two places the more damaged one."""
    side = made.image.shape[0]
    margin = crop // 3
    planes = np.zeros((4 + len(KINDS), side + 2 * margin, side + 2 * margin), dtype=np.uint8)
    inside = planes[:, margin : margin + side, margin : margin + side]
    inside[:3] = made.image.transpose(2, 0, 1)
    inside[3] = 255
    inside[4:] = learnt(made)
    pieces = []
    for _ in range(count):
        out = margin if generator.random() < 0.35 else 0
        options = [_piece(planes, generator, crop, margin, out) for _ in range(2)]
        pieces.append(max(options, key=lambda piece: int(np.count_nonzero(piece[4:] > 127))))
    stacked = np.stack(pieces)
    return Crops(stacked[:, :4].copy(), stacked[:, 4:].copy())


def _piece(planes: NDArray[np.uint8], generator: Generator, crop: int, margin: int, out: int) -> NDArray[np.uint8]:
    side = planes.shape[1] - 2 * margin
    top, left = (int(generator.integers(margin - out, margin + side - crop + out + 1)) for _ in range(2))
    return planes[:, top : top + crop, left : left + crop]
