"""What a watched worker is at, and for how long, storage left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.ledger import Attempt
from pipeline.parcel import Parcel
from pipeline.records import Item
from pipeline.stage import Segment, UnitContext, Workflow
from pipeline.watched.messages import Begin, End, Marked, Ready, Wait
from pipeline.watched.stints import Stints
from pipeline.worker import Worker
from tests.pipeline.bed import Bed, Load, workflow


def test_time_spent_waiting_for_storage_is_not_the_records_own() -> None:
    stints = Stints()
    stints.note(Begin(("a",), "examine", batch=False), 10.0)
    stints.note(Wait("a", begins=True), 11.0)
    assert stints.at["a"].worked(100.0) == 1.0
    assert stints.overdue(100.0, 5.0, 50.0) is None
    assert stints.waiting(100.0, 80.0) == "a"
    assert stints.waiting(90.0, 80.0) is None
    stints.note(Wait("a", begins=False), 111.0)
    assert stints.at["a"].worked(115.0) == 5.0
    assert stints.overdue(115.0, 5.0, 50.0) is None
    assert stints.overdue(115.1, 5.0, 50.0) == "a"
    assert stints.waiting(1e6, 80.0) is None
    stints.note(End(("a",)), 116.0)
    assert not stints.at
    assert stints.overdue(1e6, 5.0, 50.0) is None


def test_in_a_batch_a_record_is_overdue_only_where_it_is_alone() -> None:
    stints = Stints()
    stints.note(Begin(("a", "b"), "restore", batch=True), 0.0)
    assert stints.overdue(1000.0, 5.0, 50.0) is None
    stints.note(End(("a", "b")), 1000.0)
    stints.note(Begin(("b",), "restore", batch=True), 1000.0)
    assert stints.overdue(1049.0, 5.0, 50.0) is None  # the time of a unit, not that of a record
    assert stints.overdue(1051.0, 5.0, 50.0) == "b"


def test_marks_are_counted_and_other_news_passed_over() -> None:
    stints = Stints()
    stints.held = 77
    for said in (Marked(Attempt("u", 1, "t")), Ready(), Wait("stranger", begins=True), End(("stranger",))):
        stints.note(said, 0.0)
    stints.note(Begin(("a",), "examine", batch=False), 0.0)
    assert (stints.marks, list(stints.at), stints.at["a"].held_before) == (1, ["a"], 77)


class Recorded:
    """A trail that is kept."""

    def __init__(self) -> None:
        self.said: list[Any] = []

    def begin(self, keys: Sequence[str], stage: str, *, batch: bool = False) -> None:
        self.said.append(("begin", *keys, stage, batch))

    def end(self, keys: Sequence[str]) -> None:
        self.said.append(("end", *keys))

    def waits(self, key: str, *, begins: bool) -> None:
        self.said.append(("wait" if begins else "go on", key))

    def attempt(self, attempt: Attempt) -> None:
        self.said.append(("attempt", attempt.number))


def test_a_worker_says_where_it_is(tmp_path: Path) -> None:
    """Reading and writing count as waiting; an error ends a stint like success."""
    bed = Bed(tmp_path, {"a.txt": "one", "b.txt": "bad"})
    trail = Recorded()
    Worker(bed.spec, trail=trail)(Parcel(next(bed.run.refs())))
    assert trail.said == [
        ("attempt", 1),
        *(("begin", "a.txt", "load", False), ("wait", "a.txt"), ("go on", "a.txt"), ("end", "a.txt")),
        *(("begin", "b.txt", "load", False), ("wait", "b.txt"), ("go on", "b.txt"), ("end", "b.txt")),
        *(("begin", "a.txt", "upper", True), ("end", "a.txt")),
        *(("begin", "a.txt", "put", False), ("wait", "a.txt"), ("go on", "a.txt"), ("end", "a.txt")),
    ]


@dataclass
class Fetching(Load):
    """Waits for storage by itself."""

    def process(self, item: Item, context: UnitContext) -> None:
        super().process(item, context)
        with context.waiting(item.record.key):
            pass


def fetching() -> Workflow:
    return replace(workflow(), front=Segment("front", (Fetching(),)))


def test_a_stage_that_waits_otherwise_says_so(tmp_path: Path) -> None:
    bed = Bed(tmp_path, {"a.txt": "one"})
    trail = Recorded()
    Worker(replace(bed.spec, workflow=fetching), [0], trail)(Parcel(next(bed.run.refs())))
    assert trail.said[2:-1] == [("wait", "a.txt"), ("go on", "a.txt")] * 2
