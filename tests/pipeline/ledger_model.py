"""The ledger under everything that storage and machines can do between any two storage calls.

Workers, drivers, retries and garbage collection run as they are, against a store that loses replies, fails, delays
requests until long after their client gave up or died, and leaves pages out of listings. Hypothesis decides after every
single call who goes on and what becomes of the call; what must hold is looked at after each.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from pipeline import layout, marks
from pipeline.cutting import cut_units
from pipeline.driver import Outcome, drive
from pipeline.errors import LedgerError, RunAliveError, RunConflictError
from pipeline.gc import collect_garbage
from pipeline.ledger import Commit, Ledger
from pipeline.parcel import Parcel
from pipeline.plan import PlanSummary, UnitRef
from pipeline.quarantine import records_of, retriable, standing
from pipeline.records import Record
from pipeline.run import Run, RunHeader, make_first, plan_retry, plan_run, refuse_while_collecting
from pipeline.runners.local import LocalRunner
from pipeline.sinks import SinkSpec
from pipeline.sinks.contract import Layout
from pipeline.sources import SourceSpec
from pipeline.tally import tally_of
from pipeline.worker import Worker, WorkerSpec

from .model_work import BAD, KEYS, Claimed, workflow_of
from .simulated import Call, Process, SimFolder, Store

RULES = 60
UNITS = 6
SLOTS = 4
HOUR = 3600.0

# What becomes of a call. `lost`: it is done, and its reply is not heard; `late`: it is done at some later time; then
# the client tries again, gets an error, or dies. Most calls go well, or nobody would get anywhere.
FATES = (
    *["well"] * 100,
    *["lost, tried again", "lost, error", "failed", "late, tried again", "late, error", "page left out"],
    *["killed before", "killed after", "killed, late"],
)

STARTS = (*["worker"] * 6, *["driver"] * 2, "retry", "gc", "gc", "status", "a day passes")


class LedgerModel(RuleBasedStateMachine):
    """One run, a few processes at it, and a store that misbehaves."""

    steps: ClassVar[int] = 0
    seen: ClassVar[Counter[str]] = Counter()
    folders: ClassVar[type[SimFolder]] = SimFolder
    fates: ClassVar[Sequence[str]] = FATES
    starts: ClassVar[Sequence[str]] = STARTS
    graces: ClassVar[Sequence[float]] = (0.0, HOUR, 24 * HOUR)

    def __init__(self) -> None:
        super().__init__()
        self.slots: list[Process | None] = [None] * SLOTS
        self.whole = False

    @initialize(
        layout=st.sampled_from(["mirror", "webdataset", "parquet"]),
        done=st.sampled_from([0, UNITS // 2, UNITS]),
        fails=st.sets(st.sampled_from(KEYS), max_size=3),
    )
    def plan(self, layout: Layout, done: int, fails: set[str]) -> None:
        """A run of a few units, none, some or all of which have come to their end in peace."""
        self.layout = layout
        self.store = Store(time.time(), on_change=self.changed)
        self.kinds: list[str] = [""] * SLOTS
        self.commits: dict[str, bytes] = {}
        self.named: dict[str, str] = {}
        self.parcels: dict[int, Parcel] = {}
        records = (Record(key, f"s/{key}", "1") for key in KEYS)
        header = lambda run_id, plan: RunHeader(run_id, "texts", "test", {}, {}, plan)  # noqa: E731
        self.run = plan_run(self.folder(), cut_units(records, 2, 10**9), lambda record: record.key, header, "id")
        make_first(self.run)
        self.foreign = {"out/notes.txt", "out/shard-999999-deadbeef-a1.tar", f"out/{BAD}"}
        for path in sorted(self.foreign):
            self.store.do(Call("write", path, b"somebody else's"))
        marks.clock = lambda: self.store.time
        for ref in list(self.run.refs())[:done]:
            self.judge_attempt(Worker(self.spec(None, frozenset(fails)))(Parcel(ref)))
        assert len(list(self.run.refs())) == UNITS
        if done == UNITS:
            self.drive(None)
        self.whole = True

    def folder(self, process: Process | None = None) -> SimFolder:
        return self.folders("sim://out", store=self.store, process=process)

    def seen_by(self, process: Process | None) -> Run:
        return Run(self.folder(process), self.run.header)

    def spec(self, process: Process | None, fails: frozenset[str] = frozenset()) -> WorkerSpec:
        run = self.seen_by(process)
        sink = SinkSpec(self.layout, run.outputs)
        return WorkerSpec(run.folder, SourceSpec("files", "nowhere"), sink, lambda: workflow_of(fails))

    # Who works

    def begin(self, kind: str, work: Any) -> None:
        slot = self.slots.index(None)
        self.seen[kind] += 1
        self.kinds[slot] = kind
        self.slots[slot] = Process(work)
        self.look_after(slot)

    @rule(
        turn=st.integers(0, len(STARTS) - 1),
        pick=st.integers(0, 30),
        fails=st.sets(st.sampled_from(KEYS), max_size=2),
        staged=st.booleans(),
        grace=st.integers(0, 2),
    )
    def start(self, turn: int, pick: int, fails: set[str], staged: bool, grace: int) -> None:
        what = self.starts[turn % len(self.starts)]
        if what == "a day passes":
            self.a_day_passes()
        elif None not in self.slots:
            return
        elif what == "worker":
            ref = self.wanted(pick)
            self.begin(what, lambda process: self.work(process, ref, frozenset(fails), staged))
        elif what == "driver":
            self.begin(what, lambda process: self.drive(process, frozenset(fails)))
        elif what == "retry" and len(self.run.rounds()) < 4:
            self.begin(what, self.retry)
        elif what == "gc":
            older_than = self.graces[grace % len(self.graces)]
            self.begin(what, lambda process: collect_garbage(self.seen_by(process), lambda run: Claimed(), older_than))
        elif what == "status":
            self.begin(what, lambda process: tally_of(self.seen_by(process)))

    def wanted(self, pick: int) -> UnitRef:
        """A unit, mostly one of two that have no commit yet, so that workers meet."""
        refs = list(self.run.refs())
        left = [ref for ref in refs if ref.unit_id not in self.commits][:2]
        return left[pick % len(left)] if left and pick < 25 else refs[pick % len(refs)]

    def work(self, process: Process, ref: UnitRef, fails: frozenset[str], staged: bool) -> Parcel:
        """A worker, of which a driver has looked whether garbage is being collected."""
        refuse_while_collecting(self.folder(process))
        parcel = Parcel(ref)
        for segments in [[0], [1], [2]] if staged else [[0, 1, 2]]:
            parcel = Worker(self.spec(process, fails), segments)(parcel)
            if parcel.receipt is not None:
                break
            parcel = Parcel.unpack(parcel.pack())
        return parcel

    def drive(self, process: Process | None, fails: frozenset[str] = frozenset()) -> Outcome:
        run, spec = self.seen_by(process), self.spec(process, fails)
        return drive(run, LocalRunner(), spec, "fused", 99, lambda tally, receipt: None)

    def retry(self, process: Process) -> PlanSummary | None:
        """`facejobs retry`, as far as the plan."""
        run = self.seen_by(process)
        if not run.complete:
            return None
        keys = {row.key for row in standing(run) if retriable(row)}
        units = cut_units(records_of(run, keys), 2, 10**9, salt=f"retry {len(run.rounds())}")
        return plan_retry(run, units, lambda record: record.key)

    # What happens to them

    @precondition(lambda self: any(self.slots))
    @rule(seed=st.integers(0, 2**32 - 1), count=st.integers(4, 40), together=st.booleans())
    def go_on(self, seed: int, count: int, together: bool) -> None:
        """So many calls, of all processes in turns or of one; a seed, since drawing each would be too much to draw."""
        draw = random.Random(seed)
        chosen = draw.randrange(SLOTS)
        with self.judged():
            for _ in range(count):
                running = [slot for slot, process in enumerate(self.slots) if process is not None]
                if not running:
                    return
                slot = draw.choice(running) if together else running[chosen % len(running)]
                self.step(slot, draw.choice(self.fates), draw)

    @precondition(lambda self: self.store.late)
    @rule(pick=st.integers(0, 30))
    def a_late_request_arrives(self, pick: int) -> None:
        with self.judged():
            self.store.do(self.store.late.pop(pick % len(self.store.late)))
            self.check()

    def a_day_passes(self) -> None:
        """No process takes that long, and no request."""
        for slot, process in enumerate(self.slots):
            if process is not None:
                process.kill()
                self.slots[slot] = None
        while self.store.late:
            self.a_late_request_arrives(0)
        self.store.time += 25 * HOUR

    def step(self, slot: int, fate: str, draw: random.Random) -> None:
        process = self.slots[slot]
        assert process is not None and process.call is not None
        call = process.call
        if not call.changes and fate.startswith("late"):
            fate = "well"
        type(self).steps += 1
        self.seen[fate] += 1
        self.store.time += 1.0
        if fate.startswith("late") or fate == "killed, late":
            if call.changes:
                self.store.late.append(call)
        elif fate not in ("failed", "killed before"):
            answer = self.store.do(call)
        if fate.startswith("killed"):
            process.kill()
        elif fate in ("failed", "lost, error", "late, error"):
            process.answer(ConnectionResetError("the connection was reset"))
        elif fate == "page left out" and call.verb in ("list", "folders"):
            missing = draw.randrange(0, len(answer) + 1, 3)
            process.answer(answer[:missing] + answer[missing + 3 :])
        elif not fate.endswith("tried again"):
            process.answer(answer)
        self.look_after(slot)
        self.check()

    def look_after(self, slot: int) -> None:
        """Judge a process that has ended."""
        process = self.slots[slot]
        if process is None or not process.ended:
            return
        self.slots[slot] = None
        if process.killed:
            return
        kind = self.kinds[slot]
        if kind == "gc":
            # Assumed: what a collector deleted does not vanish once more after it has ended.
            for call in [call for call in self.store.late if call.verb == "delete"]:
                self.store.late.remove(call)
                self.store.do(call)
        if process.error is not None:
            expected = (OSError, RunConflictError, LedgerError) if kind != "worker" else (OSError, RunAliveError)
            assert isinstance(process.error, expected), process.error
            # A refusal is no damage: the ledger itself is never found damaged, whatever happened.
            assert not isinstance(process.error, LedgerError), process.error
            self.seen[f"{kind}: {type(process.error).__name__}"] += 1
        elif isinstance(process.result, Parcel):
            self.judge_attempt(process.result)
        elif isinstance(process.result, Outcome):
            self.judge_outcome(process.result)
        elif process.result is not None:
            self.seen[f"{kind}: done"] += 1

    def judge_attempt(self, parcel: Parcel) -> None:
        """Whoever was told that it won has won, and whoever was told that it lost has lost."""
        assert parcel.receipt is not None
        self.seen[f"worker: {parcel.receipt.state}"] += 1
        data = self.commits.get(parcel.ref.unit_id)
        own = data is not None and parcel.attempt is not None and json.loads(data)["token"] == parcel.attempt.token
        assert parcel.receipt.state in ("done", "already", "lost", "storage"), parcel.receipt
        if parcel.receipt.state != "storage":
            assert data is not None
            assert own == (parcel.receipt.state == "done")

    def judge_outcome(self, outcome: Outcome) -> None:
        self.seen[f"driver: {outcome.state}"] += 1
        assert outcome.state in ("complete", "storage"), outcome
        if outcome.state == "complete":
            tally = outcome.tally
            assert tally.units_committed == tally.units_planned
            assert tally.ok + tally.quarantined == tally.records_planned == len(KEYS)

    # What must hold

    def changed(self, call: Call) -> None:
        """A commit is made once, in a store in which what it names is there already."""
        for path in (path for path in [call.path] if f"/{layout.COMMITS}/" in path):
            assert call.verb == "create", f"{path}: {call.verb}"
            unit_id = path.rsplit("/", 1)[1].removesuffix(".json")
            assert unit_id not in self.commits
            self.commits[unit_id] = call.data
            commit = Commit.from_bytes(call.data)
            assert commit.records == commit.ok + len(commit.quarantined)
            folder = self.run.folder
            self.named.update({f"{folder.root}/{part.path}": part.sha256 for part in commit.tables})
            self.check()
            for output in Ledger(folder).outputs(commit):
                self.named[f"out/{output.path}"] = output.sha256
            seen = {row.key for row in commit.quarantined}
            assert not seen & {output.key for output in Ledger(folder).outputs(commit)}

    @contextmanager
    def judged(self) -> Iterator[None]:
        """Note that something did not hold: what comes after is of no interest."""
        try:
            yield
        except BaseException:
            self.whole = False
            raise

    def check(self) -> None:
        """All that commits name is there with the bytes they name; nobody else's file has gone."""
        for path, sha256 in self.named.items():
            stored = self.store.objects.get(path)
            assert stored is not None, f"{path}: a commit names it and it is gone"
            assert stored.sha256 == sha256, f"{path}: a commit names other bytes"
        for path in self.foreign:
            assert path in self.store.objects, f"{path}: was somebody else's and is gone"
        for unit_id, data in self.commits.items():
            assert self.store.objects[f"{self.run.folder.root}/{layout.commit_mark(unit_id)}"].data == data

    def teardown(self) -> None:
        """In the end somebody runs the job undisturbed, and collects the garbage a day later."""
        try:
            if self.whole:
                self.end_in_peace()
        finally:
            for process in self.slots:
                if process is not None:
                    process.kill()
            marks.clock = time.time

    def end_in_peace(self) -> None:
        with self.judged():
            self.a_day_passes()
            outcome = self.drive(None)
            self.judge_outcome(outcome)
            assert outcome.state == "complete"
            refs = list(self.run.refs())
            assert set(self.commits) == {ref.unit_id for ref in refs}
            manifest = self.run.manifest()
            assert manifest is not None
            assert (manifest["units"], manifest["rounds"]) == (len(refs), len(self.run.rounds()))
            assert manifest["ok"] + manifest["quarantined"] == len(KEYS)
            for name, sha256 in manifest["tables"].items():
                assert self.store.objects[f"{self.run.folder.root}/{name}"].sha256 == sha256
            self.store.time += 25 * HOUR
            collect_garbage(self.run, lambda run: Claimed(), 24 * HOUR)
            self.check()
            self.no_orphans()

    def no_orphans(self) -> None:
        tables = f"{self.run.folder.root}/tables/"
        for path in self.store.objects:
            if not path.startswith(f"out/{layout.HOME}/") or path.startswith(tables):
                assert path in self.named or path in self.foreign, f"{path}: nobody names it after gc"
