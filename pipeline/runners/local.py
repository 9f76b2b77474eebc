"""The local runner: one unit after the other, for tests and a handful of images."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing

from pipeline.parcel import Parcel, Receipt
from pipeline.plan import UnitRef
from pipeline.runners.contract import Depth, Placement, Signs
from pipeline.runners.pools import PARTS, SEGMENTS
from pipeline.watched.limits import Limits
from pipeline.watched.watcher import WatchedWorker
from pipeline.worker import Worker, WorkerSpec


class LocalRunner:
    """Fused unless staged is asked for, which packs and unpacks as a cluster would.

    Args:
        limits: the work is done in a process of its own that is watched; None does it in this process.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits
        self._waiting: dict[str, int] = {}
        self._at = ""

    def run(
        self, spec: WorkerSpec, refs: Sequence[UnitRef], placement: Placement, drain: threading.Event
    ) -> Iterator[Receipt]:
        """See `Runner.run`."""
        segments = SEGMENTS["staged" if placement == "staged" else "fused"]
        first, *rest = (PARTS[each] for each in segments)
        self._waiting = {first: len(refs), **dict.fromkeys(rest, 0)}
        with ExitStack() as stack:
            workers = {PARTS[each]: self._worker(spec, each, stack) for each in segments}
            for ref in refs:
                if drain.is_set():
                    return
                packed = Parcel(ref).pack()
                self._waiting[first] -= 1
                for part, worker in workers.items():
                    self._at = part
                    packed = worker(packed)
                self._at = ""
                receipt = Parcel.unpack(packed).receipt
                assert receipt is not None
                yield receipt

    def signs(self) -> Signs:
        """See `Runner.signs`. A unit goes through all parts at once, so that none waits between them."""
        at = self._at
        depths = {part: Depth(count, int(part == at)) for part, count in self._waiting.items()}
        return Signs(depths, 0.0 if at else None)

    def _worker(self, spec: WorkerSpec, segments: tuple[int, ...], stack: ExitStack) -> Callable[[bytes], bytes]:
        if self._limits is not None:
            return stack.enter_context(closing(WatchedWorker(spec, segments, self._limits)))
        worker = Worker(spec, segments)
        return lambda packed: worker(Parcel.unpack(packed)).pack()
