"""Keeps a training: checkpoints, curves, samples. The loop's hooks, as they are in a job."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from jobs.train import layout
from jobs.train.artefacts.events import events, file_name
from jobs.train.artefacts.facts import HeldOut, MachineFacts, Sheet
from jobs.train.artefacts.held_out import written as written_measures
from jobs.train.commit import GOODNESS, MACHINE, SECONDS, SOUND, WATCHED
from jobs.train.contact import Contact
from jobs.train.curve import HAPPENING, terms_of, written
from jobs.train.looking import Looker
from jobs.train.task import Task
from operators.training.contract import Schedule
from operators.training.loop import Row
from pipeline.checkpoints import Checkpoints, Kept, Policy
from pipeline.errors import LedgerError
from pipeline.storage import PART

EVENTS = "events.out.tfevents."
"""With which names of files of events begin."""


class Keeper:
    """See `operators.training.loop.Hooks`; used by the first worker alone.

    A stretch of the curve is written before the checkpoint that ends it, and what is newer than the checkpoint that is
    taken up is removed: so the curve always ends where the newest checkpoint is.

    Args:
        task: the training.
        schedule: as built.
        looker: sees what it makes.
        machine: that it runs on.
        contact: with the command that drives it.
    """

    def __init__(self, task: Task, schedule: Schedule, looker: Looker, machine: MachineFacts, contact: Contact) -> None:
        self._task = task
        self._schedule = schedule
        self._looker = looker
        self._machine = machine
        self._contact = contact
        self._output = task.output
        self._checkpoints = Checkpoints(task.output.child(layout.CHECKPOINTS))
        self._kept: dict[int, Mapping[str, Any]] = {}
        self._last: int | None = None
        self._seconds = 0.0
        self._since = time.monotonic()
        self._goodness: dict[int, float | None] = {}
        self._sheets: list[Sheet] = []
        self._held_out: list[HeldOut] = []

    @property
    def seconds(self) -> float:
        """Of work, as the newest checkpoint has them."""
        return self._seconds

    def newest(self, *, sound: bool) -> Mapping[str, bytes] | None:
        """See `Hooks`.

        Raises:
            LedgerError: there are checkpoints, and none of them is whole.
        """
        found = self._checkpoints.newest(self._contact.say, lambda kept: not sound or bool(kept.facts.get(SOUND)))
        if found is None and (numbers := self._checkpoints.numbers()):
            which = "checkpoints is whole and from before there was trouble" if sound else "checkpoints is whole"
            raise LedgerError(
                f"{self._checkpoints.folder.uri}: none of {len(numbers)} {which}, so the training cannot "
                "go on; put one back from a backup, or remove the output and begin anew"
            )
        taken, files = found if found is not None else (None, None)
        self._take_up(taken)
        return files

    def keep(self, done: int, files: Mapping[str, bytes], rows: Sequence[Row], *, sound: bool) -> None:
        """See `Hooks`."""
        now = time.monotonic()
        self._seconds += now - self._since
        if self._last is not None:
            name = layout.curve(self._last, done)
            self._output.child(layout.CURVES).write(name, written(rows))
            stretch = events(terms_of(rows), self._task.header.created, held_out=self._held_out, sheets=self._sheets)
            self._output.child(layout.TENSORBOARD).write(file_name(self._last), stretch)
        facts = {
            SOUND: sound,
            SECONDS: self._seconds,
            GOODNESS: self._goodness.get(done),
            MACHINE: asdict(self._machine),
            WATCHED: self._schedule.watched,
        }
        self._checkpoints.write(done, files, facts)
        self._kept[done] = facts
        self._prune()
        self._begin_stretch(done)

    def show(self, done: int) -> None:
        """See `Hooks`."""
        looked = self._looker.look(done, self._schedule)
        folder = self._output.child(layout.SAMPLES)
        if looked.png is not None:
            folder.write(layout.sheet(done), looked.png)
            self._sheets.append(Sheet(done, looked.png))
        if looked.held_out is not None:
            folder.write(layout.measures(done), written_measures(looked.held_out))
            self._held_out.append(looked.held_out)
        self._goodness[done] = looked.goodness

    def tell(self, done: int, row: Row | None) -> None:
        """See `Hooks`."""
        if row is not None and HAPPENING in row:
            self._contact.say(str(row["text"]))
        self._contact.tell(done, row)

    def stopping(self) -> bool:
        """See `Hooks`."""
        return self._contact.stopping()

    def _take_up(self, taken: Kept | None) -> None:
        """Go on from a checkpoint: what is newer is removed, and so is what an interrupted one has left."""
        number = taken.number if taken is not None else -1
        self._checkpoints.remove_above(number)
        for folder, newer in ((layout.CURVES, _later), (layout.SAMPLES, layout.step_of), (layout.TENSORBOARD, _begun)):
            there = self._output.child(folder)
            for name in there.names():
                step = newer(name)
                if name.startswith(PART) or (step is not None and step > number):
                    there.delete(name)
        self._kept = {kept.number: kept.facts for kept in self._checkpoints.all()}
        self._seconds = float(taken.facts[SECONDS]) if taken is not None else 0.0
        self._begin_stretch(taken.number if taken is not None else None)
        if taken is not None and taken.number:
            self._contact.say(f"going on after step {taken.number} of {self._task.header.steps}")

    def _begin_stretch(self, done: int | None) -> None:
        self._last = done
        self._since = time.monotonic()
        self._sheets, self._held_out, self._goodness = [], [], {}

    def _prune(self) -> None:
        output = self._task.job.output
        good = {number: facts[GOODNESS] for number, facts in self._kept.items() if facts.get(GOODNESS) is not None}
        sound = [number for number, facts in self._kept.items() if facts.get(SOUND)]
        also = {max(sound)} if sound else set()
        if good:
            also.add(max(good, key=lambda number: (good[number], number)))
        policy = Policy(output.keep, output.keep_every or 0, frozenset(also))
        for number in self._checkpoints.prune(policy):
            self._kept.pop(number, None)


def _later(name: str) -> int | None:
    """After how many steps a stretch of the curve ends; None for another name."""
    stretch = layout.stretch_of(name)
    return stretch[1] if stretch is not None else None


def _begun(name: str) -> int | None:
    """After how many steps there is something in a file of events."""
    step = name.split(".")[3:4] if name.startswith(EVENTS) else []
    return int(step[0]) + 1 if step and step[0].isdigit() else None
