"""The restore operators in a bare loop over files: no plan, no ledger, no Ray. What the flow is measured against."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from threadpoolctl import threadpool_limits

from jobs.restore.settings import RestoreSettings
from jobs.restore.workflow import RestoreWorkflow
from jobs.spec import load
from pipeline.flow import Flow, Stopwatch
from pipeline.records import Artifact, Item, Record
from pipeline.stage import UnitContext

BATCH = 64


def main() -> None:
    """Process every `of`-th file from `part` on: bare_loop.py JOB SOURCE OUTPUT PART OF."""
    threadpool_limits(limits=1)
    job, source, output, part, of = (
        sys.argv[1],
        Path(sys.argv[2]),
        Path(sys.argv[3]),
        int(sys.argv[4]),
        int(sys.argv[5]),
    )
    workflow = RestoreWorkflow(RestoreSettings.of(load(job)), "bench", "0" * 64, 0, 1)()
    for segment in workflow.segments:
        for stage in segment.stages:
            stage.setup()

    def put(_record: Record, artifacts: Sequence[Artifact]) -> None:
        for artifact in artifacts:
            path = output / artifact.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(artifact.data)

    context = UnitContext(lambda record: Path(record.uri).read_bytes(), put, lambda name, data: None)
    files = sorted(path for path in source.rglob("*.jpg"))[part::of]
    start = time.time()
    for first in range(0, len(files), BATCH):
        items = [
            Item(Record(str(path.relative_to(source)), str(path), "", path.stat().st_size))
            for path in files[first : first + BATCH]
        ]
        Flow(1).carry_all(workflow.segments, items, context, Stopwatch())
        failed = [item.failure for item in items if item.failure]
        if failed:
            raise SystemExit(f"failed: {failed[0]}")
    sys.stdout.write(f"{start} {time.time()} {len(files)}\n")


if __name__ == "__main__":
    main()
