"""The bed of `tests/pipeline/bed.py`, source and output in one bucket."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.cutting import cut_units
from pipeline.driver import Outcome, drive
from pipeline.plan import PlanSummary
from pipeline.run import Run, RunHeader, make_first, plan_run
from pipeline.runners.local import LocalRunner
from pipeline.sinks import SinkSpec
from pipeline.sources import SourceSpec, list_records
from pipeline.storage import Folder
from pipeline.worker import WorkerSpec

from ..bed import TEXTS, UPPER, workflow  # noqa: TID252

__all__ = ["TEXTS", "UPPER", "S3Bed"]


@dataclass
class S3Bed:
    """A source, and an output with a run planned in it.

    Attributes:
        place: folder that both lie in.
        texts: of the source.
        layout: of the output.
    """

    place: Folder
    texts: dict[str, str]
    layout: str = "mirror"
    output: Folder | None = None
    run: Run = field(init=False)

    def __post_init__(self) -> None:
        source = self.place.child("in")
        for name, text in self.texts.items():
            source.write(name, text.encode())
        self.spec_of_source = SourceSpec("files", source.uri, source.options, include=("*.txt",))
        self.output = self.output or self.place.child("results")
        units = cut_units(list_records(self.spec_of_source), 2, 10**9)
        self.run = plan_run(self.output, units, lambda record: record.key, _header, "identity")
        make_first(self.run)

    @property
    def spec(self) -> WorkerSpec:
        return WorkerSpec(self.run.folder, self.spec_of_source, SinkSpec(self.layout, self.run.outputs), workflow)

    def drive(self, spec: WorkerSpec | None = None) -> Outcome:
        return drive(self.run, LocalRunner(), spec or self.spec, "fused", 1000, lambda tally, receipt: None)

    def outputs(self, folder: Folder) -> dict[str, bytes]:
        return {name: folder.read(name) for name in folder.names() if not name.startswith("_facejobs/")}


def _header(run_id: str, plan: PlanSummary) -> RunHeader:
    return RunHeader(run_id, "texts", "test", {}, {}, plan)
