"""A night of a collection from its beginning to its end."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from jobs.console import Output
from jobs.driving import Manner, drive_run, say_end, say_places
from jobs.ended import Ended
from jobs.exits import Exit
from jobs.models.progress import watched
from jobs.nightly.account import Account, keep_last
from jobs.nightly.database import Database, database
from jobs.nightly.due import Asked
from jobs.nightly.former import former_of
from jobs.nightly.plan import find_tonight, plan_night
from jobs.nightly.settle import settle
from jobs.nightly.state import Makers, load_state
from jobs.places import output_of
from jobs.restore.identity import identity_of
from jobs.restore.start import worker_spec
from jobs.restore.weights import Weights, choices, weights_of
from jobs.spec import RestoreJob
from pipeline.driver import Outcome, State
from pipeline.errors import StorageError
from pipeline.history import close
from pipeline.ledger import now
from pipeline.night_lock import NightLock
from pipeline.run import Run
from pipeline.storage import Folder
from pipeline.tally import tally_of
from pipeline.writer_lock import SoleWriters

OF_SETTINGS = "settings"
OF_TIME = "time"
CLOSING: Mapping[State, str] = MappingProxyType({"time_up": OF_TIME, "over_budget": "quarantine"})
"""Ends after which a night is not gone on with, and what is said of it: the next one plans anew what is left."""


@dataclass
class _Night:
    """What is known while a night goes on.

    Attributes:
        job: with a selection.
        out: where it is said.
        writers: holds the output and the collection's lock.
        manner: how the job's runs are driven.
        asked: what is asked.
        began: by the monotonic clock.
        worked: records that the night before had left.
        done: records with a derivative made tonight.
        quarantined: records that went to quarantine tonight.
    """

    job: RestoreJob
    out: Output
    writers: SoleWriters
    manner: Manner
    asked: Asked
    began: float = field(default_factory=time.monotonic)
    worked: int = 0
    done: int = 0
    quarantined: int = 0

    @property
    def seconds_left(self) -> float | None:
        """Of the budget; None for no bound."""
        hours = self.asked.selection.budget.hours
        return None if hours is None else hours * 3600 - (time.monotonic() - self.began)

    @property
    def records_left(self) -> int | None:
        """Of the budget, which may be none; None for no bound."""
        records = self.asked.selection.budget.records
        return None if records is None else max(records - self.worked, 0)

    @property
    def spent(self) -> bool:
        """Whether nothing more may be begun."""
        return self.records_left == 0 or (self.seconds_left is not None and self.seconds_left <= 0)

    def drive(self, run: Run, weights: Weights) -> Outcome:
        """Work on a run for as long as the night has."""
        before = tally_of(run)
        run = self.writers.run(run)
        spec = worker_spec(self.job, weights, run)
        outcome = drive_run(self.job, run, spec, self.manner, self.out, self.writers, self.seconds_left)
        self.done += outcome.tally.ok - before.ok
        self.quarantined += max(outcome.tally.quarantined - before.quarantined, 0)
        return outcome


def run_night(job: RestoreJob, out: Output, writers: SoleWriters, manner: Manner, asked: Asked) -> Ended:
    """Finish what the night before has left, then list the source once and do what is due.

    Raises:
        NightInProgressError: another night is under way.
        RunConflictError: the output holds something that is no collection of this job's kind.
        SourceError: the source cannot be read as the job says.
        StorageError: storage does not answer or refuses.
    """
    night = _Night(job, out, writers, manner, asked)
    output = output_of(job)
    former = former_of(job, output)
    output = writers.output(output)
    writers.hold(NightLock(output))
    former = former_of(job, output)  # another night may have come to its end meanwhile
    weights = weights_of(job, watch=watched(out))
    if former is not None and not former.complete and not former.closed:
        ended = _finish(night, former, weights)
        if ended is not None:
            return ended
    with database() as db:
        makers = _settled(db, former)
        if night.spent:
            return _spent(night, output, former)
        found = find_tonight(db, job, weights, makers, asked, night.records_left, lambda count: _listed(out, count))
        account = replace(
            found.account,
            number=former.header.night if former is not None else 0,
            due={**found.account.due, "resumed": night.worked},
            started=now(),
        )
        if account.idle:
            return _idle(night, output, former, account)
        found = replace(found, account=account)
        run, planned = plan_night(db, job, weights, output, former, found, writers.check)
    return _work(night, run, weights, planned, found.notes)


def _finish(night: _Night, former: Run, weights: Weights) -> Ended | None:
    """Do what an interrupted night has left; None when tonight's own work can begin."""
    for each in choices(night.job, weights):
        if former.header.identity == identity_of(night.job, each):
            break
    else:
        close(former, OF_SETTINGS)
        night.out.log(
            f"run {former.header.run_id} of {former.header.created} was not finished, and the job is another now: what "
            "it has left is planned anew"
        )
        return None
    before = tally_of(former)
    left = before.records_planned - before.done
    night.out.log(f"resuming run {former.header.run_id} of {former.header.created}: {left} records are left of it")
    outcome = night.drive(former, each)
    night.worked = outcome.tally.done - before.done
    if outcome.state == "complete":
        return None
    account = Account(number=former.header.night, due={"resumed": night.worked})
    if outcome.state in CLOSING:
        return _closed(night, former, outcome, account)
    _keep_cut_off(night, former, outcome, account)
    return Ended(say_end(former, outcome, night.manner, night.out), former, outcome)


