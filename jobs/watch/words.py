"""Sentences and short texts that the terminal and the page share."""

from __future__ import annotations

from datetime import datetime, timedelta

from jobs.pairs.survey.start import KIND as SURVEY
from jobs.report import text
from jobs.report.verdict import many
from jobs.watch.snapshot import Snapshot

RECORDS = {"restore": "images", "pairs": "pairs", SURVEY: "images"}
STATES = {
    "complete": "complete",
    "closed": "ended early",
    "working": "at work",
    "idle": "nobody at work",
    "reading": "reading the ledger",
}

FACTS = (
    ("faces_found", "faces found"),
    ("faces_restored", "faces restored"),
    ("faces_flagged", "faces flagged"),
    ("images_changed", "images changed"),
    ("images_unchanged", "images unchanged"),
    ("candidates", "samples found"),
)
"""Counts that are shown first, under these names; others follow under their own."""

LEFT_OUT = ("faces_by:", "engine:", "gate:", "bytes_in")
"""Counts that are shown elsewhere, or say once more what faces were kept, flagged or restored."""


def condition(snap: Snapshot) -> str:
    """How the run stands: a key of `STATES`."""
    if snap.complete:
        return "complete"
    if snap.state == "closed":
        return "closed"
    if snap.commits_unread:
        return "reading"
    return "working" if snap.at_work else "idle"


def state_word(snap: Snapshot) -> str:
    """How the run stands, in one or two words."""
    if snap.complete and not snap.final:
        return "survey complete"
    if condition(snap) == "working" and snap.units_committed == snap.units_planned:
        return "ending"
    return STATES[condition(snap)]


def records_word(snap: Snapshot) -> str:
    """What a record of the run is called."""
    return RECORDS.get(snap.kind, "records")


def share_done(snap: Snapshot) -> float:
    """Of the round under way, in [0, 1]."""
    return snap.round_records_done / snap.round_records if snap.round_records else 1.0


def sentence(snap: Snapshot) -> str:
    """How the run stands, in a sentence."""
    what = records_word(snap)
    if snap.complete:
        stuck = f"; {text.count(snap.records_quarantined)} in quarantine" if snap.records_quarantined else ""
        after = "" if snap.final else " The pairs come next."
        return f"All {text.count(snap.records_planned)} {what} have an outcome{stuck}.{after}"
    if snap.state == "closed":
        return f"Ended with {text.count(snap.records_todo)} {what} to do; the next night does what is left."
    if snap.commits_unread:
        return f"What was done before is still being read: {many(snap.commits_unread, 'commit')} to go."
    if not snap.at_work:
        return f"Nobody seems to be at work: {snap.at_work_because}. Running the job again goes on."
    if snap.units_committed == snap.units_planned:
        return "Every unit is done; tables and report are being written."
    return eta_sentence(snap)


def eta_sentence(snap: Snapshot) -> str:
    """How long it will take."""
    eta = snap.eta
    if eta.state == "known" and eta.seconds is not None and eta.low is not None and eta.high is not None:
        return f"About {span(eta.seconds)} left; {span(eta.low)} to {span(eta.high)}, going by the run so far."
    if eta.state == "done":
        return "Nothing is left to do."
    return "Too early to say how long it will take."


def eta_short(snap: Snapshot) -> str:
    """Time left in a few words."""
    eta = snap.eta
    if eta.state == "known" and eta.seconds is not None and eta.low is not None and eta.high is not None:
        return f"{span(eta.seconds)} ({span(eta.low)} to {span(eta.high)})"
    return {"too_early": "too early to say", "reading": "once all is read", "done": "none"}.get(eta.state, "unknown")


def done_at(snap: Snapshot) -> str:
    """Between which moments it will be done, in this machine's zone; empty where that is not known."""
    eta = snap.eta
    if eta.state != "known" or eta.low is None or eta.high is None:
        return ""
    taken = datetime.fromisoformat(snap.taken)
    first, last = (moment(taken + timedelta(seconds=seconds), taken) for seconds in (eta.low, eta.high))
    return f"{first} to {last}" if first != last else first


def moment(when: datetime, now: datetime) -> str:
    """A time of day here, with its date where that is not today's."""
    local, today = when.astimezone(), now.astimezone()
    return local.strftime("%H:%M") if local.date() == today.date() else local.strftime("%d %b %H:%M")


