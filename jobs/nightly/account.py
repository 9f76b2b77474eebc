"""What a night came to, in numbers and in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from jobs.nightly.chosen import WORK
from pipeline import layout
from pipeline.ledger import now
from pipeline.run import Run
from pipeline.storage import Folder


@dataclass(frozen=True)
class Account:
    """A night.

    Attributes:
        number: of the night in its collection, from 1; of one with nothing to do, the number of the last one with work.
        run_id: the run that was planned; empty where there was nothing to do.
        listed: records of the source; None where the source was not listed.
        due: records by cause (`jobs.nightly.chosen`), and `resumed`, those that the night before had left.
        planned: records that were begun to be worked on, those of the night before left out.
        carried_over: records that are due and left to the next night.
        unchanged: records that need nothing.
        given_up: records in quarantine that are not tried again.
        passed_over: records that were due but for a condition.
        deleted: sources that are gone since the night before.
        tombstoned: derivatives that were taken away because their source is gone.
        returned: sources that are back, and whose derivatives stand.
        touched: sources with another version and the same bytes.
        differs: derivatives made by other models or settings that `selection.outdated` leaves as they are.
        done: records with a derivative made tonight.
        quarantined: records that could not be processed tonight.
        why_ended: `time` or `records` where a budget ended the night, `quarantine` where too much failed, the outcome's
            state where it did not come to its end, else empty.
        warnings: what the operator should look at.
        started: ISO 8601, UTC.
        finished: likewise; empty while it goes on.
    """

    number: int
    run_id: str = ""
    listed: int | None = None
    due: Mapping[str, int] = field(default_factory=dict)
    planned: int = 0
    carried_over: int = 0
    unchanged: int = 0
    given_up: int = 0
    passed_over: int = 0
    deleted: int = 0
    tombstoned: int = 0
    returned: int = 0
    touched: int = 0
    differs: int = 0
    done: int = 0
    quarantined: int = 0
    why_ended: str = ""
    warnings: tuple[str, ...] = ()
    started: str = ""
    finished: str = ""

    @property
    def idle(self) -> bool:
        """Whether nothing was found that is to be noted or done."""
        return not (self.planned or self.deleted or self.tombstoned or self.returned or self.touched)

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "due": dict(self.due), "warnings": list(self.warnings)}

    def with_work(self, done: int, quarantined: int) -> Account:
        """With what was done, and the time."""
        return replace(self, done=self.done + done, quarantined=self.quarantined + quarantined, finished=now())

    def said(self) -> str:
        """In one line."""
        if self.listed is None:
            return f"{self._resumed()}the night's budget was used up before anything was listed"
        found = [f"{self.due.get(cause, 0)} {cause}" for cause in WORK if self.due.get(cause, 0)]
        others = ("deleted", "tombstoned", "returned", "touched")
        found += [f"{getattr(self, name)} {name}" for name in others if getattr(self, name)]
        left = f"; {self.carried_over} of what is due are left to the next night" if self.carried_over else ""
        rest = f", {self.given_up} in quarantine not tried again" if self.given_up else ""
        rest += f", {self.passed_over} passed over" if self.passed_over else ""
        return (
            f"{self._resumed()}{self.listed} records listed: {', '.join(found) or 'nothing is due'}, "
            f"{self.unchanged} unchanged{rest}{left}"
        )

    def _resumed(self) -> str:
        count = self.due.get("resumed", 0)
        return f"{count} records that the night before had left; " if count else ""


def keep_account(run_folder: Folder, account: Account) -> None:
    """Put it into the folder of the run that is about to be planned."""
    run_folder.write(layout.NIGHT, json.dumps(account.plain(), indent=1).encode())


def keep_last(output: Folder, account: Account) -> None:
    """Note what the last night came to, for whoever looks at the collection."""
    output.write(layout.LAST_NIGHT, json.dumps(account.plain(), indent=1).encode())


def found_by(run: Run) -> str:
    """What was found when a night was planned, in one line; empty for a run that was not one."""
    if not run.header.night:
        return ""
    try:
        account = Account(**json.loads(run.folder.read(layout.NIGHT)))
    except (FileNotFoundError, ValueError, TypeError):
        return f"night {run.header.night}"
    return f"night {account.number}: {account.said()}"
