"""What happens to one unit, from its commit's absence to its commit: opened, carried through, closed."""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from threadpoolctl import threadpool_limits

from pipeline import layout
from pipeline.errors import StorageError, WorkerError
from pipeline.flow import ITEM_BYTES, Flow, Stopwatch
from pipeline.ledger import PLANNED, Attempt, Commit, Ledger, Quarantined, now
from pipeline.parcel import Parcel, Receipt, receipt_of
from pipeline.parts import outputs_table, write_part
from pipeline.plan import PlanReader
from pipeline.progress import UnitProgress, drop_progress
from pipeline.records import Artifact, Failure, Item, Output, Record
from pipeline.retries import is_storage
from pipeline.sinks import SinkSpec, UnitWriter, make_sink
from pipeline.sources import SourceSpec, make_reader
from pipeline.stage import BatchStage, ItemStage, Segment, UnitContext, Workflow
from pipeline.storage import Folder
from pipeline.suspects import CAREFUL_FROM, CRASHES, WATCHED_CRASHES, one_by_one
from pipeline.trail import Known, NoTrail, Trail, waiting


@dataclass(frozen=True)
class WorkerSpec:
    """All that a worker process needs to work on units of a run; travels to it by pickle.

    Attributes:
        run: the run's own folder.
        source: where records are read.
        sink: where outputs go.
        workflow: builds the stages in the worker.
        threads: items worked on at once in item stages.
        versions: names and versions of what makes the outputs, for the commits; asked in the worker, whose machine
            may have others than the driver's.
        closable: whether the run may be closed while units of it are under way; then nothing more is committed.
    """

    run: Folder
    source: SourceSpec
    sink: SinkSpec
    workflow: Callable[[], Workflow]
    threads: int = 1
    versions: Callable[[], Mapping[str, str]] = dict
    closable: bool = False


