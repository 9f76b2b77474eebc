"""Counting what units came to: records by state, reasons, and whatever the job kind counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.ledger import Commit, Quarantined
from pipeline.parcel import Receipt
from pipeline.quarantine import standing_commits
from pipeline.run import Run


@dataclass
class Tally:
    """Running counts of a run.

    A retry takes records out of quarantine without adding any, so `quarantined` is what is quarantined now.

    Attributes:
        units_planned: units of all rounds.
        records_planned: records of the plan; retries add none.
        units_committed: units with a commit.
        ok: records with outputs.
        quarantined: records in quarantine now.
        codes: records in quarantine by code; what receipts of a retry change shows at the next count of the ledger.
        counts: what the job kind counts.
        seconds: by stage, summed over units.
        output_bytes: bytes of all outputs that commits name.
        output_objects: how many those are.
    """

    units_planned: int
    records_planned: int
    units_committed: int = 0
    ok: int = 0
    quarantined: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    output_bytes: int = 0
    output_objects: int = 0

    @property
    def done(self) -> int:
        """Records that are decided."""
        return self.ok + self.quarantined

    @property
    def complete(self) -> bool:
        """Whether every unit is committed."""
        return self.units_committed == self.units_planned

    def add_receipt(self, receipt: Receipt, *, retry: bool) -> None:
        """Count a unit that a worker has just reported as committed."""
        self.units_committed += 1
        self.ok += receipt.ok
        self.counts.update(receipt.counts)
        if retry:
            self.quarantined -= receipt.ok
        else:
            self.quarantined += receipt.records - receipt.ok
            self.codes.update(receipt.codes)

    def add_commit(self, commit: Commit, standing: Sequence[Quarantined]) -> None:
        """Count a commit read from the ledger, and those of its quarantine rows that still stand."""
        self.units_committed += 1
        self.ok += commit.ok
        self.quarantined += len(standing)
        self.codes.update(row.code for row in standing)
        self.counts.update(commit.counts)
        for stage, seconds in commit.seconds.items():
            self.seconds[stage] += seconds  # type: ignore[assignment]
        self.output_bytes += commit.output_bytes
        self.output_objects += commit.output_objects

    def for_manifest(self) -> dict[str, Any]:
        """As the manifest of a finished run holds it."""
        return {
            "units": self.units_committed,
            "records": self.records_planned,
            "ok": self.ok,
            "quarantined": self.quarantined,
            "quarantined_by_code": dict(self.codes.most_common()),
            "outputs": self.output_objects,
            "output_bytes": self.output_bytes,
            "counts": dict(self.counts),
            "seconds": dict(self.seconds),
        }

    @staticmethod
    def of_manifest(manifest: Mapping[str, Any]) -> Tally:
        """The reverse of `for_manifest`."""
        return Tally(
            units_planned=manifest["units"],
            records_planned=manifest["records"],
            units_committed=manifest["units"],
            ok=manifest["ok"],
            quarantined=manifest["quarantined"],
            codes=Counter(manifest["quarantined_by_code"]),
            counts=Counter(manifest["counts"]),
            seconds=Counter(manifest["seconds"]),
            output_bytes=manifest["output_bytes"],
            output_objects=manifest["outputs"],
        )


def planned(run: Run) -> Tally:
    """A tally of nothing done yet."""
    rounds = run.rounds()
    return Tally(sum(summary.units for summary in rounds), rounds[0].records)


def tally_of(run: Run, committed: Collection[str] | None = None) -> Tally:
    """The run's counts: from its manifest when it is finished and no commit was lost since, else from its commits.

    Args:
        run: the run.
        committed: ids of the units to count; what the ledger lists now when not given. Of a finished run, those that
            are not among them are looked for before any is taken for lost.
    """
    known = run.ledger.committed() if committed is None else committed
    if (manifest := run.manifest()) is not None:
        unlisted = (ref.unit_id for ref in run.refs() if ref.unit_id not in known)
        if len(known) >= manifest["units"] or not run.ledger.lacks(unlisted):
            return Tally.of_manifest(manifest)
    tally = planned(run)
    for commit, rows in standing_commits(run, known):
        tally.add_commit(commit, rows)
    return tally
