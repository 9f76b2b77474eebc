"""What it costs to find out what is due in a large collection: `python -m benchmarks.nights --records 1000000`.

The state of a collection is made up, and a listing of the same records of which some are new, changed or gone; then
the real functions compare them, as a night does between its one listing and its plan. Listing itself is not measured:
it is storage's.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator

import pyarrow as pa

from jobs.nightly.columns import SCHEMA
from jobs.nightly.database import Database, database
from jobs.nightly.due import Asked, chosen_rows, counts, find_due, limit, load_listing, load_runs, records_of
from jobs.nightly.outdated import Gap
from jobs.spec.selection import Selection
from pipeline.records import Record

ROWS = 50_000


def key(number: int) -> str:
    """Of a record."""
    return f"collection/box-{number // 1000:05d}/scan-{number:08d}.tif"


def make_state(db: Database, records: int) -> None:
    """The table `state`: every tenth image has faces."""

    def batches() -> Iterator[pa.Table]:
        for start in range(0, records, ROWS):
            numbers = range(start, min(start + ROWS, records))
            names = [key(number) for number in numbers]
            columns = {
                "key": names,
                "status": ["current"] * len(names),
                "tries": [0] * len(names),
                "uri": [f"s3://museum/{name}" for name in names],
                "version": [f"{number:032x}" for number in numbers],
                "size": [number % 997 + 1000 for number in numbers],
                "sha256": [f"{number:064x}" for number in numbers],
                "output": names,
                "folded": names,
                "output_sha256": [f"{number:064x}" for number in numbers],
                "faces": [number % 10 == 0 for number in numbers],
                "run_id": ["1234567890abcdef"] * len(names),
                "made": ["2026-01-01T00:00:00.000+00:00"] * len(names),
                "last": ["2026-01-01T00:00:00.000+00:00"] * len(names),
            }
            blank = [None] * len(names)
            yield pa.table([pa.array(columns.get(field.name, blank)).cast(field.type) for field in SCHEMA], SCHEMA)

    db.load("state", SCHEMA, batches())


def listing(records: int, share: float) -> Iterator[tuple[Record, str]]:
    """The records as they are listed: a share of them changed, as many new, as many gone."""
    every = int(1 / share) if share else records + 1
    for number in range(records):
        if share and number % every == 1:
            continue
        version = f"{number + (1 << 64) if share and number % every == 0 else number:032x}"
        name = key(number)
        yield Record(name, f"s3://museum/{name}", version, number % 997 + 1000), name
    for number in range(records, records + (records // every if share else 0)):
        name = key(number)
        yield Record(name, f"s3://museum/{name}", f"{number:032x}", 1000), name


def measure(records: int, share: float, outdated: bool) -> str:
    """One row of the table."""
    with database() as db:
        make_state(db, records)
        gap = Gap(frozenset({"model"}) if outdated else frozenset(), (), faces_only=True)
        load_runs(db, {"1234567890abcdef": gap}, {"1234567890abcdef": "classic"}, "model")
        start = time.perf_counter()
        load_listing(db, listing(records, share))
        listed = time.perf_counter() - start
        start = time.perf_counter()
        find_due(db, Asked(Selection()))
        limit(db, None)
        found = counts(db)
        compared = time.perf_counter() - start
        start = time.perf_counter()
        planned = sum(1 for _ in records_of(db))
        rows = sum(table.num_rows for table in chosen_rows(db))
        read = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    due = ", ".join(
        f"{found[cause]:,} {cause}" for cause in ("new", "changed", "deleted", "outdated") if found.get(cause)
    )
    assert rows >= planned
    return f"| {records:,} | {due or 'nothing'} | {listed:.1f} | {compared:.1f} | {read:.1f} | {peak:,.0f} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    asked = parser.parse_args()
    print("| records | due | listing into the table, s | comparing, s | reading what is due, s | peak memory, MiB |")
    print("|---|---|---|---|---|---|")
    for share, outdated in ((0.0, False), (0.01, False), (0.0, True)):
        print(measure(asked.records, share, outdated), flush=True)


if __name__ == "__main__":
    main()
