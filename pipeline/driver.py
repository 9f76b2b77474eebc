"""Drives a run to its end: what is left, through a runner, counted, within the failure budget."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from pipeline.errors import RunnerError, StorageError, WorkerError
from pipeline.finish import finish
from pipeline.parcel import Receipt
from pipeline.plan import UnitRef
from pipeline.records import Output
from pipeline.run import Run, refuse_while_collecting
from pipeline.runners.contract import Placement, Runner
from pipeline.signals import Interrupted, draining
from pipeline.tally import Tally, tally_of
from pipeline.worker import WorkerSpec

State = Literal["complete", "time_up", "over_budget", "storage", "interrupted", "incomplete"]
ENDING: Mapping[str, State] = MappingProxyType({"storage": "storage", "worker": "incomplete"})
"""States of a receipt after which no other unit would fare better."""


@dataclass(frozen=True)
class Outcome:
    """How driving a run ended.

    Attributes:
        state: `complete` when every unit is committed; all others can be resumed by running again. `time_up` is an end
            that was asked for.
        tally: the run's counts now.
        worked: units committed by this call.
        message: why it is not complete.
    """

    state: State
    tally: Tally
    worked: int
    message: str = ""


def drive(
    run: Run,
    runner: Runner,
    spec: WorkerSpec,
    placement: Placement,
    max_quarantined: int,
    on_progress: Callable[[Tally, Receipt | None], None],
    replaced: Run | None = None,
    grace_seconds: float = 0.0,
    closing: Callable[[Run], Sequence[Output]] | None = None,
    seconds: float | None = None,
) -> Outcome:
    """Process what is not committed yet, then finish the run.

    Args:
        run: the run.
        runner: what brings units to workers.
        spec: what workers need.
        placement: fused, staged, or the runner's own choice.
        max_quarantined: records that may be in quarantine; one more ends the run early.
        on_progress: called at the beginning, and with its receipt after each unit.
        replaced: the run that this one takes the place of; what only it has written is deleted at the end.
        grace_seconds: what units under way are given to end after the first signal; a second one stops at once.
        closing: writes what the outputs need as a whole, once every unit is committed; see
            `pipeline.finish.finish`.
        seconds: after which no unit is begun any more; those under way are finished.
    """
    refuse_while_collecting(run.output)
    # One listing decides both what is counted and what is left: a unit that another driver commits meanwhile is
    # among the left ones, and its worker finds the commit.
    committed = run.ledger.committed()
    tally = tally_of(run, committed)
    if tally.complete and run.complete:
        return Outcome("complete", tally, 0)
    on_progress(tally, None)
    if tally.quarantined > max_quarantined:
        return Outcome("over_budget", tally, 0, _over_budget(tally, max_quarantined))
    refs = [ref for ref in run.refs() if ref.unit_id not in committed]
    progress = _Progress(tally, {ref.unit_id for ref in refs if ref.round > 0})
    try:
        with (
            draining(grace_seconds) as stop,
            _set_after(seconds, stop.drain) as time_up,
            contextlib.closing(_receipts(runner, spec, refs, placement, stop.drain)) as receipts,
        ):
            for receipt in receipts:
                if receipt.state in ENDING:
                    return progress.outcome(ENDING[receipt.state], receipt.message)
                progress.add(receipt)
                on_progress(tally, receipt)
                stop.check()
                if tally.quarantined > max_quarantined:
                    return progress.outcome("over_budget", _over_budget(tally, max_quarantined))
            drained = stop.signalled.is_set()
    except (KeyboardInterrupt, Interrupted):
        return progress.outcome("interrupted", "stopped by a signal; units in flight were not committed")
    except StorageError as error:
        return progress.outcome("storage", str(error))
    except (RunnerError, WorkerError) as error:
        return progress.outcome("incomplete", str(error))
    if tally.complete:
        return Outcome("complete", finish(run, replaced, closing), progress.worked)
    if drained:
        return progress.outcome("interrupted", "stopped by a signal; units in flight were finished first")
    if time_up.is_set() and not progress.reason:
        left = tally.units_planned - tally.units_committed
        return progress.outcome("time_up", f"the time that it was given is over; {left} units were not begun")
    return progress.outcome("incomplete", progress.reason or _unreported(tally))


@contextlib.contextmanager
def _set_after(seconds: float | None, drain: threading.Event) -> Iterator[threading.Event]:
    """Set an event after so many seconds, and with it one that says why."""
    time_up = threading.Event()

    def expire() -> None:
        time_up.set()
        drain.set()

    timer = threading.Timer(max(seconds, 0.0), expire) if seconds is not None else None
    if timer is not None:
        timer.daemon = True
        timer.start()
    try:
        yield time_up
    finally:
        if timer is not None:
            timer.cancel()


@dataclass
class _Progress:
    """What the receipts of one call add up to.

    Attributes:
        tally: the run's counts.
        retries: ids of units that are no part of the plan itself.
        worked: units committed.
        given_up: units that no worker could bring to an end.
        first: why the first of those.
    """

    tally: Tally
    retries: Set[str]
    worked: int = 0
    given_up: int = 0
    first: str = ""

    def add(self, receipt: Receipt) -> None:
        """Count one; a unit that was released is as it was."""
        if receipt.state == "released":
            return
        if receipt.state == "error":
            self.given_up += 1
            self.first = self.first or f"unit {receipt.unit_id}: {receipt.message}"
            return
        self.tally.add_receipt(receipt, retry=receipt.unit_id in self.retries)
        self.worked += receipt.state == "done"

    @property
    def reason(self) -> str:
        """Why not all is done, as far as workers have said."""
        return f"units given up: {self.given_up}, the first being {self.first}" if self.given_up else ""

    def outcome(self, state: State, message: str) -> Outcome:
        """How it ended."""
        return Outcome(state, self.tally, self.worked, message)


def _receipts(
    runner: Runner, spec: WorkerSpec, refs: list[UnitRef], placement: Placement, drain: threading.Event
) -> Generator[Receipt, None, None]:
    if refs:
        yield from runner.run(spec, refs, placement, drain)


def _over_budget(tally: Tally, limit: int) -> str:
    common = ", ".join(f"{code} ({count})" for code, count in tally.codes.most_common(3))
    return (
        f"{tally.quarantined} of {tally.done} decided records are in quarantine, more than run.max_quarantined allows "
        f"({limit} of {tally.records_planned}); most often: {common}. Raise it to go on; what has been mended, "
        "`facejobs retry` brings back when the run is complete"
    )


def _unreported(tally: Tally) -> str:
    left = tally.units_planned - tally.units_committed
    return (
        f"{left} of {tally.units_planned} units came to no end: the process that worked on them died each time; their "
        "marks are in the run's folder, attempts/"
    )
