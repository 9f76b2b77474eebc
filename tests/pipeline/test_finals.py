"""What a run writes as a whole: named by the manifest, checked, replaced, and never taken for garbage."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from pipeline import layout
from pipeline.cutting import cut_units
from pipeline.driver import Outcome, drive
from pipeline.errors import RunAliveError, RunConflictError, StorageError
from pipeline.finals import FINAL, PART, finals_of
from pipeline.gc import Garbage, collect_garbage
from pipeline.ledger import Commit, Ledger
from pipeline.plan import PlanSummary
from pipeline.quarantine import records_of
from pipeline.records import Output, Unit
from pipeline.run import Run, RunHeader, make_current, plan_retry, plan_run
from pipeline.runners.local import LocalRunner
from pipeline.sinks import SinkSpec
from pipeline.sinks.spool import Spool
from pipeline.sources import list_records
from pipeline.storage import Folder
from pipeline.sweep import drop_intermediates
from pipeline.verify import verify
from pipeline.worker import WorkerSpec

from .bed import TEXTS, Bed

WHOLE = "all/whole.txt"


@dataclass(frozen=True)
class Joined:
    """The texts of a unit in one object, named by its place in the plan."""

    role: str

    def name(self, unit: Unit) -> str:
        start = f"{layout.PARTS}/" if self.role == PART else ""
        return f"{start}unit-{unit.index:06d}.txt"

    def write(self, spool: Spool, path: Path) -> None:
        path.write_bytes(b"\n".join(artifact.data for _, artifacts in spool for artifact in artifacts))


@dataclass
class Whole(Bed):
    """A bed whose units write containers, of which closing makes one text."""

    role: str = PART
    final: str = WHOLE
    replaced: Run | None = None
    prefix: str = ""

    @property
    def spec(self) -> WorkerSpec:
        return replace(super().spec, sink=SinkSpec("mirror", self.run.outputs, Joined(self.role)))

    def header(self, run_id: str, plan: PlanSummary) -> RunHeader:
        replaces = self.replaced.header.run_id if self.replaced else ""
        return RunHeader(run_id, "texts", "test", {}, {}, plan, self.prefix, replaces)

    def close(self, run: Run) -> Sequence[Output]:
        paths = sorted(output.path for output in run.ledger.all_outputs(ref.unit_id for ref in run.refs()))
        data = b"\n".join(run.outputs.read(path) for path in paths)
        run.outputs.write(self.final, data)
        return [Output(self.final, len(data), hashlib.sha256(data).hexdigest(), FINAL)]

    def end(self) -> Outcome:
        quiet = lambda tally, receipt: None  # noqa: E731
        return drive(self.run, LocalRunner(), self.spec, "fused", 100, quiet, self.replaced, 0.0, self.close)

    def again(self, unit_records: int, identity: str, **other: str) -> Whole:
        """A run of the same source that takes this one's place."""
        bed = Whole.__new__(Whole)
        bed.__dict__.update(self.__dict__ | other | {"replaced": self.run, "unit_records": unit_records})
        units = cut_units(list_records(self.source), unit_records, 10**9)
        bed.run = plan_run(self.output, units, lambda record: record.key, bed.header, identity)
        make_current(bed.run)
        return bed

    def there(self) -> list[str]:
        return [name for name in self.run.outputs.names() if not name.startswith((layout.RUNS, layout.CURRENT))]


class Nothing:
    def names(self, key: str) -> tuple[str, ...]:
        return ()

    def own(self, folder: Folder, name: str) -> bool:
        return False


def gc(run: Run, *, dry_run: bool = False) -> dict[str, int]:
    garbage: Garbage = collect_garbage(run, lambda one: Nothing(), 0.0, dry_run=dry_run)
    return {kind: pile.objects for kind, pile in garbage.piles.items() if pile.objects}


PARTS = [f"{layout.PARTS}/unit-{number:06d}.txt" for number in range(3)]


def test_the_manifest_names_what_closing_wrote(tmp_path: Path) -> None:
    bed = Whole(tmp_path, TEXTS)
    assert finals_of(bed.run) is None
    assert bed.end().state == "complete"
    manifest = bed.run.manifest()
    assert manifest is not None
    text = b"ONE\nTWO\nTHREE\nFOUR"
    row = {"path": WHOLE, "size": len(text), "sha256": hashlib.sha256(text).hexdigest(), "role": FINAL, "key": ""}
    assert manifest["finals"] == [row]
    assert finals_of(bed.run) == (Output(**row),)
    assert bed.output.read(WHOLE) == text


