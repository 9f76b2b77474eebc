"""What is made of the ends of processes over one unit: which record is guilty, of what, and what to try next."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pipeline.records import Failure
from pipeline.trail import Known
from pipeline.watched.host import how
from pipeline.watched.limits import Limits
from pipeline.watched.stints import Stint

CRASHES = 2
"""A record with which a process ended so many times by itself is guilty; once may be the machine's fault."""

KILLS = 5
"""The same where somebody killed the process: it is nearly always about the machine and not about the record."""

LOST = 3
"""So many ends outside of any record, and the unit is given up."""

ALL = 0.8
"""Share of a process's memory that one record must have taken to be guilty at once."""

Cause = Literal["crash", "slow_record", "slow_unit", "storage", "too_much_memory", "machine_out_of_memory"]


@dataclass(frozen=True)
class Death:
    """The end of a process.

    Attributes:
        cause: `crash` for all that the process did, or somebody did to it; the others say why it was ended here.
        code: its exit code, negative for a signal.
        at: records that it was at, by key.
        marks: attempts that it had marked.
        guilty: the record that was too slow, or waited too long; empty where it was none.
        where: file and line of ours where it was, if that was written down.
        held: bytes that it held, where memory was the cause.
    """

    cause: Cause
    code: int
    at: Mapping[str, Stint]
    marks: int
    guilty: str = ""
    where: str = ""
    held: int = 0


class Case:
    """One unit, over all processes that ended with it in one worker."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._failures: dict[str, Failure] = {}
        self._careful = False
        self._marks = 0
        self._ends: Counter[tuple[str, str]] = Counter()
        self._lost = 0

    @property
    def known(self) -> Known:
        """What the next process is told."""
        return Known(dict(self._failures), self._careful, self._marks)

    def learn(self, death: Death) -> tuple[str, str] | None:
        """Draw the conclusion from an end.

        Returns:
            None to try again; a receipt's state and message when the unit is given up.
        """
        self._marks += death.marks
        careful = self._careful
        # One that had not begun the unit yet was ended for some other reason, and says nothing of its records.
        self._careful = careful or death.cause != "crash" or bool(death.at or death.marks)
        if death.cause == "storage":
            what = f"{death.guilty!r} was read or written" if death.guilty else "a unit was begun or committed"
            return "storage", (
                f"storage has not answered for {self._limits.storage_seconds:g} s while {what}; see that it can be "
                "reached"
            )
        if death.cause == "slow_unit":
            return None
        if death.cause == "slow_record":
            # It may have come through in the last moment; or another one beside it held the interpreter up for both.
            if list(death.at) != [death.guilty]:
                return None
            self._failures[death.guilty] = _too_slow(death.at[death.guilty], self._limits)
            return None
        if not death.at:
            self._lost += 1
            if self._lost < LOST:
                return None
            return "error", f"the process that worked on it ended {LOST} times outside of any record: {how(death.code)}"
        # More than one record was under way, or others are held: the careful pass has one culprit.
        if len(death.at) == 1:
            ((key, stint),) = death.at.items()
            if careful:
                self._ends[key, death.cause] += 1
            if self._ends[key, death.cause] >= _enough(death) or _took_it_all(death, stint):
                self._failures[key] = _failure(death, stint, self._limits)
        return None


def _enough(death: Death) -> int:
    if death.cause == "too_much_memory":
        return 1
    if death.cause == "crash" and death.code == -signal.SIGKILL:
        return KILLS
    return CRASHES


def _took_it_all(death: Death, stint: Stint) -> bool:
    """Whether nearly all that the process held had come since it was at this record: no second proof is needed."""
    return death.cause != "crash" and death.held - stint.held_before > ALL * death.held


def _too_slow(stint: Stint, limits: Limits) -> Failure:
    key, seconds = ("unit_seconds", limits.unit_seconds) if stint.batch else ("record_seconds", limits.record_seconds)
    return Failure(
        "timed_out",
        f"it was not through with this stage after {seconds:g} s, and the process was ended; if the file is sound, "
        f"raise run.{key}, then retry",
        stint.stage,
    )


def _failure(death: Death, stint: Stint, limits: Limits) -> Failure:
    gib = f"{death.held / 2**30:.1f} GiB"
    if death.cause == "too_much_memory":
        message = (
            f"alone with this record the process held {gib}, more than run.worker_memory "
            f"({limits.memory / 2**30:.1f} GiB), and was ended; check the file, or raise the limit, then retry"
        )
        return Failure("out_of_memory", message, stint.stage)
    if death.cause == "machine_out_of_memory":
        message = (
            f"alone with this record the process held {gib} when the machine ran out of memory, and was ended; check "
            "the file, or work on a machine with more memory or fewer run.workers, then retry"
        )
        return Failure("out_of_memory", message, stint.stage)
    times = KILLS if death.code == -signal.SIGKILL else CRASHES
    where = f", at {death.where}" if death.where else ""
    message = (
        f"the process that worked on it ended {times} times in this stage: {how(death.code)}{where}; check the file, "
        "and report it if other programs read it"
    )
    return Failure("worker_crashed", message, stint.stage)
