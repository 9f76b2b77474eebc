"""What a worker lacks is no record's fault: the run ends with a message, and can be resumed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pipeline.driver import Outcome, drive
from pipeline.errors import StorageError, WorkerError
from pipeline.records import Item
from pipeline.runners.contract import Pools, Runner
from pipeline.runners.local import LocalRunner
from pipeline.runners.ray import RayRunner
from pipeline.stage import Segment, UnitContext, Workflow
from pipeline.tally import tally_of
from pipeline.worker import Worker, WorkerSpec

from .bed import TEXTS, UPPER, Bed, Upper, quarantined, workflow


@dataclass(frozen=True)
class Faulty:
    """A workflow whose middle stage fails in one of its calls, or counts what befell it; travels to workers."""

    error: Exception | None = None
    where: str = "setup"

    def __call__(self) -> Workflow:
        return replace(workflow(), middle=Segment("middle", (Stage(self.error, self.where),)))


@dataclass
class Stage(Upper):
    error: Exception | None = None
    where: str = "setup"
    name: ClassVar[str] = "middle"  # type: ignore[misc]

    def __init__(self, error: Exception | None, where: str) -> None:
        self.error, self.where = error, where

    def setup(self) -> None:
        if self.where == "setup" and self.error is not None:
            raise self.error

    def process_batch(self, items: list[Item], context: UnitContext) -> None:
        if self.where == "call" and self.error is not None:
            raise self.error
        context.count("batches", 1)
        super().process_batch(items, context)


def run(bed: Bed, runner: Runner, placement: Any, **faults: Any) -> Outcome:
    spec = replace(bed.spec, workflow=Faulty(**faults))
    return drive(bed.run, runner, spec, placement, 100, lambda tally, receipt: None)


RUNNERS = [
    pytest.param(LocalRunner(), "fused", id="local-fused"),
    pytest.param(LocalRunner(), "staged", id="local-staged"),
    pytest.param(RayRunner(Pools()), "fused", id="ray-fused", marks=pytest.mark.ray),
    pytest.param(RayRunner(Pools()), "staged", id="ray-staged", marks=pytest.mark.ray),
]
FAULTS = [
    (WorkerError("the model is not there: facejobs models pull gfpgan-1.4"), "incomplete"),
    (RuntimeError("the model is not there: facejobs models pull gfpgan-1.4"), "incomplete"),
    (StorageError("the bucket with the model is not there: facejobs models pull gfpgan-1.4"), "storage"),
    (ConnectionError("the bucket with the model is not there: facejobs models pull gfpgan-1.4"), "storage"),
]


@pytest.mark.parametrize(("runner", "placement"), RUNNERS)
def test_a_worker_that_cannot_start_ends_the_run_and_it_can_be_resumed(
    tmp_path: Path, runner: Runner, placement: str
) -> None:
    for number, (error, state) in enumerate(FAULTS[:1] if isinstance(runner, RayRunner) else FAULTS):
        bed = Bed(tmp_path / str(number), TEXTS)
        outcome = run(bed, runner, placement, error=error)
        assert outcome.state == state
        assert "facejobs models pull gfpgan-1.4" in outcome.message
        assert "Traceback" not in outcome.message
        assert quarantined(bed) == {}
        assert tally_of(bed.run).units_committed == 0
        assert bed.drive().state == "complete"
        assert bed.outputs() == UPPER


@pytest.mark.parametrize("placement", ["fused", "staged"])
def test_a_device_that_fails_sends_no_record_to_quarantine(tmp_path: Path, placement: str) -> None:
    bed = Bed(tmp_path, TEXTS)
    outcome = run(bed, LocalRunner(), placement, error=WorkerError("the GPU is lost"), where="call")
    assert outcome.state == "incomplete"
    assert "the GPU is lost" in outcome.message
    assert quarantined(bed) == {}
    assert bed.drive().state == "complete"
    assert bed.outputs() == UPPER


def test_who_cannot_start_is_named(tmp_path: Path) -> None:
    spec: WorkerSpec = replace(Bed(tmp_path, TEXTS).spec, workflow=Faulty(RuntimeError("no such file")))
    with pytest.raises(WorkerError, match="cannot set up stage 'middle': no such file"):
        Worker(spec)


@pytest.mark.parametrize("placement", ["fused", "staged"])
def test_what_a_stage_counts_is_in_the_commits(tmp_path: Path, placement: str) -> None:
    bed = Bed(tmp_path, TEXTS)
    outcome = run(bed, LocalRunner(), placement)
    assert outcome.state == "complete"
    assert (outcome.tally.counts["batches"], outcome.tally.counts["letters"]) == (3, 15)
