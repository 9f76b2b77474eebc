"""What a source holds, counted without reading any image; and sizes and times in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from jobs.console import Output
from jobs.places import source_of
from jobs.spec import Spec
from pipeline.cutting import cut_units
from pipeline.records import Record
from pipeline.sources import Ignored, list_records

SPREAD = 97
"""Every so manieth record is a candidate for the sample, so that it does not come from one folder alone."""


@dataclass
class Listing:
    """What a source holds.

    Attributes:
        records: how many.
        units: in how many units.
        bytes: sum of the records' sizes, as far as known.
        problems: records that are known to fail, by code.
        ignored: other objects, by why they were left out.
        sample: records to try.
    """

    records: int = 0
    units: int = 0
    bytes: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    ignored: dict[str, int] = field(default_factory=dict)
    sample: list[Record] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """As JSON values, without the sample."""
        return {
            "records": self.records,
            "units": self.units,
            "bytes": self.bytes,
            "problems": dict(self.problems),
            "ignored": self.ignored,
        }

    def say(self, uri: str, out: Output) -> None:
        """In words."""
        out.say(f"{uri}: {self.records} records, {size_text(self.bytes)}, in {self.units} units")
        for code, count in self.problems.most_common():
            out.say(f"  {count} would go straight to quarantine: {code}")
        for reason, count in self.ignored.items():
            out.say(f"  {count} other objects are left out: {reason}")


def survey_source(job: Spec, sample: int) -> Listing:
    """List a job's source; holds no more than one unit at a time.

    Args:
        job: any.
        sample: how many records to choose for trying.
    """
    listing = Listing()
    ignored = Ignored()
    spares: list[Record] = []
    for unit in cut_units(list_records(source_of(job), ignored), job.run.unit_records, job.run.unit_bytes):
        listing.units += 1
        for record in unit.records:
            if record.problem:
                listing.problems[record.problem.partition(":")[0]] += 1
            elif listing.records % SPREAD == 0 and len(listing.sample) < sample:
                listing.sample.append(record)
            elif len(spares) < sample:
                spares.append(record)
            listing.records += 1
            listing.bytes += max(record.size, 0)
    listing.sample.extend(spares[: sample - len(listing.sample)])
    listing.ignored = dict(ignored.counts)
    return listing


def size_text(count: float) -> str:
    """Bytes in the largest unit that leaves a whole number."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def time_text(hours: float) -> str:
    """Hours in seconds, minutes or hours, whichever suits."""
    if hours < 1 / 60:
        return f"{hours * 3600:.0f} s"
    return f"{hours * 60:.0f} min" if hours < 2 else f"{hours:.1f} h"
