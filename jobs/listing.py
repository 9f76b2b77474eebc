"""What a source holds, counted without reading any image, and which of its records are worth trying."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from jobs.console import Output
from jobs.estimate.strata import SizeClasses, Stratum
from jobs.estimate.work import Units
from jobs.places import source_of
from jobs.report.text import size
from jobs.spec import Sourced
from pipeline.cutting import cut_units
from pipeline.records import Record
from pipeline.sources import Ignored, list_records


@dataclass
class Listing:
    """What there is to do.

    Attributes:
        records: how many.
        units: in which units.
        bytes: sum of the records' sizes, as far as known.
        problems: records that are known to fail, by code.
        ignored: other objects, by why they were left out.
        strata: the other records by size, with those to try.
        seconds: that the listing took.
    """

    records: int = 0
    units: Units = field(default_factory=Units)
    bytes: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    ignored: dict[str, int] = field(default_factory=dict)
    strata: list[Stratum] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def sample(self) -> list[Record]:
        """Records to try."""
        return [record for stratum in self.strata for record in stratum.chosen]

    def plain(self) -> dict[str, Any]:
        """As JSON values, without the sample."""
        return {
            "records": self.records,
            "units": len(self.units),
            "bytes": self.bytes,
            "problems": dict(self.problems),
            "ignored": self.ignored,
        }

    def say(self, uri: str, out: Output) -> None:
        """In words."""
        out.say(f"{uri}: {self.records:,} records, {size(self.bytes)}, in {len(self.units):,} units")
        for code, count in self.problems.most_common():
            out.say(f"  {count:,} would go straight to quarantine: {code}")
        for reason, count in self.ignored.items():
            out.say(f"  {count:,} other objects are left out: {reason}")


def survey_source(job: Sourced, sample: int) -> Listing:
    """List a job's source; holds no more than one unit at a time, and a sample.

    Args:
        job: any.
        sample: how many records to choose for trying.
    """
    ignored = Ignored()
    listing = survey_records(job, list_records(source_of(job), ignored), sample)
    listing.ignored = dict(ignored.counts)
    return listing


def survey_records(job: Sourced, records: Iterable[Record], sample: int) -> Listing:
    """Count records that are to be done, wherever they come from, and choose some of each size for trying.

    Args:
        job: which cuts them into units.
        records: a whole source, or what is due of it.
        sample: how many records to choose.
    """
    start = time.perf_counter()
    listing = Listing()
    classes = SizeClasses(sample)
    for unit in cut_units(records, job.run.unit_records, job.run.unit_bytes):
        sound = [record for record in unit.records if not record.problem]
        for record in sound:
            classes.add(record)
        listing.problems.update(record.problem.partition(":")[0] for record in unit.records if record.problem)
        listing.units.add(len(sound), sum(max(record.size, 0) for record in sound))
        listing.records += len(unit.records)
        listing.bytes += sum(max(record.size, 0) for record in unit.records)
    listing.strata = classes.strata()
    listing.seconds = time.perf_counter() - start
    return listing
