"""What tonight would come to, without writing anything: `facejobs plan` of a job with a selection."""

from __future__ import annotations

from jobs.console import Output
from jobs.estimate.plan import Asked as AskedOfPlan
from jobs.exits import Exit
from jobs.models.progress import watched
from jobs.nightly.account import Account
from jobs.nightly.database import database
from jobs.nightly.due import Asked, records_of
from jobs.nightly.former import former_of
from jobs.nightly.plan import find_tonight
from jobs.nightly.state import load_state
from jobs.places import output_of
from jobs.restore.plan import plan_records
from jobs.restore.weights import weights_of
from jobs.spec import RestoreJob


def plan_tonight(job: RestoreJob, asked: AskedOfPlan, out: Output) -> Exit:
    """Find what is due now, and estimate what doing it would take.

    What an interrupted night has left is due by its causes here; a night would finish that first.

    Args:
        job: with a selection.
        asked: of the plan.
        out: where to say it.
    """
    assert job.selection is not None
    weights = weights_of(job, watch=watched(out))
    former = former_of(job, output_of(job))
    with database() as db:
        makers = load_state(db, former)
        most = job.selection.budget.records
        found = find_tonight(db, job, weights, makers, Asked(job.selection), most, lambda count: None)
        if not asked.as_json:
            out.say(f"tonight: {found.account.said()}")
            for note in found.notes:
                out.log(note)
            if former is not None and not former.complete and not former.closed:
                out.say(f"run {former.header.run_id} was not finished; a night goes on with that first")
        return plan_records(job, records_of(db), asked, out, _more(found.account))


def _more(account: Account) -> dict[str, object]:
    """What the plan's JSON says of the night."""
    left_out = {"number", "run_id", "done", "quarantined", "why_ended", "started", "finished"}
    plain = account.plain()
    return {"night": {name: value for name, value in plain.items() if name not in left_out}}
