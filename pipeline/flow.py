"""Carries a unit's items through stages: threads, waves of bounded memory, failures as data, time by stage."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager

from typing_extensions import TypeIs

from pipeline.errors import StorageError, WorkerError
from pipeline.records import Failure, Item
from pipeline.stage import BatchStage, ItemStage, Payload, Segment, UnitContext
from pipeline.trail import NoTrail, Trail, at_work

WAVE_BYTES = 768 * 2**20
ITEM_BYTES = 64 * 2**20


class Stopwatch:
    """Seconds by stage, summed over threads."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._lock = threading.Lock()

    @contextmanager
    def timing(self, stage: str) -> Iterator[None]:
        """Add what the block takes to `stage`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            with self._lock:
                self.seconds[stage] += time.perf_counter() - start


class Flow:
    """Runs segments over items in one process.

    Args:
        threads: items that are worked on at once in item stages.
        keep_bytes: an item that holds more than this after a chain of stages drops what can be made again.
        trail: told which records are in which stage.
    """

    def __init__(self, threads: int, keep_bytes: int = ITEM_BYTES, trail: Trail | None = None) -> None:
        self._threads = max(1, threads)
        self._keep = keep_bytes
        self._trail = trail or NoTrail()
        self._pool = ThreadPoolExecutor(self._threads) if self._threads > 1 else None

    def carry_all(
        self, segments: Sequence[Segment], items: Sequence[Item], context: UnitContext, watch: Stopwatch
    ) -> None:
        """Segments over items; of several, in waves, so that memory is bounded whatever the unit's size."""
        first, rest = segments[0], segments[1:]
        if not rest:
            self.carry(first, items, context, watch)
            return
        for wave in self._waves(first, items, context, watch):
            for segment in rest:
                self.carry(segment, wave, context, watch)

    def carry(self, segment: Segment, items: Sequence[Item], context: UnitContext, watch: Stopwatch) -> None:
        """One segment over all items."""
        for run in _runs(segment.stages):
            if isinstance(run, list):
                for group in _groups(items, self._threads):
                    self._chain_group(run, group, context, watch)
            else:
                self._batch(run, [item for item in items if item.failure is None], context, watch)

    def _waves(
        self, segment: Segment, items: Sequence[Item], context: UnitContext, watch: Stopwatch
    ) -> Iterator[list[Item]]:
        """Pass items through the first segment until what they hold reaches the budget, then hand them on."""
        wave: list[Item] = []
        held = 0
        for group in _groups(items, self._threads):
            self.carry(segment, group, context, watch)
            wave.extend(group)
            held += sum(item.payload.held_bytes for item in group if isinstance(item.payload, Payload))
            if held > WAVE_BYTES:
                yield wave
                wave, held = [], 0
        if wave:
            yield wave

    def _chain_group(self, stages: list[ItemStage], group: list[Item], context: UnitContext, watch: Stopwatch) -> None:
        if self._pool is None:
            for item in group:
                self._one(stages, item, context, watch)
        else:
            futures = [self._pool.submit(self._one, stages, item, context, watch) for item in group]
            wait(futures)  # all: where one raises, what others still put would come after the unit was given up
            for future in futures:
                future.result()

    def _one(self, stages: list[ItemStage], item: Item, context: UnitContext, watch: Stopwatch) -> None:
        self._chain(stages, item, context, watch)
        if isinstance(item.payload, Payload) and (item.failure or item.payload.held_bytes > self._keep):
            item.payload.release()

    def _chain(self, stages: list[ItemStage], item: Item, context: UnitContext, watch: Stopwatch) -> None:
        for stage in stages:
            if item.failure is not None:
                return
            try:
                with watch.timing(stage.name), at_work(self._trail, [item.record.key], stage.name):
                    stage.process(item, context)
            except (StorageError, WorkerError):
                raise
            except Exception as error:  # noqa: BLE001 - one bad record costs one row, whatever it raises
                item.failure = failure_of(error, stage.name)

    def _batch(self, stage: BatchStage, items: list[Item], context: UnitContext, watch: Stopwatch) -> None:
        if not items:
            return
        keys = [item.record.key for item in items]
        try:
            with watch.timing(stage.name), at_work(self._trail, keys, stage.name, batch=True):
                stage.process_batch(items, context)
        except (StorageError, WorkerError):
            raise
        except Exception as error:  # noqa: BLE001 - as above; alone, only the guilty record fails
            if len(items) == 1:
                items[0].failure = failure_of(error, stage.name)
                return
            for item in items:
                self._batch(stage, [item], context, watch)


def failure_of(error: Exception, stage: str) -> Failure:
    """An exception as data. Errors with a `code` of their own keep it; anything else is named by its type."""
    code = getattr(error, "code", None)
    if isinstance(code, str) and code:
        return Failure(code, str(getattr(error, "message", error)), stage)
    if isinstance(error, MemoryError):
        return Failure("out_of_memory", f"no memory left while processing ({error})", stage)
    return Failure("processing_error", f"{type(error).__name__}: {error}", stage)


def is_batch(stage: ItemStage | BatchStage) -> TypeIs[BatchStage]:
    """Whether a stage takes many items at once."""
    return hasattr(stage, "process_batch")


def _runs(stages: Iterable[ItemStage | BatchStage]) -> Iterator[list[ItemStage] | BatchStage]:
    """Consecutive item stages together, so that a thread takes one item through all of them."""
    chain: list[ItemStage] = []
    for stage in stages:
        if is_batch(stage):
            if chain:
                yield chain
                chain = []
            yield stage
        else:
            chain.append(stage)
    if chain:
        yield chain


def _groups(items: Sequence[Item], size: int) -> Iterator[list[Item]]:
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
