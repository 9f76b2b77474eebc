"""Stages over items: order of calls, failures as data, bounded memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from pipeline import flow as flow_module
from pipeline.errors import RecordError, StorageError
from pipeline.flow import Flow, Stopwatch
from pipeline.records import Item, Record
from pipeline.stage import Segment, UnitContext

CONTEXT = UnitContext(lambda record: b"", lambda record, artifacts: None, lambda name, data: None)


@dataclass
class Load:
    """A payload whose size can be watched."""

    held_bytes: int = 100
    released: bool = False

    def release(self) -> None:
        self.released = True
        self.held_bytes = 10


class Step:
    def __init__(self, name: str, fails: dict[str, Exception] | None = None) -> None:
        self.name = name
        self.fails = fails or {}
        self.seen: list[str] = []

    def setup(self) -> None: ...

    def process(self, item: Item, context: UnitContext) -> None:
        self.seen.append(item.record.key)
        if item.payload is None:
            item.payload = Load()
        if item.record.key in self.fails:
            raise self.fails[item.record.key]


class Batch:
    def __init__(self, poison: str = "") -> None:
        self.name = "batch"
        self.poison = poison
        self.calls: list[list[str]] = []

    def setup(self) -> None: ...

    def process_batch(self, items: Sequence[Item], context: UnitContext) -> None:
        keys = [item.record.key for item in items]
        self.calls.append(keys)
        if self.poison in keys:
            raise ValueError("cannot do this one")


def items(count: int) -> list[Item]:
    return [Item(Record(f"{n}", "u", "v")) for n in range(count)]


def test_a_failing_record_is_data_and_the_others_go_on() -> None:
    first, second = Step("decode", {"1": RecordError("truncated", "ends early")}), Step("detect")
    work = items(3)
    Flow(1).carry(Segment("front", (first, second)), work, CONTEXT, Stopwatch())
    assert work[1].failure is not None
    assert (work[1].failure.code, work[1].failure.message, work[1].failure.stage) == (
        "truncated",
        "ends early",
        "decode",
    )
    assert second.seen == ["0", "2"]


def test_an_unforeseen_exception_is_named_by_its_type() -> None:
    work = items(1)
    Flow(1).carry(Segment("front", (Step("decode", {"0": ZeroDivisionError("by zero")}),)), work, CONTEXT, Stopwatch())
    assert work[0].failure is not None
    assert (work[0].failure.code, work[0].failure.message) == ("processing_error", "ZeroDivisionError: by zero")


def test_storage_ends_the_unit() -> None:
    with pytest.raises(StorageError):
        Flow(1).carry(Segment("f", (Step("read", {"0": StorageError("down")}),)), items(1), CONTEXT, Stopwatch())


def test_a_failing_batch_is_tried_again_record_by_record() -> None:
    batch = Batch(poison="1")
    work = items(3)
    Flow(1).carry(Segment("middle", (batch,)), work, CONTEXT, Stopwatch())
    assert batch.calls == [["0", "1", "2"], ["0"], ["1"], ["2"]]
    assert [item.failure is None for item in work] == [True, False, True]


@pytest.mark.parametrize("threads", [1, 4])
def test_waves_bound_what_is_held(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow_module, "WAVE_BYTES", 250)
    batch = Batch()
    Flow(threads).carry_all(
        [Segment("front", (Step("read"),)), Segment("middle", (batch,))], items(8), CONTEXT, Stopwatch()
    )
    assert max(len(call) for call in batch.calls) <= (3 if threads == 1 else 4)
    assert [key for call in batch.calls for key in call] == [str(n) for n in range(8)]


def test_an_item_that_holds_much_lets_go_after_its_chain() -> None:
    work = items(2)
    Flow(1, keep_bytes=50).carry(Segment("front", (Step("read"),)), work, CONTEXT, Stopwatch())
    assert all(item.payload.released for item in work)
    kept = items(2)
    Flow(1, keep_bytes=200).carry(Segment("front", (Step("read"),)), kept, CONTEXT, Stopwatch())
    assert not any(item.payload.released for item in kept)


def test_threads_work_on_different_items() -> None:
    barrier = threading.Barrier(3, timeout=10)

    class Meet(Step):
        def process(self, item: Item, context: UnitContext) -> None:
            barrier.wait()

    work = items(6)
    Flow(3).carry(Segment("front", (Meet("meet"),)), work, CONTEXT, Stopwatch())
    assert all(item.failure is None for item in work)


def test_time_is_counted_by_stage() -> None:
    watch = Stopwatch()
    Flow(1).carry(Segment("front", (Step("read"), Step("decode"))), items(2), CONTEXT, watch)
    assert set(watch.seconds) == {"read", "decode"}
    assert all(seconds > 0 for seconds in watch.seconds.values())


class Uneven(Step):
    """Fails at once at one record, and is long at the other."""

    def process(self, item: Item, context: UnitContext) -> None:
        if item.record.key == "b":
            time.sleep(0.3)
        super().process(item, context)


def test_when_storage_fails_nothing_of_the_unit_goes_on_beside_what_comes_next() -> None:
    stage = Uneven("one", {"a": StorageError("gone")})
    items = [Item(Record(key, key, "")) for key in "ab"]
    with pytest.raises(StorageError):
        Flow(2).carry(Segment("front", (stage,)), items, CONTEXT, Stopwatch())
    assert sorted(stage.seen) == ["a", "b"]
