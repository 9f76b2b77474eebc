"""What no commit names is taken away, and nothing else: not what a commit names, not what may still be committed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from pipeline import layout
from pipeline.cutting import cut_units
from pipeline.errors import RunAliveError
from pipeline.gc import Garbage, collect_garbage
from pipeline.marks import new_mark
from pipeline.plan import PlanSummary
from pipeline.quarantine import records_of
from pipeline.run import Run, RunHeader, open_run, plan_retry, plan_run, refuse_while_collecting
from pipeline.sinks import SinkSpec
from pipeline.sinks.contract import Layout
from pipeline.sources import list_records
from pipeline.storage import PART, Folder, this_host
from pipeline.verify import verify
from pipeline.worker import WorkerSpec

from .bed import TEXTS, Bed

DAY = 24 * 3600.0


@dataclass
class Stored(Bed):
    """A bed whose output lies in any storage, in any layout."""

    where: Folder = field(default_factory=lambda: Folder("memory://nowhere"))
    layout: Layout = "mirror"

    @property
    def output(self) -> Folder:
        return self.where

    @property
    def spec(self) -> WorkerSpec:
        return replace(super().spec, sink=SinkSpec(self.layout, self.run.outputs))


class Claimed:
    """A mirrored output lies at its key, and is the run's own if it is in upper case."""

    def names(self, key: str) -> tuple[str, ...]:
        return (key,)

    def own(self, folder: Folder, name: str) -> bool:
        return folder.read(name).isupper()


def gc(run: Run, older_than: float = 0.0, *, force: bool = False, dry_run: bool = False) -> Garbage:
    return collect_garbage(run, lambda one: Claimed(), older_than, force=force, dry_run=dry_run)


def counts(garbage: Garbage) -> dict[str, int]:
    return {kind: pile.objects for kind, pile in garbage.piles.items() if pile.objects}


def age(folder: Folder, name: str, seconds: float) -> None:
    moment = time.time() - seconds
    os.utime(Path(folder.root, name), (moment, moment))


def shard(run: Run, index: int, attempt: int) -> str:
    ref = next(ref for ref in run.refs() if ref.index == index)
    return f"shard-{index:06d}-{ref.unit_id[:8]}-a{attempt}.tar"


def part(run: Run, index: int, attempt: int) -> str:
    ref = next(ref for ref in run.refs() if ref.index == index)
    return layout.table_part("texts", 0, index, ref.unit_id, attempt)


FOREIGN = ("shard-000000-deadbeef-a1.tar", "shard-000099-00000000-a1.tar", "box/shard.tar", "notes.txt")


@pytest.mark.parametrize("kind", ["mirror", "webdataset", "parquet"])
def test_what_lost_attempts_wrote_goes_and_all_else_stays(tmp_path: Path, folder: Folder, kind: Layout) -> None:
    bed = Stored(tmp_path, TEXTS, where=folder, layout=kind)
    assert bed.drive().state == "complete"
    before = set(folder.names())
    for name in FOREIGN:
        folder.write(name, b"somebody else's")
    bed.run.folder.write("tables/texts/mine.parquet", b"somebody else's")
    for index in (0, 2):
        folder.write(shard(bed.run, index, 7), b"12345")
        bed.run.folder.write(part(bed.run, index, 7), b"123")
    would = gc(bed.run, dry_run=True)
    assert len(folder.names()) == len(before) + len(FOREIGN) + 5
    done = gc(bed.run)
    assert would == done
    assert counts(done) == {"shards": 2, "table_parts": 2}
    assert (done.piles["shards"].bytes, done.piles["table_parts"].bytes) == (10, 6)
    assert set(folder.names()) == before | {
        *FOREIGN,
        f"{layout.RUNS}/{bed.run.header.run_id}/tables/texts/mine.parquet",
    }
    assert counts(gc(bed.run)) == {}
    findings = verify(bed.run)
    assert (findings.missing, findings.changed, sorted(findings.extra)) == ([], [], sorted(FOREIGN))