def clock_time(stamp: float, *, seconds: bool = False) -> str:
    """A time of day here, of seconds since 1970."""
    return datetime.fromtimestamp(stamp).astimezone().strftime("%H:%M:%S" if seconds else "%H:%M")


def span(seconds: float) -> str:
    """A span of time as coarse as it deserves: an estimate has no single seconds."""
    if seconds < 10:
        return f"{max(round(seconds), 1)} s"
    if seconds < 90:
        return f"{round(seconds / 5) * 5} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    quarters = round(seconds / 900)
    if quarters < 48 * 4:
        hours, rest = divmod(quarters * 15, 60)
        return f"{hours} h {rest} min" if rest and hours < 12 else f"{round(seconds / 3600)} h"
    return f"{round(seconds / 86400, 1):g} days"


UNITS = (("s", 1), ("min", 60), ("h", 3600))


def rate(value: float | None, unit: str = "") -> str:
    """Records a second, or a minute or an hour where that is a better number; or in the unit that is named."""
    if value is None:
        return text.NOTHING
    unit = unit or _unit(value)
    return f"{text.number(float(f'{value * dict(UNITS)[unit]:.2g}') if value < 100 else value)}/{unit}"


def rate_unit(snap: Snapshot) -> str:
    """The unit in which all rates of a view are, so that they can be compared."""
    return _unit(max(snap.rate_now or 0.0, snap.rate_overall or 0.0))


def _unit(value: float) -> str:
    return next((unit for unit, seconds in UNITS if value * seconds >= 0.5), "h")


def brief(seconds: float) -> str:
    """A short time with its better unit: milliseconds below a second."""
    if seconds < 0.0005:
        return "< 1 ms" if seconds else "0 ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 0.9995 else text.duration(seconds)


def threads(number: float | None) -> str:
    """A mean number of threads."""
    if number is None:
        return text.NOTHING
    return f"{number:.2f}" if number >= 0.005 or not number else "< 0.01"


def age(seconds: float | None) -> str:
    """How long ago, so that it does not flicker where work goes on."""
    if seconds is None:
        return text.NOTHING
    return "now" if seconds < 10 else f"{span(seconds)} ago"


def facts(snap: Snapshot) -> list[tuple[str, int]]:
    """Counts with their names, the ones that matter most first."""
    first = [(name, snap.counts[key]) for key, name in FACTS if key in snap.counts]
    known = {key for key, _ in FACTS}
    rest = [
        (key.replace("_", " ").replace(":", ": "), count)
        for key, count in snap.counts.items()
        if key not in known and not key.startswith(LEFT_OUT)
    ]
    return first + rest


def round_note(snap: Snapshot) -> str:
    """What the round under way is, where it is a retry."""
    if not snap.round:
        return ""
    number = "" if snap.round == 1 else f" {snap.round}"
    return f"Retry{number}: {many(snap.round_records, 'record')} of the quarantine tried again"


def units_note(snap: Snapshot) -> str:
    """What became of the units."""
    parts = [f"{text.count(snap.units_committed)} of {text.count(snap.units_planned)} done"]
    if snap.units_in_flight:
        parts.append(f"{text.count(snap.units_in_flight)} under way")
    if snap.units_waiting:
        left = f" ({text.count(snap.units_left)} begun and left)" if snap.units_left else ""
        parts.append(f"{text.count(snap.units_waiting)} waiting{left}")
    if snap.tries_again:
        parts.append(f"{text.count(snap.tries_again)} begun again")
    return ", ".join(parts)


def change_note(snap: Snapshot) -> str:
    """That another run was shown before; empty where none was."""
    return f"Run {snap.replaced_run} was shown before; this one took its place." if snap.replaced_run else ""


def plain_line(snap: Snapshot) -> str:
    """Everything that matters in one line, for a log."""
    stuck = f", {text.count(snap.records_quarantined)} in quarantine" if snap.records_quarantined else ""
    line = (
        f"{snap.name} {snap.run_id}: {state_word(snap)}, {text.percent(snap.round_records_done, snap.round_records)}, "
        f"{text.count(snap.round_records_done)} of {text.count(snap.round_records)} {records_word(snap)}{stuck}, "
        f"{text.count(snap.units_committed)} of {text.count(snap.units_planned)} units"
    )
    if condition(snap) == "working":
        line += f", {rate(snap.rate_now, rate_unit(snap))} now, left {eta_short(snap)}"
    if condition(snap) == "idle":
        line += f", {snap.at_work_because}"
    return line
