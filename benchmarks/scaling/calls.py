"""How often a unit calls storage, counted at a worker in this process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.scaling.case import Case, Phase, planned_run
from benchmarks.scaling.work import Gate, Sleeps
from pipeline.parcel import Parcel
from pipeline.storage import Folder
from pipeline.worker import Worker


@dataclass(frozen=True)
class CountedFolder(Folder):
    """A folder that counts what is asked of it, in one counter with the folders below it."""

    calls: Counter[str] = field(default_factory=Counter, repr=False)

    def child(self, name: str) -> CountedFolder:
        """See `Folder.child`."""
        return CountedFolder(f"{self.uri}/{name}", self.options, self.sole, self.calls)

    def read(self, name: str) -> bytes:
        """See `Folder.read`."""
        self.calls["read"] += 1
        return super().read(name)

    def write(self, name: str, data: bytes) -> None:  # type: ignore[override]  # the other one is decorated
        """See `Folder.write`."""
        self.calls["write"] += 1
        super().write(name, data)

    def create(self, name: str, data: bytes) -> bool:
        """See `Folder.create`."""
        self.calls["create"] += 1
        return super().create(name, data)

    def walk(self, prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
        """See `Folder.walk`."""
        self.calls["list"] += 1
        return super().walk(prefix)


def calls_of_unit(folder: Path, unit_records: int) -> Counter[str]:
    """Calls of one unit in a fused worker to the run's folder and to the outputs, by kind; not the first unit's.

    A record's own bytes are one read more for each record, and one look at its version.
    """
    phases = (Phase(unit_records, 2),)
    case = Case(1, "fused", False, phases, Sleeps(0.0, 0.0, 0.0), 0, 100, 100, str(folder))
    run, spec = planned_run(case)
    Gate(Folder(str(folder)).child("gate")).open()
    counted = CountedFolder(run.folder.uri)
    outputs = CountedFolder(run.outputs.uri, calls=counted.calls)
    worker = Worker(replace(spec, run=counted, sink=replace(spec.sink, folder=outputs)))
    first, second = run.refs()
    worker(Parcel(first))
    counted.calls.clear()
    receipt = worker(Parcel(second)).receipt
    assert receipt is not None and receipt.state == "done", receipt
    return counted.calls
