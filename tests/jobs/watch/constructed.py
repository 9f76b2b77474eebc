"""A ledger written by hand: units that ended when a test says, on machines that it names."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from jobs.watch.follow import Follower
from jobs.watch.watcher import Watcher
from pipeline import layout
from pipeline.cutting import cut_units
from pipeline.ledger import Commit, Quarantined
from pipeline.parts import outputs_table, write_part
from pipeline.plan import PlanSummary, UnitRef
from pipeline.records import Record
from pipeline.run import Run, RunHeader, make_current, plan_run
from pipeline.storage import Folder


def stamp(moment: float) -> str:
    return datetime.fromtimestamp(moment, timezone.utc).isoformat(timespec="milliseconds")


@dataclass
class Written:
    """A run of `records` records in units of `size`, below an output root.

    Attributes:
        zero: when its first unit was begun, seconds since 1970.
    """

    root: Path
    records: int = 40
    size: int = 4
    name: str = "prints"
    kind: str = "restore"
    below: str = ""
    zero: float = field(default_factory=lambda: time.time() - 1000.0)
    run: Run = field(init=False)
    refs: list[UnitRef] = field(init=False)

    def __post_init__(self) -> None:
        output = Folder(str(self.root / "out")).child(self.below) if self.below else Folder(str(self.root / "out"))
        records = [Record(f"box/{number:05d}.tif", f"in/{number:05d}.tif", "1", 10) for number in range(self.records)]
        units = cut_units(records, self.size, 10**9)
        self.run = plan_run(output, units, lambda record: record.key, self._header, self.name)
        make_current(self.run)
        self.refs = list(self.run.refs())

    def _header(self, run_id: str, plan: PlanSummary) -> RunHeader:
        job = {"source": {"uri": "in"}}
        return RunHeader(run_id, self.name, self.kind, {"job": job}, job, plan, created=stamp(self.zero - 5.0))

    def watcher(self) -> Watcher:
        return Watcher(Follower(str(self.root / "out")))

    def mark(self, ref: UnitRef, at: float, host: str = "one", number: int = 1, **more: object) -> None:
        """Begin a unit, so many seconds after zero."""
        known = {"token": "t", "host": host, "pid": 1, "space": "elsewhere", "started": stamp(self.zero + at)}
        self.run.folder.write(layout.attempt_mark(ref.unit_id, number), json.dumps({**known, **more}).encode())

    def commit(
        self,
        ref: UnitRef,
        start: float,
        end: float,
        host: str = "one",
        bad: Mapping[str, str] = {},
        attempt: int = 1,
        seconds: Mapping[str, float] = {"decode": 1.0, "restore": 3.0},
        counts: Mapping[str, int] = {"faces_found": 2, "bytes_in": 40, "faces_by:ort fp32 cpu": 2},
    ) -> None:
        """Begin and commit a unit; `bad` gives a reason for keys of its records."""
        self.mark(ref, start, host, attempt)
        part = write_part(self.run.folder, ref, attempt, layout.OUTPUTS, outputs_table(ref.unit_id, ()))
        commit = Commit(
            unit_id=ref.unit_id,
            index=ref.index,
            round=ref.round,
            attempt=attempt,
            token="t",
            records=ref.records,
            ok=ref.records - len(bad),
            quarantined=tuple(
                Quarantined(key, f"in/{key}", code, f"it is {code}", "decode") for key, code in bad.items()
            ),
            output_objects=ref.records - len(bad),
            output_bytes=100,
            tables=(part,),
            counts=counts,
            seconds=seconds,
            started=stamp(self.zero + start),
            finished=stamp(self.zero + end),
        )
        self.run.folder.write(layout.commit_mark(ref.unit_id), commit.to_bytes())
