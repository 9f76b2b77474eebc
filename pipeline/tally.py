"""Counting what units came to: records by state, reasons, and whatever the job kind counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.ledger import Commit
from pipeline.plan import PlanSummary
from pipeline.worker import Receipt


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
        codes: quarantined records by code, as the plan's own round found them; `driver.tally_of` sets what stands now.
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
        self._add(receipt.records, receipt.ok, Counter(receipt.codes), Counter(receipt.counts), retry=retry)

    def add_commit(self, commit: Commit) -> None:
        """Count a commit read from the ledger."""
        codes = Counter(row.code for row in commit.quarantined)
        self._add(commit.records, commit.ok, codes, Counter(commit.counts), retry=commit.round > 0)
        for stage, seconds in commit.seconds.items():
            self.seconds[stage] += seconds  # type: ignore[assignment]
        self.output_bytes += sum(output.size for output in commit.outputs)
        self.output_objects += len(commit.outputs)

    def _add(self, records: int, ok: int, codes: Counter[str], counts: Counter[str], *, retry: bool) -> None:
        self.units_committed += 1
        self.ok += ok
        self.counts.update(counts)
        if retry:
            self.quarantined -= ok
        else:
            self.quarantined += records - ok
            self.codes.update(codes)


def planned(rounds: Iterable[PlanSummary]) -> Tally:
    """A tally of nothing done yet."""
    summaries = list(rounds)
    return Tally(sum(summary.units for summary in summaries), summaries[0].records)