def test_a_run_without_closing_has_no_finals(tmp_path: Path) -> None:
    bed = Bed(tmp_path, TEXTS)
    bed.drive()
    assert finals_of(bed.run) == ()
    manifest = json.loads(bed.run.folder.read(layout.MANIFEST))
    del manifest["finals"]
    bed.run.folder.write(layout.MANIFEST, json.dumps(manifest).encode())  # as versions before this one wrote it
    assert finals_of(bed.run) == ()
    assert verify(bed.run).clean


def test_verify_compares_finals_and_does_without_swept_parts(tmp_path: Path) -> None:
    bed = Whole(tmp_path, TEXTS)
    bed.end()
    with_parts = verify(bed.run)
    assert with_parts.clean
    assert with_parts.checked == 1
    assert drop_intermediates(bed.run) == 3
    assert drop_intermediates(bed.run) == 3
    assert bed.there() == [WHOLE]
    assert verify(bed.run).clean
    bed.output.write(WHOLE, b"another")
    assert verify(bed.run).changed == [WHOLE]
    bed.output.delete(WHOLE)
    assert verify(bed.run).missing == [WHOLE]


def test_verify_looks_for_parts_until_they_are_closed(tmp_path: Path) -> None:
    bed = Whole(tmp_path, TEXTS)
    bed.close = refuse  # type: ignore[method-assign]
    with pytest.raises(StorageError):
        bed.end()
    assert verify(bed.run).checked == 3
    bed.output.delete(PARTS[1])
    assert verify(bed.run).missing == [PARTS[1]]
    assert finals_of(bed.run) is None
    with pytest.raises(RunConflictError, match="is not complete"):
        drop_intermediates(bed.run)


def refuse(run: Run) -> list[Output]:
    raise StorageError("not yet")


def test_closing_that_failed_is_done_when_the_run_is_driven_again(tmp_path: Path) -> None:
    bed = Whole(tmp_path, TEXTS)
    close = bed.close
    bed.close = refuse  # type: ignore[method-assign]
    with pytest.raises(StorageError):
        bed.end()
    assert not bed.run.complete
    bed.close = close  # type: ignore[method-assign]
    outcome = bed.end()
    assert (outcome.state, outcome.worked) == ("complete", 0)
    assert verify(bed.run).clean


def test_finals_are_known_but_not_compared_once_a_retry_is_planned(tmp_path: Path) -> None:
    bed = Whole(tmp_path, TEXTS, role="shard")
    bed.end()
    (tmp_path / "in/b/d.txt").write_text("good")
    units = [Unit("f" * 16, 9, tuple(replace(r, version="", size=-1) for r in records_of(bed.run, {"b/d.txt"})))]
    plan_retry(bed.run, units, lambda record: record.key)
    bed.output.write(WHOLE, b"half way")
    assert verify(bed.run).clean
    assert gc(bed.run) == {}
    assert bed.end().state == "complete"
    assert bed.output.read(WHOLE) == b"ONE\nTWO\nTHREE\nFOUR\nGOOD"
    assert verify(bed.run).clean


