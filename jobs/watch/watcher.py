"""Snapshots of whatever run a place holds now, each from what is new in the ledger since the one before."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import numpy as np

from jobs.report.scrub import scrubbed
from jobs.watch.eta import Eta, estimate
from jobs.watch.follow import Follower
from jobs.watch.life import Life, signs_of_life
from jobs.watch.pace import Course
from jobs.watch.reading import LedgerReader, age_of, is_gone
from jobs.watch.snapshot import Node, Reason, Row, Snapshot, Stage
from jobs.watch.standing import Kept
from pipeline import layout
from pipeline.ledger import Quarantined
from pipeline.marks import clock
from pipeline.tally import Tally


class Watcher:
    """Sees the run of a place, and the next one when it changes.

    Args:
        follower: finds the run.
    """

    def __init__(self, follower: Follower) -> None:
        self._follower = follower
        self._reader = LedgerReader(follower.run)
        self._replaced = ""
        self._report = False

    @property
    def follower(self) -> Follower:
        """What finds the run."""
        return self._follower

    def refresh(self) -> Snapshot:
        """Read what is new.

        Raises:
            StorageError: storage unreachable or refusing; the next call goes on.
            NoSuchRunError: the run is gone.
            LedgerError: what the run has written about itself is damaged.
        """
        if self._follower.look():
            self._replaced = self._reader.run.header.run_id
            self._reader = LedgerReader(self._follower.run)
            self._report = False
        self._reader.refresh()
        if not self._report:
            self._report = self._reader.run.folder.exists(layout.REPORT)
        made = self._finished() if self._reader.manifest is not None else self._going_on()
        return scrubbed(made, self._follower.scrubber.scrub)

    def _finished(self) -> Snapshot:
        """A run that was over before: what its manifest says."""
        manifest = self._reader.manifest
        assert manifest is not None
        tally = Tally.of_manifest(manifest)
        rows = [Kept(0.0, "", place, 0, row) for place, row in enumerate(self._reader.rows_of_finished())]
        examples = {kept.row.code: kept for kept in reversed(rows)}
        last = self._reader.rounds[-1]
        return Snapshot(
            **self._common(tally, tally.codes, rows, examples),
            state="complete",
            at_work=False,
            at_work_because="the run is complete",
            finished=str(manifest["finished"]),
            rounds=int(manifest["rounds"]),
            round_units=last.units,
            round_units_committed=last.units,
            round_records=last.records,
            round_records_done=last.records,
            commits_unread=0,
            units_in_flight=0,
            units_waiting=0,
            units_left=0,
            tries_again=0,
            worked_seconds=None,
            rate_now=None,
            rate_window_seconds=None,
            rate_overall=None,
            eta=Eta("done", 0.0, 0.0, 0.0),
            timeline=None,
            stages=stages_of(tally, tally.done, None),
        )

    def _going_on(self) -> Snapshot:
        reader, now = self._reader, clock()
        tally = reader.tally
        tally.units_planned = sum(each.units for each in reader.rounds)
        tally.records_planned = reader.rounds[0].records
        codes = reader.standing.codes()
        tally.quarantined = codes.total()
        course = reader.pace.course()
        silent = self._silent(course, now)
        flying = {unit for unit, mark in reader.open.items() if not is_gone(mark)}
        life = signs_of_life(silent, course.slow_unit, len(reader.pace), all_gone=bool(reader.open) and not flying)
        whole = reader.complete and tally.units_committed + reader.to_read >= tally.units_planned
        if whole:
            life = Life(False, "the run is complete", life.patience)
        closed = not whole and not life.at_work and reader.run.closed
        if closed:
            life = Life(False, "the run was ended, and the next night does what it has left", life.patience)
        flying = {unit for unit in flying if age_of(reader.open[unit], now) <= 2.0 * life.patience}
        if not life.at_work:
            flying = set()
        window = course.window(now)
        done = reader.done.get(len(reader.rounds) - 1)
        waiting = tally.units_planned - tally.units_committed - reader.to_read - len(flying)
        return Snapshot(
            **self._common(tally, codes, reader.standing.newest(), reader.standing.examples()),
            state="complete" if whole else "closed" if closed else "incomplete",
            at_work=life.at_work,
            at_work_because=life.because,
            finished=reader.finished if whole else "",
            rounds=len(reader.rounds),
            round_units=reader.rounds[-1].units,
            round_units_committed=done.units if done else 0,
            round_records=reader.rounds[-1].records,
            round_records_done=done.records if done else 0,
            commits_unread=reader.to_read,
            units_in_flight=len(flying),
            units_waiting=max(waiting, 0),
            units_left=len(reader.tries.keys() - flying),
            tries_again=reader.again + sum(count - 1 for count in reader.tries.values()),
            worked_seconds=course.worked,
            rate_now=course.rate(now, window) if life.at_work and len(reader.pace) else None,
            rate_window_seconds=window,
            rate_overall=int(course.records.sum()) / course.worked if course.worked else None,
            eta=Eta("done", 0.0, 0.0, 0.0) if whole else self._eta(course, life, now),
            timeline=course.timeline(now),
            stages=stages_of(tally, int(course.records.sum()), course.worked),
            nodes=self._nodes(course, flying, now, window, at_work=life.at_work),
            nodes_unread=reader.unplaced,
        )

    def _common(
        self, tally: Tally, codes: Counter[str], newest: list[Kept], examples: Mapping[str, Kept]
    ) -> dict[str, Any]:
        header = self._reader.run.header
        counts = dict(sorted(tally.counts.items()))
        rounds = max(len(self._reader.rounds), 1)
        return {
            "name": header.name,
            "kind": header.kind,
            "run_id": header.run_id,
            "taken": _stamp(time.time()),
            "final": self._follower.final,
            "replaced_run": self._replaced,
            "created": header.created,
            "round": rounds - 1,
            "units_planned": tally.units_planned,
            "units_committed": tally.units_committed,
            "records_planned": tally.records_planned,
            "records_ok": tally.ok,
            "records_quarantined": tally.quarantined,
            "records_todo": tally.records_planned - tally.done,
            "quarantine": tuple(
                Reason(code, count, _row(examples.get(code)))
                for code, count in sorted(codes.items(), key=lambda entry: (-entry[1], entry[0]))
            ),
            "newest_quarantined": tuple(row for kept in newest if (row := _row(kept)) is not None),
            "counts": counts,
            "engines": _prefixed(counts, "faces_by:"),
            "engine_events": _prefixed(counts, "engine:"),
            "bytes_in": counts.get("bytes_in", 0),
            "output_objects": tally.output_objects,
            "output_bytes": tally.output_bytes,
            "outputs": self._reader.run.outputs.uri,
            "report": self._report,
        }

    def _silent(self, course: Course, now: float) -> float | None:
        """Seconds since the last sign of life; by this machine's own clock where the sign was seen to come."""
        ages = [age_of(mark, now) for mark in self._reader.open.values()]
        if course.finished.size:
            ages.append(max(now - float(course.finished[-1]), 0.0))
        if self._reader.changed is not None:
            ages.append(time.monotonic() - self._reader.changed)
        return min(ages, default=None)

    def _eta(self, course: Course, life: Life, now: float) -> Eta:
        reader = self._reader
        if reader.to_read:
            return Eta("reading")
        left = sum(each.records for each in reader.rounds) - int(course.records.sum())
        if left > 0 and not life.at_work:
            return Eta("idle")
        ends, records = course.session()
        silent = max(now - float(course.finished[-1]), 0.0) if course.finished.size else 0.0
        return estimate(ends, records, left, silent=silent, slow_unit=course.slow_unit)

    def _nodes(self, course: Course, flying: set[str], now: float, window: float, *, at_work: bool) -> tuple[Node, ...]:
        reader = self._reader
        here = Counter(str(reader.open[unit].get("host", "")) for unit in flying)
        rates = course.rates_of_hosts(now, window, len(reader.hosts)) if at_work else np.zeros(len(reader.hosts))
        made = [
            Node(
                host.name,
                host.units,
                host.records,
                here[host.name],
                max(now - host.last, 0.0) if host.last else None,
                float(rates[number]),
            )
            for number, host in enumerate(reader.hosts.all())
            if host.units or host.last or here[host.name]
        ]
        return tuple(sorted(made, key=lambda node: node.host))


