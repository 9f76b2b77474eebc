"""Drives a run to its end: what is left, through a runner, counted, within the failure budget."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from types import FrameType, MappingProxyType
from typing import Literal

from pipeline.errors import RunnerError, StorageError, WorkerError
from pipeline.finish import finish
from pipeline.parcel import Receipt
from pipeline.plan import UnitRef
from pipeline.run import Run
from pipeline.runners.contract import Placement, Runner
from pipeline.tally import Tally, tally_of
from pipeline.worker import WorkerSpec

State = Literal["complete", "over_budget", "storage", "interrupted", "incomplete"]
ENDING: Mapping[str, State] = MappingProxyType({"storage": "storage", "worker": "incomplete"})
"""States of a receipt after which no other unit would fare better."""


class Interrupted(BaseException):
    """SIGTERM arrived; like KeyboardInterrupt it passes every handler of ordinary errors."""


@dataclass(frozen=True)
class Outcome:
    """How driving a run ended.

    Attributes:
        state: `complete` when every unit is committed; all others can be resumed by running again.
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
    """
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
    retries = {ref.unit_id for ref in refs if ref.round > 0}
    worked = given_up = 0
    reason = ""
    try:
        with terminable() as stopped, closing(_receipts(runner, spec, refs, placement)) as receipts:
            for receipt in receipts:
                if receipt.state in ENDING:
                    return Outcome(ENDING[receipt.state], tally, worked, receipt.message)
                if receipt.state == "error":
                    given_up += 1
                    reason = reason or f"unit {receipt.unit_id}: {receipt.message}"
                else:
                    tally.add_receipt(receipt, retry=receipt.unit_id in retries)
                    worked += receipt.state == "done"
                on_progress(tally, receipt)
                if stopped.is_set():
                    raise Interrupted
                if tally.quarantined > max_quarantined:
                    return Outcome("over_budget", tally, worked, _over_budget(tally, max_quarantined))
    except (KeyboardInterrupt, Interrupted):
        return Outcome("interrupted", tally, worked, "stopped by a signal; units in flight were not committed")
    except StorageError as error:
        return Outcome("storage", tally, worked, str(error))
    except (RunnerError, WorkerError) as error:
        return Outcome("incomplete", tally, worked, str(error))
    if tally.complete:
        return Outcome("complete", finish(run, replaced), worked)
    why = f"units given up: {given_up}, the first being {reason}" if given_up else _unreported(tally)
    return Outcome("incomplete", tally, worked, why)


def _receipts(
    runner: Runner, spec: WorkerSpec, refs: list[UnitRef], placement: Placement
) -> Generator[Receipt, None, None]:
    if refs:
        yield from runner.run(spec, refs, placement)


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


@contextmanager
def terminable() -> Iterator[threading.Event]:
    """Turn SIGTERM and SIGINT into exceptions in the main thread, Interrupted and KeyboardInterrupt.

    Yields:
        set once a signal has come: Python swallows an exception that is raised while it runs a finaliser, so a loop
        that can go on for hours looks here as well.
    """
    stopped = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return

    def stop(number: int, _frame: FrameType | None) -> None:
        stopped.set()
        raise Interrupted if number == signal.SIGTERM else KeyboardInterrupt

    # A signal that is ignored stays so (a shell ignores SIGINT for what it starts in the background), and one that
    # other native code handles stays with that.
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    caught = [number for number, handler in before.items() if handler not in (signal.SIG_IGN, None)]
    for number in caught:
        signal.signal(number, stop)
    try:
        yield stopped
    finally:
        for number in caught:
            signal.signal(number, before[number])
