"""What networks make of samples that they were not trained on: a sheet for people, and measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from jobs.train.artefacts.facts import HeldOut
from jobs.train.artefacts.grid import sheet
from jobs.train.artefacts.held_out import MADE, measured
from operators.evaluation import Measures
from operators.training.contract import Hardware, Samples, Schedule, picture_array, share_of
from operators.training.feeding import tensors

UNSEEN = 2**50
"""Numbers of samples from here on are looked at where nothing is held out; a training comes nowhere near them."""

BEST = (("perceptual", -1.0), ("lpips", -1.0), ("psnr", 1.0))
"""What makes a checkpoint the best one, the first that there is; each with the sign that makes more better."""

Pictures = Mapping[str, NDArray[np.uint8]]


@dataclass(frozen=True)
class Looked:
    """What was seen.

    Attributes:
        png: the sheet; None where a schedule shows nothing.
        held_out: measures; None where nothing is held out, or nothing is made that could be measured.
    """

    png: bytes | None
    held_out: HeldOut | None

    @property
    def goodness(self) -> float | None:
        """More is better; None where nothing was measured."""
        made = self.held_out.made if self.held_out is not None else {}
        for name, sign in BEST:
            if name in made and (mean := made[name].mean) is not None:
                return sign * mean
        return None


class Looker:
    """Looks at the same samples every time.

    Args:
        samples: that the training sees.
        held_out: that it does not; None where there are none.
        shown: samples of a sheet.
        most: held-out samples that are measured, at most.
        batch: samples that go through networks at once.
        hardware: that they are on.
        template: alignment of the faces; None where nothing is known of one.
    """

    def __init__(
        self,
        samples: Samples,
        held_out: Samples | None,
        shown: int,
        most: int,
        batch: int,
        hardware: Hardware,
        template: str | None = None,
    ) -> None:
        self._samples = samples
        self._held_out = held_out
        self._shown = shown
        self._most = most
        self._batch = batch
        self._hardware = hardware
        self._template = template

    @cached_property
    def _measures(self) -> Measures:
        measures = Measures(template=self._template) if self._template is not None else Measures()
        measures.setup()
        return measures

    def look(self, done: int, schedule: Schedule) -> Looked:
        """Look at what the networks make after so many steps."""
        if self._held_out is None:
            pictures = self._pictures(schedule, self._samples, range(UNSEEN, UNSEEN + self._shown))
            return Looked(_sheet(pictures, self._shown), None)
        count = min(self._held_out.count, max(self._most, self._shown))
        pictures = self._pictures(schedule, self._held_out, range(count))
        wanted = {name: one[: self._most] for name, one in pictures.items()}
        held_out = measured(done, wanted, self._measures) if MADE in wanted else None
        return Looked(_sheet(pictures, self._shown), held_out)

    def _pictures(self, schedule: Schedule, samples: Samples, numbers: Sequence[int]) -> Pictures:
        parts: list[Pictures] = []
        for start in range(0, len(numbers), self._batch):
            batch = samples.batch(share_of(numbers[start : start + self._batch], 0, 1))
            shown = schedule.shown(tensors(batch, self._hardware))
            parts.append({name: np.stack([picture_array(one) for one in made]) for name, made in shown.items()})
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _sheet(pictures: Pictures, count: int) -> bytes | None:
    return sheet({name: one[:count] for name, one in pictures.items()}) if pictures else None