def _settled(db: Database, former: Run | None) -> Makers:
    return settle(db, former) if former is not None else load_state(db, None)


def _work(night: _Night, run: Run, weights: Weights, account: Account, notes: tuple[str, ...]) -> Ended:
    out = night.out
    out.log(f"night {account.number}: {account.said()}")
    for note in notes:
        out.log(note)
    outcome = night.drive(run, weights)
    account = account.with_work(night.done, night.quarantined)
    if outcome.state in CLOSING:
        return _closed(night, run, outcome, account)
    if outcome.state != "complete":
        _keep_cut_off(night, run, outcome, account)
        return Ended(say_end(run, outcome, night.manner, out), run, outcome, account.plain())
    with database() as db:
        settle(db, run)
    keep_last(run.output, account)
    out.say(f"night {account.number}: {account.said()}; {account.done} done, {account.quarantined} in quarantine")
    for code, count in outcome.tally.codes.most_common():
        out.say(f"  {count} in quarantine: {code}")
    say_places(run, out)
    return Ended(_exit(account), run, outcome, account.plain())


def _closed(night: _Night, run: Run, outcome: Outcome, account: Account) -> Ended:
    """The night's hours are over, or too much of it failed: the run is closed, and what it has left is due again."""
    why = CLOSING[outcome.state]
    close(run, why)
    with database() as db:
        settle(db, run)
    left = outcome.tally.records_planned - outcome.tally.done
    account = replace(
        account.with_work(night.done - account.done, night.quarantined - account.quarantined),
        run_id=run.header.run_id,
        carried_over=account.carried_over + left,
        why_ended=why,
    )
    keep_last(run.output, account)
    reason = "the time of selection.budget.hours is over" if why == OF_TIME else outcome.message
    night.out.say(
        f"night {account.number}: {reason}; {account.done} done, {account.quarantined} in quarantine, "
        f"{account.carried_over} left to the next night"
    )
    say_places(run, night.out)
    return Ended(_exit(account) if why == OF_TIME else Exit.OVER_BUDGET, run, outcome, account.plain())


def _keep_cut_off(night: _Night, run: Run, outcome: Outcome, account: Account) -> None:
    """Note a night that the next one goes on with, so far as storage takes it."""
    account = replace(
        account.with_work(night.done - account.done, night.quarantined - account.quarantined),
        run_id=run.header.run_id,
        carried_over=account.carried_over + outcome.tally.records_planned - outcome.tally.done,
        why_ended=outcome.state,
    )
    if outcome.state != "storage":
        with suppress(StorageError, OSError):
            keep_last(run.output, account)


def _idle(night: _Night, output: Folder, former: Run | None, account: Account) -> Ended:
    account = account.with_work(night.done, night.quarantined)
    keep_last(output, account)
    night.out.say(f"nothing to do: {account.said()}")
    return Ended(_exit(account), former if night.worked else None, None, account.plain())


def _spent(night: _Night, output: Folder, former: Run | None) -> Ended:
    number = former.header.night if former is not None else 0
    why = "records" if night.records_left == 0 else OF_TIME
    account = Account(number=number, due={"resumed": night.worked}, why_ended=why, started=now())
    account = account.with_work(night.done, night.quarantined)
    keep_last(output, account)
    night.out.say(f"night {number}: {account.said()}")
    return Ended(_exit(account), former, None, account.plain())


def _exit(account: Account) -> Exit:
    return Exit.QUARANTINED if account.quarantined else Exit.DONE


def _listed(out: Output, count: int) -> None:
    out.log(f"{count} records listed")