def stages_of(tally: Tally, records: int, worked: float | None) -> tuple[Stage, ...]:
    """Stages in the order of the flow.

    Args:
        tally: seconds by stage.
        records: how many passed, those that were tried again included.
        worked: seconds in which somebody was at work; None where that is not known.
    """
    whole = sum(float(seconds) for seconds in tally.seconds.values())
    records = max(records, 1)
    return tuple(
        Stage(
            name=name,
            seconds=float(seconds),
            share=float(seconds) / whole if whole else 0.0,
            seconds_per_record=float(seconds) / records,
            records_per_busy_second=records / float(seconds) if seconds else None,
            busy=float(seconds) / worked if worked else None,
        )
        for name, seconds in tally.seconds.items()
    )


def _row(kept: Kept | None) -> Row | None:
    if kept is None:
        return None
    row: Quarantined = kept.row
    return Row(row.key, row.code, row.message, row.stage, _stamp(kept.finished) if kept.finished else "")


def _prefixed(counts: Mapping[str, int], prefix: str) -> dict[str, int]:
    return {name.removeprefix(prefix): count for name, count in counts.items() if name.startswith(prefix)}


def _stamp(moment: float) -> str:
    return datetime.fromtimestamp(moment, timezone.utc).isoformat(timespec="seconds")
