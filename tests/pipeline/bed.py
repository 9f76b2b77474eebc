"""A source folder of texts, an output folder, and a workflow that makes them upper case."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from pipeline.cutting import cut_units
from pipeline.driver import Outcome, drive
from pipeline.errors import RecordError, StorageError
from pipeline.plan import PlanSummary
from pipeline.quarantine import standing
from pipeline.records import Artifact, Item
from pipeline.run import Run, RunHeader, make_first, plan_run
from pipeline.runners.local import LocalRunner
from pipeline.sinks import SinkSpec
from pipeline.sources import SourceSpec, list_records
from pipeline.stage import Segment, UnitContext, Workflow
from pipeline.storage import Folder
from pipeline.worker import WorkerSpec


@dataclass
class Text:
    data: bytes
    held_bytes: int = 10

    def release(self) -> None: ...


@dataclass
class Load:
    name: str = "load"

    def setup(self) -> None: ...

    def process(self, item: Item, context: UnitContext) -> None:
        data = context.read(item.record)
        if b"bad" in data:
            raise RecordError("bad_text", "found 'bad'")
        if b"storage" in data:
            raise StorageError("bucket is gone")
        item.payload = Text(data)


@dataclass
class Upper:
    name: str = "upper"

    def setup(self) -> None: ...

    def process_batch(self, items: list[Item], context: UnitContext) -> None:
        for item in items:
            item.payload.data = item.payload.data.upper()


@dataclass
class Put:
    name: str = "put"

    def setup(self) -> None: ...

    def process(self, item: Item, context: UnitContext) -> None:
        context.put(item.record, [Artifact(item.record.key, "image", item.payload.data)])


def workflow() -> Workflow:
    return Workflow(
        Segment("front", (Load(),)),
        Segment("middle", (Upper(),)),
        Segment("back", (Put(),)),
        count=lambda item: {"letters": len(item.payload.data)},
        rows=lambda item: {"texts": [{"key": item.record.key}]},
        tables={"texts": pa.schema([("key", pa.string())])},
    )


@dataclass
class Bed:
    """A source folder and an output folder, with a run planned between them."""

    root: Path
    texts: dict[str, str]
    unit_records: int = 2
    run: Run = field(init=False)

    def __post_init__(self) -> None:
        for name, text in self.texts.items():
            path = self.root / "in" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        units = cut_units(list_records(self.source), self.unit_records, 10**9)
        self.run = plan_run(self.output, units, lambda record: record.key, self.header, "identity")
        make_first(self.run)

    @property
    def source(self) -> SourceSpec:
        return SourceSpec("files", str(self.root / "in"), include=("*.txt",))

    @property
    def output(self) -> Folder:
        return Folder(str(self.root / "out"))

    @property
    def spec(self) -> WorkerSpec:
        return WorkerSpec(self.run.folder, self.source, SinkSpec("mirror", self.run.outputs), workflow)

    def header(self, run_id: str, plan: PlanSummary) -> RunHeader:
        return RunHeader(run_id, "texts", "test", {}, {}, plan)

    def drive(self, max_quarantined: int = 100, placement: str = "fused") -> Outcome:
        return drive(
            self.run,
            LocalRunner(),
            self.spec,
            placement,
            max_quarantined,
            lambda tally, receipt: None,  # type: ignore[arg-type]
        )

    def outputs(self) -> dict[str, str]:
        out = self.root / "out"
        return {
            str(path.relative_to(out)): path.read_text()
            for path in sorted(out.rglob("*"))
            if path.is_file() and "_facejobs" not in path.parts
        }


def quarantined(bed: Bed) -> dict[str, str]:
    return {row.key: row.code for row in standing(bed.run)}


TEXTS = {"a.txt": "one", "b/c.txt": "two", "b/d.txt": "bad", "e.txt": "three", "f.txt": "four"}
UPPER = {"a.txt": "ONE", "b/c.txt": "TWO", "e.txt": "THREE", "f.txt": "FOUR"}
