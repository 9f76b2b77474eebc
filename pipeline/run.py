"""A run: plan, ledger and outputs under one root. How one is made, found again, and told apart from another."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pipeline import layout
from pipeline.errors import NoSuchRunError, RunAliveError, RunConflictError
from pipeline.intact import START_AGAIN, intact
from pipeline.layout import RunFolder
from pipeline.ledger import Ledger, now
from pipeline.marks import is_over, said
from pipeline.plan import PlanSummary, PlanWriter, UnitRef, read_refs, write_plan
from pipeline.records import Record, Unit
from pipeline.storage import Folder


@dataclass(frozen=True)
class RunHeader:
    """What a run is, frozen when it was planned (`run.json`).

    Attributes:
        run_id: hash of the plan and of the identity.
        name: the job's name.
        kind: the job kind.
        identity: everything that changes output: the canonical job, models by content hash, code version.
        job: the canonical job file for people to read, no secrets.
        plan: the plan in numbers.
        prefix: folder of this run's outputs below the output root; empty for the root itself.
        replaces: the run whose outputs in that folder this one writes over; empty where there was none.
        created: ISO 8601, UTC.
        notes: what the planning has to say (files ignored, ...).
        night: which night of a collection it is, from 1; 0 for a run over all of its source.
        follows: of a night, the run before it, whose outputs stand beside its own; empty where there was none.
    """

    run_id: str
    name: str
    kind: str
    identity: Mapping[str, Any]
    job: Mapping[str, Any]
    plan: PlanSummary
    prefix: str = ""
    replaces: str = ""
    created: str = ""
    notes: tuple[str, ...] = field(default_factory=tuple)
    night: int = 0
    follows: str = ""

    def to_bytes(self) -> bytes:
        """As JSON."""
        return json.dumps(asdict(self), indent=1).encode()

    @staticmethod
    def from_bytes(data: bytes) -> RunHeader:
        """From JSON."""
        raw = json.loads(data)
        raw["plan"] = PlanSummary(**raw["plan"])
        raw["notes"] = tuple(raw["notes"])
        return RunHeader(**raw)


@dataclass(frozen=True)
class Run:
    """An opened run.

    Attributes:
        output: the output root.
        header: what the run is.
    """

    output: Folder
    header: RunHeader

    @property
    def folder(self) -> Folder:
        """The run's own folder."""
        return RunFolder(self.output, self.header.run_id).folder

    @property
    def outputs(self) -> Folder:
        """The folder that output names are relative to."""
        return self.output.child(self.header.prefix) if self.header.prefix else self.output

    @property
    def ledger(self) -> Ledger:
        """The run's ledger."""
        return Ledger(self.folder)

    def rounds(self) -> list[PlanSummary]:
        """Rounds planned so far, in numbers: the plan, and then each retry of what was quarantined."""
        summaries = [self.header.plan]
        while True:
            name = layout.round_header(len(summaries))
            try:
                with intact(self.folder, name, START_AGAIN):
                    summaries.append(PlanSummary(**json.loads(self.folder.read(name))))
            except FileNotFoundError:
                return summaries

    def refs(self) -> Iterator[UnitRef]:
        """Every unit of every round, in order."""
        for round_, summary in enumerate(self.rounds()):
            yield from read_refs(self.folder, round_, layout.plan_name(round_, summary.digest))

    @property
    def closed(self) -> bool:
        """Whether it was ended for good before all of its units were committed; see `pipeline.history.close`."""
        try:
            self.folder.read(layout.CLOSED)
        except FileNotFoundError:
            return False
        return True

    @property
    def complete(self) -> bool:
        """Whether every planned unit is committed; the manifest is written only then."""
        return self.manifest() is not None

    def manifest(self) -> dict[str, Any] | None:
        """The manifest, if the run has come to its end and no retry was planned since."""
        try:
            with intact(self.folder, layout.MANIFEST, "remove it and run the job again, which writes it anew"):
                manifest: dict[str, Any] = json.loads(self.folder.read(layout.MANIFEST))
                return manifest if manifest["rounds"] == len(self.rounds()) else None
        except FileNotFoundError:
            return None


def current_run(output: Folder) -> Run | None:
    """The run whose results the output holds now."""
    try:
        with intact(output, layout.CURRENT, "remove it and run the job again, which writes it anew"):
            run_id = str(json.loads(output.read(layout.CURRENT))["run_id"])
    except FileNotFoundError:
        return None
    return open_run(output, run_id)