class Worker:
    """Carries units through some of a workflow's segments in one process.

    Args:
        spec: the run.
        segments: indices of the workflow's segments this worker runs; the first opens units, the last commits them.
        trail: told what it is at.

    Raises:
        WorkerError: a stage cannot be set up on this machine.
        StorageError: storage failed while a stage was set up.
    """

    def __init__(self, spec: WorkerSpec, segments: Sequence[int] = (0, 1, 2), trail: Trail | None = None) -> None:
        # One thread a worker: cores are shared by processes, and sums in BLAS depend on how many threads take part.
        self._limits = threadpool_limits(limits=1)
        self._spec = spec
        self._opens, self._closes = 0 in segments, 2 in segments
        self._workflow = spec.workflow()
        self._segments: list[Segment] = [self._workflow.segments[index] for index in segments]
        for segment in self._segments:
            for stage in segment.stages:
                _set_up(stage)
        self._watched = trail is not None
        self._trail = trail or NoTrail()
        self._flow = Flow(spec.threads, ITEM_BYTES if self._opens and self._closes else 0, self._trail)
        self._ledger = Ledger(spec.run)
        self._plan = PlanReader(spec.run)
        self._reader = make_reader(spec.source)
        self._sink = make_sink(spec.sink)
        self._versions = dict(spec.versions())

    def __call__(self, parcel: Parcel, known: Known | None = None) -> Parcel:
        """Advance one parcel; never raises for what a record or the storage did.

        Args:
            parcel: the unit, as the driver or the worker before this one has left it.
            known: what processes that ended over it are understood to have ended for.
        """
        known = known or Known()
        writer: UnitWriter | None = None
        start = time.perf_counter()
        try:
            if self._opens:
                self._open(parcel)
            if parcel.receipt is not None:
                return parcel
            assert parcel.unit is not None and parcel.attempt is not None
            if self._closes:
                writer = self._sink.open(parcel.unit, parcel.attempt.number)
            watch = Stopwatch()
            put: set[str] = set()
            self._carry(parcel, known, self._context(parcel, writer, put, watch), watch)
            for stage, seconds in watch.seconds.items():
                parcel.seconds[stage] = parcel.seconds.get(stage, 0.0) + seconds
            parcel.clock += time.perf_counter() - start
            if writer is not None:
                commit = self._written(parcel, writer, put)
                # From here on the commit may stand even where its put seems to fail, so a failure must not take back
                # what it names.
                closing, writer = writer, None
                self._commit(parcel, commit, closing)
        except StorageError as error:
            _give_up(parcel, "storage", str(error), writer)
        except WorkerError as error:
            _give_up(parcel, "worker", f"{error} (on {socket.gethostname()})", writer)
        except Exception as error:  # noqa: BLE001 - a defect in one unit must not take the others with it
            state = "storage" if is_storage(error) else "error"
            _give_up(parcel, state, f"{type(error).__name__}: {error}", writer)
        return parcel

    def _open(self, parcel: Parcel) -> None:
        """Find out whether the unit is done; if not, mark the attempt and take its records."""
        ref = parcel.ref
        standing = self._ledger.find(ref.unit_id)
        if standing is not None:
            parcel.end(receipt_of(standing, "already", 0.0))
            return
        parcel.started = now()
        parcel.attempt = self._begin(ref.unit_id)
        parcel.unit = self._plan.unit(ref)
        parcel.items = [Item(record, failure=_planned_failure(record)) for record in parcel.unit.records]

    def _begin(self, unit_id: str) -> Attempt:
        attempt = self._ledger.begin(unit_id)
        self._trail.attempt(attempt)
        return attempt

    def _carry(self, parcel: Parcel, known: Known, context: UnitContext, watch: Stopwatch) -> None:
        """All items together; one by one where workers have ended over this unit before."""
        assert parcel.unit is not None and parcel.attempt is not None
        unit_id = parcel.unit.unit_id
        begun = parcel.attempt
        if not self._opens:
            # After a crash Ray hands the same parcel to the next worker: its attempt at the unit stays the same.
            begun = self._begin(f"{unit_id}.{self._segments[0].name}")
        for item in parcel.items:
            item.failure = item.failure or known.failures.get(item.record.key)
        items: Iterable[Item] | None = None
        if known.careful:
            items = parcel.items
        elif begun.number - known.deaths >= CAREFUL_FROM:
            enough = WATCHED_CRASHES if self._watched else CRASHES
            items = one_by_one(parcel.items, self._spec.run, unit_id, enough)
        if items is None:
            self._flow.carry_all(self._segments, parcel.items, context, watch)
            return
        for item in items:
            self._flow.carry_all(self._segments, [item], context, watch)

    def _context(self, parcel: Parcel, writer: UnitWriter | None, put: set[str], watch: Stopwatch) -> UnitContext:
        def read(record: Record) -> bytes:
            with watch.timing("read"), waiting(self._trail, record.key):
                return self._reader.read(record)

        def deliver(record: Record, artifacts: Sequence[Artifact]) -> None:
            if writer is None:
                raise RuntimeError("only the last segment can put artifacts")
            with watch.timing("write"), waiting(self._trail, record.key):
                writer.put(record, artifacts)
            put.add(record.key)

        def keep_sample(name: str, data: bytes) -> None:
            try:
                self._spec.run.write(f"{layout.SAMPLES}/{name}", data)
            except Exception as error:
                if is_storage(error):  # no fault of the record that it happened at
                    raise StorageError(f"{self._spec.run.uri}: sample {name!r} cannot be written ({error})") from error
                raise

        def count(name: str, times: int) -> None:
            parcel.counts[name] += times

        progress = UnitProgress(self._spec.run, parcel.ref.unit_id, parcel.progress)
        return UnitContext(read, deliver, keep_sample, count, lambda key: waiting(self._trail, key), progress)

    def _written(self, parcel: Parcel, writer: UnitWriter, put: set[str]) -> Commit:
        """Write what is not written yet; gives the commit that names it all."""
        for item in parcel.items:
            if item.failure is None and item.record.key not in put:
                item.failure = Failure("no_output", "every stage passed, but none made an output", "write")
        # An image may have been put before the name of its record was refused; what is in quarantine has no outputs.
        passed = {"", *(item.record.key for item in parcel.items if item.failure is None)}
        outputs = tuple(output for output in writer.close() if output.key in passed)
        return self._commit_of(parcel, outputs, self._write_tables(parcel, outputs))

    def _commit(self, parcel: Parcel, commit: Commit, writer: UnitWriter) -> None:
        """The commit; a lost race takes back what carries this attempt's name, as does a run that is over."""
        if self._spec.closable and self._closed():
            self._take_back(commit, writer)
            parcel.end(Receipt(parcel.ref.unit_id, "released", records=parcel.ref.records))
            return
        made = self._ledger.commit(commit)
        drop_progress(self._spec.run, parcel.ref.unit_id, parcel.progress)
        if made:
            parcel.end(receipt_of(commit, "done", parcel.clock))
            return
        self._take_back(commit, writer)
        winner = self._ledger.find(parcel.ref.unit_id)
        assert winner is not None
        parcel.end(receipt_of(winner, "lost", parcel.clock))

    def _take_back(self, commit: Commit, writer: UnitWriter) -> None:
        writer.abort()
        for table in commit.tables:
            self._spec.run.delete(table.path)

    def _closed(self) -> bool:
        try:
            self._spec.run.read(layout.CLOSED)
        except FileNotFoundError:
            return False
        return True

    def _write_tables(self, parcel: Parcel, outputs: tuple[Output, ...]) -> tuple[Output, ...]:
        assert parcel.attempt is not None
        rows: dict[str, list[dict[str, object]]] = {name: [] for name in self._workflow.tables}
        for item in parcel.items:
            if item.failure is None:
                for name, added in self._workflow.rows(item).items():
                    rows[name].extend(added)
        ref, number = parcel.ref, parcel.attempt.number
        tables = {layout.OUTPUTS: outputs_table(ref.unit_id, outputs)}
        tables |= {name: pa.Table.from_pylist(rows[name], schema) for name, schema in self._workflow.tables.items()}
        return tuple(write_part(self._spec.run, ref, number, name, table) for name, table in tables.items())

    def _commit_of(self, parcel: Parcel, outputs: tuple[Output, ...], tables: tuple[Output, ...]) -> Commit:
        assert parcel.attempt is not None
        counts = Counter(parcel.counts)
        quarantined = []
        for item in parcel.items:
            if item.failure is None:
                counts.update(self._workflow.count(item))
            else:
                record, failure = item.record, item.failure
                quarantined.append(Quarantined(record.key, record.uri, failure.code, failure.message, failure.stage))
        return Commit(
            unit_id=parcel.ref.unit_id,
            index=parcel.ref.index,
            round=parcel.ref.round,
            attempt=parcel.attempt.number,
            token=parcel.attempt.token,
            records=len(parcel.items),
            ok=len(parcel.items) - len(quarantined),
            quarantined=tuple(quarantined),
            output_objects=len(outputs),
            output_bytes=sum(output.size for output in outputs),
            tables=tables,
            counts=dict(counts),
            seconds={stage: round(seconds, 4) for stage, seconds in parcel.seconds.items()},
            started=parcel.started,
            finished=now(),
            versions=self._versions,
        )


def _set_up(stage: ItemStage | BatchStage) -> None:
    """Let a stage load what it needs, and say of what goes wrong whose fault it is."""
    try:
        stage.setup()
    except (StorageError, WorkerError):
        raise
    except Exception as error:
        message = f"a worker on {socket.gethostname()} cannot set up stage {stage.name!r}: {error}"
        raise (StorageError if is_storage(error) else WorkerError)(message) from error


def _planned_failure(record: Record) -> Failure | None:
    if not record.problem:
        return None
    code, _, message = record.problem.partition(": ")
    return Failure(code, message or code, PLANNED)


def _give_up(parcel: Parcel, state: str, message: str, writer: UnitWriter | None) -> None:
    """Leave the unit uncommitted: another run of the job takes it up again."""
    if writer is not None:
        try:
            writer.abort()
        except Exception as error:  # noqa: BLE001 - the storage may be what failed; orphans are harmless
            message = f"{message} (and its partial outputs could not be removed: {error})"
    parcel.end(Receipt(parcel.ref.unit_id, state, records=parcel.ref.records, message=message))
