"""The loop of every training: batches by number, steps, rows of the curve, checkpoints, and what goes wrong.

It knows nothing of storage. What a step depends on is in a checkpoint or follows from the step's number, so a training
that was killed at any moment and goes on from its newest checkpoint comes to the same bits as an undisturbed one, with
as many workers and threads.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import torch
from torch import Tensor

from operators.training.contract import Arrays, At, Hardware, Samples, Schedule
from operators.training.crew import Crew
from operators.training.draws import Draws
from operators.training.feeding import tensors
from operators.training.health import Health, Limits, UnhealthyError
from operators.training.packing import TENSORS, TREE, finite, packed, unpacked
from operators.training.player import averaged
from operators.training.together import Together

Row = Mapping[str, Any]
"""Of the curve: `step` and `samples`, how many are done, and the mean of every term over the steps since the last row;
or, with `kind` and `text` instead of terms, something that befell the training."""

OTHERS = 2**40
"""Added to all numbers of samples after a rollback: others than those before."""

SLOWER = 0.5
"""Of the learning rates after a rollback."""


@dataclass(frozen=True)
class Settings:
    """How long a training is and what is kept of it.

    Attributes:
        steps: in all.
        batch: samples of a step over all workers.
        seed: of samples' order and of all that steps draw.
        log_every: steps from one row of the curve to the next.
        checkpoint_every: steps from one checkpoint to the next; there is one at the beginning and at the end as well.
        samples_every: steps from one look at samples to the next; 0 looks at the end only.
        data_workers: processes of this worker that make samples ahead; 0 makes them in between.
        hardware: what it runs on.
        limits: when it is called unhealthy.
    """

    steps: int
    batch: int
    seed: int = 0
    log_every: int = 10
    checkpoint_every: int = 500
    samples_every: int = 0
    data_workers: int = 0
    hardware: Hardware = field(default_factory=Hardware)
    limits: Limits = field(default_factory=Limits)


class Hooks(Protocol):
    """What the loop is used for; all but `stopping` is asked of the first worker alone."""

    def newest(self, *, sound: bool) -> Mapping[str, bytes] | None:
        """Files of the newest checkpoint that is whole, and from now on nothing newer is there; None for none.

        Args:
            sound: only of those that were kept as such.
        """

    def keep(self, done: int, files: Mapping[str, bytes], rows: Sequence[Row], *, sound: bool) -> None:
        """Keep a checkpoint after so many steps, with the rows since the one before it."""

    def show(self, done: int) -> None:
        """Look at what the networks make after so many steps; comes before a checkpoint of the same step."""

    def tell(self, done: int, row: Row | None) -> None:
        """So many steps are done; with the row that was made of the last ones, if one was."""

    def stopping(self) -> bool:
        """Whether the training is to end after this step, to be gone on with another time."""


@dataclass(frozen=True)
class End:
    """How a call of `train` ended.

    Attributes:
        state: `complete` when all steps are done.
        done: steps that are done.
        worked: steps of this call.
        rollbacks: what was wrong each time that the training was rolled back, over all calls.
    """

    state: Literal["complete", "interrupted"]
    done: int
    worked: int
    rollbacks: tuple[str, ...]


def train(schedule: Schedule, samples: Samples, settings: Settings, hooks: Hooks) -> End:
    """Train from the newest checkpoint to the end, or until it is to stop.

    Every worker calls this with the same settings.

    Args:
        schedule: networks and one step, as built from the job's settings.
        samples: by number.
        settings: see there.
        hooks: see there.

    Raises:
        UnhealthyError: something went wrong, and again after it had been rolled back.
        ElsewhereError: in all workers but the first, where that has failed.
    """
    return _Loop(schedule, samples, settings, hooks).run()


class _Loop:
    def __init__(self, schedule: Schedule, samples: Samples, settings: Settings, hooks: Hooks) -> None:
        self._schedule = schedule
        self._samples = samples
        self._settings = settings
        self._hooks = hooks
        self._together = Together()
        self._begin()

    def run(self) -> End:
        """See `train`."""
        if not self._resume(sound=False):
            self._keep()
        worked, settings = 0, self._settings
        while self._done < settings.steps:
            wrong = ""
            with closing(self._batches()) as batches:
                for batch in batches:
                    wrong = self._step(batch)
                    worked += not wrong
                    stop = not wrong and self._together.any(self._hooks.stopping())
                    if wrong or stop or self._done >= settings.steps:
                        break
            if wrong:
                self._roll_back(wrong)
            elif stop and self._done < settings.steps:
                if self._done % settings.checkpoint_every:
                    self._keep()
                return self._end("interrupted", worked)
        return self._end("complete", worked)

    def _begin(self) -> None:
        self._done = 0
        self._rollbacks: list[str] = []
        self._health = Health(self._schedule.watched, self._settings.limits)
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}
        self._rows: list[Row] = []

    def _batches(self) -> Generator[Arrays, None, None]:
        hardware, settings = self._settings.hardware, self._settings
        crew = Crew(
            self._samples,
            settings.batch,
            self._done,
            settings.data_workers,
            rank=hardware.rank,
            world=hardware.world,
            offset=len(self._rollbacks) * OTHERS,
        )
        return iter(crew)

    def _step(self, batch: Arrays) -> str:
        """One step, and what is due after it; says what is wrong."""
        settings, hardware = self._settings, self._settings.hardware
        seed = settings.seed + len(self._rollbacks) * 2**64
        at = At(self._done, settings.steps, Draws(seed, self._done, hardware.rank, hardware.world), settings.batch)
        self._add(self._schedule.step(at, tensors(batch, hardware)))
        self._done += 1
        ends = self._done == settings.steps
        row: Row | None = None
        if self._done % settings.log_every == 0 or ends:
            terms = self._means()
            if wrong := self._health.look(terms, self._schedule.phase(self._done - 1)):
                return wrong
            row = {"step": self._done, "samples": self._done * settings.batch, **terms}
            self._rows.append(row)
        if ends or (settings.samples_every and self._done % settings.samples_every == 0):
            self._show()
        if (ends or self._done % settings.checkpoint_every == 0) and (wrong := self._keep()):
            return wrong
        if self._together.first:
            self._hooks.tell(self._done, row)
        return ""

    def _add(self, terms: Mapping[str, Tensor]) -> None:
        """Sums stay on the device: nobody waits for a number until a row is due. A NaN is still in them then."""
        for name, value in terms.items():
            held = value.detach().float().reshape(())
            self._sums[name] = self._sums[name] + held if name in self._sums else held.clone()
            self._counts[name] = self._counts.get(name, 0) + 1

    def _means(self) -> dict[str, float]:
        """Of every term since the last row, over all workers; from now on others are summed."""
        self._share_sums()
        names = list(self._sums)
        sums = torch.stack([self._sums[name] for name in names]).tolist() if names else []
        means = {name: value / self._counts[name] for name, value in zip(names, sums, strict=True)}
        self._sums, self._counts = {}, {}
        return means

    def _share_sums(self) -> None:
        """Every worker has the means of all from now on."""
        if self._sums:
            averaged(self._sums.values())

    def _show(self) -> None:
        self._together.alone(lambda: self._hooks.show(self._done))

    def _keep(self) -> str:
        """Keep a checkpoint, unless a number in it is none; says so."""
        self._share_sums()
        state = {
            "networks": {name: module.state_dict() for name, module in self._schedule.networks.items()},
            "schedule": self._schedule.state(),
            "loop": {
                "done": self._done,
                "rollbacks": list(self._rollbacks),
                "health": self._health.state(),
                "sums": dict(self._sums),
                "counts": dict(self._counts),
            },
        }
        wrong = _not_finite(state["networks"], state["schedule"], self._sums)
        if self._together.any(bool(wrong)):
            return wrong or "another worker's weights are not finite"
        rows, sound = tuple(self._rows), self._health.sound
        self._together.alone(lambda: self._hooks.keep(self._done, packed(state), rows, sound=sound))
        self._rows = []
        return ""

    def _resume(self, *, sound: bool) -> bool:
        """Go on from the newest checkpoint; False where there is none."""
        found = self._together.alone(lambda: self._hooks.newest(sound=sound))
        if not self._together.any(found is not None):
            return False
        state = unpacked({name: self._together.told(found[name] if found else None) for name in (TREE, TENSORS)})
        networks = self._schedule.networks
        for name, held in state["networks"].items():
            networks[name].load_state_dict(held)
        self._schedule.resume(state["schedule"])
        loop = state["loop"]
        self._begin()
        self._done = loop["done"]
        self._rollbacks = loop["rollbacks"]
        self._health.resume(loop["health"])
        self._sums = {name: one.to(self._settings.hardware.device) for name, one in loop["sums"].items()}
        self._counts = loop["counts"]
        return True

    def _roll_back(self, wrong: str) -> None:
        at = f"after step {self._done}: {wrong}"
        if self._rollbacks:
            raise UnhealthyError(
                f"{at}. It had been rolled back once already ({self._rollbacks[0]}), with other samples and lower "
                "learning rates since; change the schedule's rate or the objective's weights, and begin anew"
            )
        if not self._resume(sound=True):
            raise UnhealthyError(f"{at}. There is no sound checkpoint to go back to")
        self._rollbacks = [at]
        self._schedule.slower(SLOWER)
        text = f"{at}; rolled back to step {self._done}, with other samples and {SLOWER:g} of the learning rates"
        row = {"step": self._done, "samples": self._done * self._settings.batch, "kind": "rolled_back", "text": text}
        self._rows.append(row)
        if self._together.first:
            self._hooks.tell(self._done, row)

    def _end(self, state: Literal["complete", "interrupted"], worked: int) -> End:
        return End(state, self._done, worked, tuple(self._rollbacks))


def _not_finite(networks: Mapping[str, Mapping[str, Any]], state: Mapping[str, Any], sums: Mapping[str, Tensor]) -> str:
    """Where a number is none; empty where all are."""
    for name, held in networks.items():
        for key, value in held.items():
            if not finite(value):
                return f"the weights {name}.{key} are not finite"
    for what, values in (("state of", state), ("term", sums)):
        for name, value in values.items():
            if not finite(value):
                return f"the {what} {name} is not finite"
    return ""