def open_run(output: Folder, run_id: str) -> Run:
    """A run by its id. Raises NoSuchRunError where there is none."""
    folder = RunFolder(output, run_id).folder
    try:
        with intact(folder, layout.HEADER, START_AGAIN):
            header = RunHeader.from_bytes(folder.read(layout.HEADER))
    except FileNotFoundError as error:
        raise NoSuchRunError(
            f"{folder.uri}/{layout.HEADER}: it is missing, so there is no run {run_id}; put it back from a backup, or "
            f"remove {output.uri}/{layout.CURRENT} and run the job with `output.existing: replace`"
        ) from error
    return Run(output, header)


def make_current(run: Run) -> None:
    """Note that the output holds this run's results now, whatever it held."""
    run.output.write(layout.CURRENT, _pointer(run))


def make_first(run: Run) -> None:
    """Make a run the current one of an output that had none. Raises RunConflictError when another was faster."""
    if run.output.create(layout.CURRENT, _pointer(run)):
        return
    current = current_run(run.output)
    if current is None or current.header.run_id != run.header.run_id:
        raise RunConflictError(
            f"{run.output.uri}: another job was started there while this one listed its source; name another output.uri"
        )


def plan_run(
    output: Folder,
    units: Iterable[Unit],
    output_name: Callable[[Record], str],
    header: Callable[[str, PlanSummary], RunHeader],
    identity_digest: str,
    attach: Callable[[Folder], None] | None = None,
) -> Run:
    """Plan a run; `make_first` or `make_current` then makes it the output's.

    The header is put create-only after every part of the plan, so a run either has its whole plan or does not exist;
    a driver that loses the race reads the winner's header, and since run ids are content hashes both mean the same.

    Args:
        output: the output root.
        units: of the source.
        output_name: see `PlanWriter`.
        header: makes the header of a run id and a plan.
        identity_digest: hash of all that tells this run from another with the same plan.
        attach: writes into the run's folder what belongs to its plan, before the run exists.
    """
    made: list[RunHeader] = []

    def deliver(writer: PlanWriter) -> PlanSummary:
        run_id = hashlib.sha256(f"{writer.digest}{identity_digest}".encode()).hexdigest()[:16]
        folder = RunFolder(output, run_id).folder
        summary = writer.finish(folder, layout.plan_name(0, writer.digest))
        made.append(header(run_id, summary))
        if attach is not None:
            attach(folder)
        folder.create(layout.HEADER, made[0].to_bytes())
        return summary

    write_plan(units, output_name, deliver)
    return open_run(output, made[0].run_id)


def plan_retry(run: Run, units: Iterable[Unit], output_name: Callable[[Record], str]) -> PlanSummary:
    """Plan one more round, of records that were quarantined; without any, nothing is planned.

    Raises RunConflictError when another retry, of other records, was planned at the same time; RunAliveError when
    garbage is being collected, though the round stands then and can be worked on later.
    """
    round_ = len(run.rounds())

    def deliver(writer: PlanWriter) -> PlanSummary:
        summary = writer.finish(run.folder, layout.plan_name(round_, writer.digest))
        if summary.units:
            run.folder.create(layout.round_header(round_), json.dumps(asdict(summary)).encode())
            if run.rounds()[round_] != summary:
                raise RunConflictError(
                    f"{run.output.uri}: another retry was planned at the same time; `facejobs run` finishes that one"
                )
            refuse_while_collecting(run.output)
        return summary

    return write_plan(units, output_name, deliver)


def refuse_while_collecting(output: Folder) -> None:
    """Raise RunAliveError while `facejobs gc` takes away mirrored outputs, whose names a run may give again.

    Whoever works on a run looks here after its plan stands; the collector looks at the plans after its mark stands. So
    of the two that come at once at least one sees the other.
    """
    try:
        with intact(output, layout.COLLECTING, "remove it if no `facejobs gc` is running"):
            mark = json.loads(output.read(layout.COLLECTING))
            if is_over(mark):
                return
            who = said(mark)
    except FileNotFoundError:
        return
    raise RunAliveError(
        f"{output.uri}/{layout.COLLECTING}: `facejobs gc` was begun by {who} and is still at work; let it end, "
        "then `facejobs run` goes on; if that process is gone, remove the file"
    )


def _pointer(run: Run) -> bytes:
    return json.dumps({"run_id": run.header.run_id, "since": now()}).encode()