def test_what_is_young_stays(tmp_path: Path) -> None:
    bed = Stored(tmp_path, TEXTS, where=Folder(str(tmp_path / "out")), layout="webdataset")
    bed.drive()
    for attempt in (7, 8):
        bed.output.write(shard(bed.run, 0, attempt), b"x")
    age(bed.output, shard(bed.run, 0, 8), 2 * DAY)
    garbage = gc(bed.run, DAY)
    assert (counts(garbage), garbage.young) == ({"shards": 1}, 1)
    assert shard(bed.run, 0, 7) in bed.output.names()


def test_a_run_that_somebody_may_be_working_on_is_refused(tmp_path: Path) -> None:
    bed = Stored(tmp_path, TEXTS, where=Folder(str(tmp_path / "out")), layout="webdataset")
    attempt = bed.run.ledger.begin(next(bed.run.refs()).unit_id)
    bed.output.write(shard(bed.run, 0, 1), b"x")
    with pytest.raises(RunAliveError, match=rf"taken by process {os.getpid()} on .* is not committed.*--force"):
        gc(bed.run)
    mark = f"{bed.run.folder.root}/{layout.attempt_mark(attempt.unit_id, 1)}"
    Path(mark).write_text(json.dumps({**new_mark("t"), "host": "another", "space": "another"}))
    with pytest.raises(RunAliveError, match="on another at"):
        gc(bed.run)
    assert counts(gc(bed.run, force=True)) == {"shards": 1}
    assert bed.drive().state == "complete"


def test_of_a_unit_without_a_commit_only_what_certainly_came_to_nothing_goes(tmp_path: Path) -> None:
    """Its process is gone; but for an hour its commit may still be on its way to the store."""
    bed = Stored(tmp_path, TEXTS, where=Folder(str(tmp_path / "out")), layout="webdataset")
    attempt = bed.run.ledger.begin(next(bed.run.refs()).unit_id)
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    mark = {**new_mark(attempt.token), "pid": int(dead.stdout)}
    bed.run.folder.write(layout.attempt_mark(attempt.unit_id, 1), json.dumps(mark).encode())
    bed.output.write(shard(bed.run, 0, 1), b"x")
    bed.output.write(shard(bed.run, 0, 2), b"an attempt without a mark")
    age(bed.output, shard(bed.run, 0, 2), 9 * DAY)
    garbage = gc(bed.run)
    assert (counts(garbage), garbage.in_use, garbage.open_units) == ({}, 2, 3)
    age(bed.output, shard(bed.run, 0, 1), 7200)
    garbage = gc(bed.run)
    assert (counts(garbage), garbage.in_use) == ({"shards": 1}, 1)


def test_mirrored_outputs_of_quarantined_records_go_where_they_are_ours(tmp_path: Path, folder: Folder) -> None:
    bed = Stored(tmp_path, {**TEXTS, "z.txt": "bad"}, where=folder)
    folder.write("b/d.txt", b"LEFT BY AN ATTEMPT")
    folder.write("z.txt", b"a person's own")
    folder.write("other.txt", b"IN NO PLAN")
    early = gc(bed.run)
    assert (counts(early), early.open_units) == ({}, 3)
    bed.drive()
    assert counts(gc(bed.run, dry_run=True)) == {"outputs": 1}
    assert counts(gc(bed.run)) == {"outputs": 1}
    assert {"z.txt", "other.txt", "a.txt", "b/c.txt"} <= set(folder.names())
    assert "b/d.txt" not in folder.names()
    assert not folder.exists(layout.COLLECTING)


def test_what_a_run_names_that_was_replaced_stays(tmp_path: Path) -> None:
    """Another run with the same units writes shards of the same names; neither's may go for the other's sake."""
    bed = Stored(tmp_path, TEXTS, where=Folder(str(tmp_path / "out")), layout="webdataset")
    bed.drive()
    first = bed.run
    outputs = {output.path for output in first.ledger.all_outputs(ref.unit_id for ref in first.refs())}

    def header(run_id: str, plan: PlanSummary) -> RunHeader:
        return RunHeader(run_id, "texts", "test", {}, {}, plan, replaces=first.header.run_id)

    units = cut_units(list_records(bed.source), 2, 10**9)
    second = plan_run(bed.output, units, lambda record: record.key, header, "another")
    assert counts(gc(second)) == {}
    assert outputs <= set(bed.output.names())
    bed.output.write(shard(first, 0, 9), b"x")
    age(bed.output, shard(first, 0, 9), 2 * DAY)
    assert gc(second).in_use == 1  # the second run has the same unit without a commit


