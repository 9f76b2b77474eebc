"""The Ray runner: units through actor pools of Ray Data."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from pipeline.errors import RunnerError, StorageError, WorkerError
from pipeline.parcel import Parcel, Receipt
from pipeline.plan import UnitRef
from pipeline.runners.contract import Depth, Placement, Pools, Signs
from pipeline.runners.foreman import AtWork, asked, hired
from pipeline.runners.pools import PARTS, Pool, least_cpus, pools_for
from pipeline.runners.ray_cluster import cluster, cores
from pipeline.runners.standstill import StalledError, overseen
from pipeline.watched.limits import Limits
from pipeline.watched.watcher import WatchedWorker
from pipeline.worker import Worker, WorkerSpec

TASK_RETRIES = 20
"""How often a unit is tried again after the process that worked on it died; Ray Data's own default is for ever.

`pipeline.suspects` needs a few tries to notice and a few more for each record that ends processes. What still dies
after twenty dies outside of its records."""

LARGEST_PARCEL = 2**31 - 2**20
"""Bytes of a packed parcel; Arrow counts what one value of a binary column holds with 31 bits."""

SIGNS_SECONDS = 2.0
"""Whoever asks for signs waits so long for them: Prometheus gives a whole scrape ten seconds."""

MANY_UNITS = 8
"""With so many units a worker, the next one waits at the worker already: handing over takes 0.15 s (docs/scaling.md),
and at the end one unit more may have to be waited for."""

MIDDLE = (1,)
"""Segments of a worker that sees nothing but crops: they end no process, and copying them would cost a GPU's time."""


