"""How the last command came to its end: what an alert on a night that never ran is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from jobs.ended import Ended
from jobs.exits import Exit
from jobs.observe.metrics import BY_NAME, PREFIX, Labels, Values, family
from pipeline.tally import Tally, tally_of

SUCCESS = (Exit.DONE, Exit.QUARANTINED)
KEPT = ("last_run_", "last_night_")
NIGHT = ("listed", "planned", "carried_over", "unchanged", "deleted", "returned", "done", "quarantined")
"""Of `Ended.night`, what counts records."""


class LastRun:
    """The end of the last command, kept until another one ends.

    Args:
        known: what a former command has left, see `former`.
    """

    def __init__(self, known: Mapping[str, Values]) -> None:
        self._values: dict[str, Values] = dict(known)

    def ended(self, code: Exit, started: float, now: float, ended: Ended | None) -> None:
        """A command has ended.

        Args:
            code: its exit code.
            started: when it began, Unix time.
            now: Unix time.
            ended: what it came to; None for one that raised an error.
        """
        before = self._values.get("last_run_success_timestamp_seconds")
        succeeded: Values | None = {(): now} if code in SUCCESS else before
        self._values = {
            "last_run_start_timestamp_seconds": {(): started},
            "last_run_end_timestamp_seconds": {(): now},
            "last_run_exit_code": {(): int(code)},
        }
        if succeeded:
            self._values["last_run_success_timestamp_seconds"] = succeeded
        if ended is not None:
            self._values |= _records(ended)
            self._values |= _night(ended.night or {})

    def families(self, common: Labels) -> Iterator[Metric]:
        """The metrics."""
        for name, values in self._values.items():
            yield family(name, values, common)


def former(path: Path, common: Labels) -> dict[str, Values]:
    """What a text file of metrics says of the last command of this job; nothing where there is no such file."""
    try:
        text = path.read_text("utf-8")
        samples = [sample for metric in text_string_to_metric_families(text) for sample in metric.samples]
    except (OSError, ValueError, LookupError):  # not there, or no such file
        return {}
    found: dict[str, dict[Labels, float]] = {}
    for sample in samples:
        known = BY_NAME.get(sample.name.removeprefix(PREFIX))
        if known is None or not known.name.startswith(KEPT):
            continue
        if (sample.labels.get("job_name"), sample.labels.get("kind")) == common:
            own = tuple(sample.labels.get(label, "") for label in known.labels)
            found.setdefault(known.name, {})[own] = sample.value
    return dict(found)


def _records(ended: Ended) -> dict[str, Values]:
    tally: Tally | None = None
    if ended.outcome is not None:
        tally = ended.outcome.tally
    elif ended.run is not None and ended.night is None:
        tally = tally_of(ended.run)
    if tally is None:
        return {}
    left = tally.records_planned - tally.done
    records: Values = {("ok",): tally.ok, ("quarantined",): tally.quarantined, ("todo",): left}
    return {"last_run_records": records}


def _night(night: Mapping[str, object]) -> dict[str, Values]:
    if not night:
        return {}
    records: Values = {(name,): count for name in NIGHT if isinstance(count := night.get(name), int)}
    due = night.get("due")
    values: dict[str, Values] = {"last_night_records": records}
    if isinstance(due, Mapping):
        values["last_night_due_records"] = {(str(reason),): count for reason, count in due.items()}
    if isinstance(number := night.get("number"), int):
        values["last_night_number"] = {(): number}
    return values