def test_files_that_were_being_written_go_when_their_process_is_gone(tmp_path: Path) -> None:
    bed = Stored(tmp_path, TEXTS, where=Folder(str(tmp_path / "out")))
    bed.drive()
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    names = {
        "gone": f"b/{PART}{this_host()}-{int(dead.stdout)}-abcdefgh",
        "gone in the ledger": f"{layout.RUNS}/{bed.run.header.run_id}/commits/{PART}{this_host()}-{int(dead.stdout)}-a",
        "living": f"b/{PART}{this_host()}-{os.getpid()}-abcdefgh",
        "elsewhere": f"b/{PART}another.host-1-abcdefgh",
        "elsewhere, long ago": f"b/{PART}another.host-2-abcdefgh",
        "a person's": f"b/{PART}time.jpg",
    }
    for name in names.values():
        Path(bed.output.root, name).write_bytes(b"half")
        age(bed.output, name, 2 * DAY if name == names["elsewhere, long ago"] else 0)
    assert counts(gc(bed.run)) == {"half_written": 3}
    there = {what for what, name in names.items() if Path(bed.output.root, name).exists()}
    assert there == {"living", "elsewhere", "a person's"}


def test_no_retry_begins_while_mirrored_outputs_are_taken_away(tmp_path: Path) -> None:
    bed = Stored(tmp_path, TEXTS, where=Folder(str(tmp_path / "out")))
    bed.drive()
    bed.output.write(layout.COLLECTING, json.dumps({**new_mark("t"), "host": "another", "space": "another"}).encode())
    units = cut_units(records_of(bed.run, {"b/d.txt"}), 1, 10**9, salt="retry 1")
    with pytest.raises(RunAliveError, match=r"gc\.json: `facejobs gc` was begun by process .* on another"):
        plan_retry(bed.run, units, lambda record: record.key)
    with pytest.raises(RunAliveError):
        bed.drive()
    bed.output.delete(layout.COLLECTING)
    assert bed.drive().state == "complete"


def test_nothing_mirrored_is_taken_away_once_a_retry_is_planned(tmp_path: Path) -> None:
    """The retry was planned after the ledger was read: its workers may be writing those very names."""
    bed = Stored(tmp_path, TEXTS, where=Folder(str(tmp_path / "out")))
    bed.drive()
    bed.output.write("b/d.txt", b"LEFT BY AN ATTEMPT")

    class Meanwhile(Claimed):
        def own(self, folder: Folder, name: str) -> bool:
            units = cut_units(records_of(bed.run, {"b/d.txt"}), 1, 10**9, salt="retry 1")
            plan_retry(bed.run, units, lambda record: record.key)
            return True

    with pytest.raises(RunAliveError, match="planned there meanwhile"):
        collect_garbage(bed.run, lambda run: Meanwhile(), 0.0)
    assert "b/d.txt" in bed.output.names()
    refuse_while_collecting(bed.output)  # its mark is gone again


def test_a_mark_whose_collector_is_gone_is_taken_over(tmp_path: Path) -> None:
    bed = Stored(tmp_path, TEXTS, where=Folder(str(tmp_path / "out")))
    bed.drive()
    bed.output.write("b/d.txt", b"LEFT BY AN ATTEMPT")
    mark = {**new_mark("t"), "host": "another", "space": "another"}
    bed.output.write(layout.COLLECTING, json.dumps(mark).encode())
    with pytest.raises(RunAliveError):
        gc(bed.run)
    bed.output.write(layout.COLLECTING, json.dumps({**mark, "started": "2026-01-01T00:00:00.000+00:00"}).encode())
    assert counts(gc(bed.run)) == {"outputs": 1}


def test_a_listing_that_misses_runs_makes_no_garbage_of_what_they_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bed = Stored(tmp_path, TEXTS, where=Folder(str(tmp_path / "out")), layout="webdataset")
    bed.drive()
    before = set(bed.output.names())
    monkeypatch.setattr(Folder, "children", lambda folder, prefix="": [])
    again = open_run(bed.output, bed.run.header.run_id)
    assert counts(gc(again)) == {}
    assert set(bed.output.names()) == before