class RayWorker:
    """A worker as Ray Data calls it: bytes in, bytes out.

    One that cannot be set up says so in the receipt of the first unit it is given, which ends the run: Ray would put
    a traceback of its own around an exception here.

    Args:
        spec: of the run.
        pool: that it belongs to.
        limits: past which its work is ended; None does it in the actor's own process.
        foreman: of the run.
    """

    def __init__(self, spec: WorkerSpec, pool: Pool, limits: Limits | None, foreman: Any) -> None:
        self._opens = 0 in pool.segments
        self._segment = pool.segments[0]
        self._following = pool.segments[-1] + 1 if 2 not in pool.segments else None
        self._foreman = foreman
        self._state = self._message = ""
        with AtWork(foreman):
            try:
                self._work = _work(spec, pool, limits)
            except (StorageError, WorkerError) as error:
                self._state = "storage" if isinstance(error, StorageError) else "worker"
                self._message = str(error)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Advance the packed parcel of a row."""
        packed, unit_id = row["parcel"], row["unit"]
        if self._message:
            return {**_stranded(packed, self._message, self._state), "unit": unit_id}
        if self._opens and asked(self._foreman.drained.remote(), False):
            return {**_stranded(packed, "", "released"), "unit": unit_id}
        with AtWork(self._foreman, self._segment, unit_id):
            done = row_of(self._work(packed))
        with suppress(Exception):  # the cluster may be going down
            self._foreman.passed.remote(unit_id, self._following)
        return {**done, "unit": unit_id}


def row_of(packed: bytes) -> dict[str, Any]:
    """A packed parcel as it travels; one that is too large for that is given up, and its receipt says so."""
    if len(packed) <= LARGEST_PARCEL:
        return {"parcel": packed}
    return _stranded(
        packed,
        f"its records hold {len(packed) / 2**30:.1f} GiB, more than can travel between workers; set run.unit_records "
        "lower, or run.placement: fused",
    )


def _work(spec: WorkerSpec, pool: Pool, limits: Limits | None) -> Callable[[bytes], bytes]:
    """What a worker does to a packed parcel, where records can end a process in one that is watched."""
    if limits is not None and pool.segments != MIDDLE:
        here = min(pool.size, int(cores() / (pool.needs.cpus or 1.0)))
        return WatchedWorker(spec, pool.segments, limits, here)
    worker = Worker(spec, pool.segments)

    def work(packed: bytes) -> bytes:
        parcel = worker(Parcel.unpack(packed))
        try:
            return parcel.pack()
        except Exception as error:  # noqa: BLE001 - Ray would drop the unit without a word
            parcel.end(Receipt(parcel.ref.unit_id, "error", message=f"cannot travel on ({error})"))
            return parcel.pack()

    return work


def _stranded(packed: bytes, message: str, state: str = "error") -> dict[str, Any]:
    """A unit that cannot go on: its receipt says why, and it stays uncommitted. One that has its receipt keeps it."""
    parcel = Parcel.unpack(packed)
    if parcel.receipt is None:
        parcel.end(Receipt(parcel.ref.unit_id, state, records=parcel.ref.records, message=message))
    return {"parcel": parcel.pack()}


class RayRunner:
    """Runs on a private cluster of this machine, or on the one the job names."""

    def __init__(self, pools: Pools, task_retries: int = TASK_RETRIES) -> None:
        self._pools = pools
        self._task_retries = task_retries
        self._given = self._left = 0  # units of this pass, and those of them without a receipt
        self._asking = threading.Lock()
        self._foreman: Any = None
        self._parts: tuple[tuple[int, str], ...] = ()

    def run(
        self, spec: WorkerSpec, refs: Sequence[UnitRef], placement: Placement, drain: threading.Event
    ) -> Iterator[Receipt]:
        """See `Runner.run`. Where a cluster that lost machines comes to a standstill, it is begun anew on what is left.

        Raises:
            RunnerError: the cluster cannot hold one worker of each kind, or stands still without having done anything.
        """
        left = {ref.unit_id: ref for ref in refs}
        while left and not drain.is_set():
            before = self._given = self._left = len(left)
            try:
                for receipt in self._pass(spec, list(left.values()), placement, drain):
                    left.pop(receipt.unit_id, None)
                    self._left = len(left)
                    yield receipt
            except StalledError as stalled:
                if len(left) == before:
                    raise RunnerError(str(stalled)) from stalled
            else:
                return

    def signs(self) -> Signs:
        """See `Runner.signs`: the foreman is asked."""
        with self._asking:
            if self._foreman is None:
                return Signs()
            places = asked(self._foreman.places.remote(), None, SIGNS_SECONDS)
            idle = asked(self._foreman.idle.remote(), None, SIGNS_SECONDS) if places is not None else None
        if places is None:
            return Signs()
        known = {part: places.segments.get(segment, (0, 0)) for segment, part in self._parts}
        left = min(self._left, self._given - places.ended)  # what has ended is on its way here
        first, untouched = self._parts[0][1], max(0, left - sum(map(sum, known.values())))
        known[first] = (known[first][0] + untouched, known[first][1])
        return Signs({part: Depth(*counts) for part, counts in known.items()}, idle)

    @contextmanager
    def _answering(self, foreman: Any, pools: Sequence[Pool]) -> Iterator[None]:
        """While the block runs, `signs` may ask the foreman; later, asking would start a cluster of its own."""
        self._parts = tuple((pool.segments[0], PARTS[pool.segments]) for pool in pools)
        self._foreman = foreman
        try:
            yield
        finally:
            with self._asking:
                self._foreman = None

    def _pass(
        self, spec: WorkerSpec, refs: Sequence[UnitRef], placement: Placement, drain: threading.Event
    ) -> Iterator[Receipt]:
        """The units through pools that are sized for the cluster as it is now."""
        workflow = spec.workflow()
        with cluster(self._pools.address, least_cpus(workflow, placement)) as room:
            pools = pools_for(workflow, placement, room, self._pools.workers, len(refs))
            foreman = hired()
            with self._answering(foreman, pools), overseen(foreman, drain, self._pools.stall_seconds) as arrivals:
                for row in arrivals.of(self._rows(spec, refs, pools, foreman)):
                    receipt = Parcel.unpack(row["parcel"]).receipt
                    assert receipt is not None
                    yield receipt

    def _ahead(self, pool: Pool, units: int) -> int | None:
        """Units that a worker has at once, the one that it works on among them; None leaves it to Ray.

        What waits at an actor that dies shares its retries, so one that is not watched gets no second unit. Nor does
        any where units are few: one that waits behind a long unit could be done by another worker. A GPU must not wait.
        """
        if pool.segments == MIDDLE:
            return None
        return 2 if self._pools.limits is not None and units >= MANY_UNITS * pool.size else 1

    def _rows(
        self, spec: WorkerSpec, refs: Sequence[UnitRef], pools: Sequence[Pool], foreman: Any
    ) -> Generator[Any, None, None]:
        import ray.data  # noqa: PLC0415

        rows = [{"parcel": Parcel(ref).pack(), "unit": ref.unit_id} for ref in refs]
        data = ray.data.from_items(rows, override_num_blocks=len(rows))
        for pool in pools:
            with warnings.catch_warnings():
                # Ray 2.60 announces the end of such arguments, but has no other way to bound the retries.
                warnings.filterwarnings("ignore", message="`ray_remote_args` is deprecated")
                data = data.map(
                    RayWorker,
                    fn_constructor_args=(spec, pool, self._pools.limits, foreman),
                    compute=ray.data.ActorPoolStrategy(
                        size=pool.size, max_tasks_in_flight_per_actor=self._ahead(pool, len(rows))
                    ),
                    num_cpus=pool.needs.cpus,
                    num_gpus=pool.needs.gpus or None,
                    memory=pool.needs.memory or None,
                    max_restarts=-1,
                    max_task_retries=self._task_retries,
                )
        yield from data.iter_rows()
