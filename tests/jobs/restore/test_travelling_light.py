"""What an image holds when it travels between workers: crops until they are restored, then what was made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jobs.restore.settings import RestoreSettings
from jobs.restore.workflow import RestoreWorkflow
from jobs.spec import load
from pipeline.flow import Flow, Stopwatch
from pipeline.records import Item, Record
from pipeline.stage import UnitContext

if TYPE_CHECKING:
    from .conftest import Bench


def test_crops_are_let_go_once_restored_and_cut_again_alike(bench: Bench) -> None:
    workflow = RestoreWorkflow(RestoreSettings.of(load(bench.job())), "test", "0" * 64, 0, 1)()
    for segment in workflow.segments:
        for stage in segment.stages:
            stage.setup()
    record = Record("box1/plate.tif", "", "")
    context = UnitContext(lambda _: bench.files[record.key], lambda record, artifacts: None, lambda name, data: None)
    item, flow = Item(record), Flow(1)
    flow.carry(workflow.front, [item], context, Stopwatch())
    item.payload.release()
    crop = item.payload.faces[0].crop
    assert crop.pixels.size > 0
    before = item.payload.held_bytes
    flow.carry(workflow.middle, [item], context, Stopwatch())
    item.payload.release()
    assert item.payload.faces[0].crop.pixels.size == 0
    assert item.payload.held_bytes <= before
    judge = workflow.back.stages[0]
    judge.process(item, context)  # type: ignore[union-attr]
    assert np.array_equal(item.payload.faces[0].crop.pixels, crop.pixels)
    assert item.payload.faces[0].scores.identity > 0.6
