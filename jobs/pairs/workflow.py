"""A pairs run as stages. One does it all: what would travel between two is larger than what it is made from."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.pairs.make import Make, PairWork
from jobs.pairs.settings import PairsSettings
from jobs.pairs.tables import TABLES
from jobs.versions import pixel_versions
from pipeline.records import Item
from pipeline.stage import Segment, Workflow


@dataclass(frozen=True)
class PairsWorkflow:
    """Builds the workflow in whichever process calls it; travels there by pickle.

    Attributes:
        settings: what becomes of a sample.
        samples: pictures that the report has room for.
        pairs: planned pairs.
    """

    settings: PairsSettings
    samples: int
    pairs: int

    def __call__(self) -> Workflow:
        """The stages, not set up yet."""
        make = Make(self.settings, pixel_versions(), self.samples, self.pairs)
        return Workflow(
            front=Segment("before", ()),
            middle=Segment("between", ()),
            back=Segment("make", (make,)),
            count=_count,
            rows=_rows,
            tables=TABLES,
        )


def _count(item: Item) -> dict[str, int]:
    work: PairWork = item.payload
    return {"pairs": 1, f"pairs:{work.row['split']}": 1, "bytes_out": work.bytes_out}


def _rows(item: Item) -> dict[str, list[dict[str, object]]]:
    work: PairWork = item.payload
    return {"pairs": [work.row]}