@pytest.mark.parametrize("role", ["shard", PART])
def test_a_container_stays_whose_unit_was_tried_twice(
    tmp_path: Path, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name has no attempt in it, so what the first attempt wrote is what the second one has committed."""
    bed = Whole(tmp_path, TEXTS, role=role)
    original = Ledger.commit
    lost: list[str] = []

    def commit(ledger: Ledger, made: Commit) -> bool:
        if not lost:
            lost.append(made.unit_id)
            raise StorageError("cut off")
        return original(ledger, made)

    monkeypatch.setattr(Ledger, "commit", commit)
    assert bed.end().state == "storage"
    assert bed.end().state == "complete"
    assert len(bed.there()) == 4
    assert gc(bed.run) == ({"parts": 3} if role == PART else {})
    assert verify(bed.run).clean


def test_an_attempt_that_comes_second_takes_nothing_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between its outputs and its commit another worker does the whole unit."""
    bed = Whole(tmp_path, TEXTS, role="shard")
    refs = {ref.unit_id: ref for ref in bed.run.refs()}
    original = Ledger.commit
    raced: set[str] = set()

    def commit(ledger: Ledger, made: Commit) -> bool:
        if made.unit_id not in raced:
            raced.add(made.unit_id)
            faster = LocalRunner().run(bed.spec, [refs[made.unit_id]], "fused", threading.Event())
            assert [receipt.state for receipt in faster] == ["done"]
        return original(ledger, made)

    monkeypatch.setattr(Ledger, "commit", commit)
    assert bed.end().state == "complete"
    assert {made.attempt for made in bed.run.ledger.commits(refs)} == {2}
    assert len(bed.there()) == 4
    assert verify(bed.run).clean


def test_parts_are_garbage_once_the_manifest_names_what_was_made_of_them(tmp_path: Path) -> None:
    bed = Whole(tmp_path, TEXTS)
    close = bed.close
    bed.close = refuse  # type: ignore[method-assign]
    with pytest.raises(StorageError):
        bed.end()
    assert gc(bed.run) == {}
    bed.close = close  # type: ignore[method-assign]
    bed.end()
    assert gc(bed.run, dry_run=True) == {"parts": 3}
    assert [name for name in bed.there() if name in PARTS] == PARTS
    assert gc(bed.run) == {"parts": 3}
    assert bed.there() == [WHOLE]
    assert gc(bed.run) == {}


def test_no_part_goes_once_a_retry_is_planned(tmp_path: Path) -> None:
    """Planned after the ledger was read: its workers may be writing parts that closing will need."""
    bed = Whole(tmp_path, TEXTS)
    bed.end()

    def claim_of(run: Run) -> Nothing:
        units = [Unit("f" * 16, 9, tuple(records_of(bed.run, {"b/d.txt"})))]
        plan_retry(bed.run, units, lambda record: record.key)
        return Nothing()

    with pytest.raises(RunAliveError, match="planned there meanwhile"):
        collect_garbage(bed.run, claim_of, 0.0)
    assert bed.there() == [*PARTS, WHOLE]


def test_a_final_is_no_garbage_whoever_claims_it(tmp_path: Path) -> None:
    class Everything:
        def names(self, key: str) -> tuple[str, ...]:
            return (WHOLE, "left.txt")

        def own(self, folder: Folder, name: str) -> bool:
            return True

    bed = Whole(tmp_path, TEXTS, role="shard")
    bed.end()
    bed.output.write("left.txt", b"by an attempt")
    assert collect_garbage(bed.run, lambda run: Everything(), 0.0).piles["outputs"].objects == 1
    assert verify(bed.run).clean


def test_parts_of_another_version_of_the_output_are_let_be(tmp_path: Path) -> None:
    first = Whole(tmp_path, TEXTS)
    first.close = refuse  # type: ignore[method-assign]
    with pytest.raises(StorageError):
        first.end()
    second = first.again(2, "another", prefix="versions/2")
    second.replaced = None
    del second.__dict__["close"]
    assert second.end().state == "complete"
    assert gc(second.run) == {"parts": 3}
    assert [name for name in first.output.names() if name in PARTS] == PARTS


def test_a_run_that_is_planned_in_the_place_of_another_keeps_parts_from_going(tmp_path: Path) -> None:
    first = Whole(tmp_path, TEXTS)
    first.end()
    second = first.again(2, "another")
    assert gc(second.run) == {}
    assert second.end().state == "complete"
    assert second.there() == [*PARTS, WHOLE]
    assert verify(second.run).clean
    assert gc(second.run) == {"parts": 3}


@pytest.mark.parametrize("quarantined", [False, True])
def test_nothing_of_a_replaced_run_stays(tmp_path: Path, quarantined: bool) -> None:
    texts = {key: text for key, text in TEXTS.items() if quarantined or text != "bad"}
    first = Whole(tmp_path, texts, unit_records=1, role="shard", final="old.txt")
    first.end()
    assert len(first.there()) == 5
    second = first.again(5, "another", final=WHOLE)
    assert second.end().state == "complete"
    assert second.there() == [WHOLE, "unit-000000.txt"]
    assert verify(second.run).clean


def test_finals_and_parts_of_a_run_go_that_one_without_closing_replaces(tmp_path: Path) -> None:
    first = Whole(tmp_path, TEXTS)
    first.end()
    second = first.again(2, "another")
    spec = replace(second.spec, sink=SinkSpec("mirror", second.run.outputs))
    outcome = drive(second.run, LocalRunner(), spec, "fused", 100, lambda tally, receipt: None, first.run)
    assert outcome.state == "complete"
    assert second.there() == ["a.txt", "b/c.txt", "e.txt", "f.txt"]
