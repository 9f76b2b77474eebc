"""Exit codes of every command; `docs/command-line.md` says what to do with each."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What the process tells its caller."""

    DONE = 0
    FAILED = 1  # a defect, units that no worker could finish, or an engine that cannot be built
    USAGE = 2  # Typer's own: wrong arguments
    QUARANTINED = 3  # done, with quarantined records within the budget
    OVER_BUDGET = 4  # stopped: more in quarantine than run.max_quarantined
    BAD_JOB = 5  # the job file, or the source or model it names, cannot be used
    STORAGE = 6  # storage unreachable or refusing; run again to continue
    CONFLICT = 7  # the output holds another run's results
    MISMATCH = 8  # verify: outputs or models differ from what was recorded
    NO_RUN = 9  # there is no run at the named place
    BUSY = 10  # another night of the collection, or this training, is under way; nothing was done
    LOCKED = 11  # reveal: the passcode is not the one that the originals were sealed with
    INTERRUPTED = 130  # stopped by a signal; run again to continue


MEANING = {
    Exit.DONE: "done, nothing in quarantine",
    Exit.FAILED: "units were left unfinished, no engine could be built, or facejobs itself failed",
    Exit.USAGE: "wrong command line",
    Exit.QUARANTINED: "done, with quarantined records within the budget",
    Exit.OVER_BUDGET: "stopped: more records in quarantine than run.max_quarantined allows; run again to continue",
    Exit.BAD_JOB: "the job file, or the source, model or recipe it names, cannot be used",
    Exit.STORAGE: "storage unreachable or refusing; run again to continue",
    Exit.CONFLICT: "the output holds another run's results",
    Exit.MISMATCH: "outputs, models or pairs differ from what was recorded",
    Exit.NO_RUN: "no run at the named place",
    Exit.BUSY: "another night of the collection, or this training, is under way; nothing was done",
    Exit.LOCKED: "reveal: sealed with another passcode; nothing of it was revealed",
    Exit.INTERRUPTED: "interrupted; run again to continue",
}
