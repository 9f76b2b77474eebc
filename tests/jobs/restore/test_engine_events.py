"""What befalls an engine is counted, and what it cannot mend ends the run rather than the records."""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from jobs.restore.first_alone import first_alone
from jobs.restore.improve import Improve
from jobs.restore.tables import count
from jobs.restore.work import FaceWork, ImageWork
from operators.engines.errors import EngineError
from operators.faces.face import Crop, Detection
from operators.images.info import ImageInfo
from operators.restorers.contract import Execution, FaceContext, Faces, RestorerInfo
from pipeline.errors import WorkerError
from pipeline.records import Item, Record
from pipeline.stage import UnitContext


@dataclass
class Tired:
    """A restorer of two engines: the first runs out of memory at its second batch, the second fails at its fourth."""

    info: RestorerInfo = field(default_factory=lambda: RestorerInfo("tired", "1", "ffhq", (1024,)))
    calls: int = 0
    events: Counter[str] = field(default_factory=Counter)

    def setup(self) -> None: ...

    def restore(self, faces: Faces, contexts: Sequence[FaceContext]) -> Faces:
        self.calls += 1
        if self.calls == 2:
            self.events.update(batch_halved=2, engine_fallback=1)
        if self.calls == 4:
            raise EngineError("the device is lost")
        return faces

    def execution(self) -> Execution:
        used = {"engine": "first" if self.calls < 2 else "second", "version": "1", "precision": "fp32", "device": "cpu"}
        events, self.events = self.events, Counter()
        return Execution({"asked": {"engine": "auto"}, "used": used, "passed_over": []}, dict(events))


def item(key: str, faces: int) -> Item:
    work = ImageWork(ImageInfo("png", 2000, 2000, 8, "rgb", False), "0" * 64, 1)
    for _ in range(faces):
        pixels = np.zeros((1024, 1024, 3), np.float32)
        crop = Crop(pixels, np.eye(2, 3), 1024, 1.0)
        detection = Detection((0, 0, 9, 9), np.zeros((5, 2)), 0.9)
        work.faces.append(FaceWork(detection, crop, np.zeros((5, 2)), status="restored"))
    work.row = {"output": {"changed": True}}
    return Item(Record(key, key, ""), work)


def context(counts: Counter[str]) -> UnitContext:
    return UnitContext(
        lambda record: b"",
        lambda record, artifacts: None,
        lambda name, data: None,
        lambda name, times: counts.update({name: times}),
    )


def test_events_are_counted_and_each_face_knows_its_engine() -> None:
    counts: Counter[str] = Counter()
    restorer = Tired()
    items = [item("a", 3), item("b", 6)]
    Improve(restorer, 0).process_batch(items, context(counts))
    assert restorer.calls == 3  # four faces of 1024 pixels a call
    assert counts == {"engine:batch_halved": 2, "engine:engine_fallback": 1}
    engines = [[face.engine["engine"] for face in one.payload.faces] for one in items]
    assert engines == [["first"] * 3, ["first", *["second"] * 5]]
    assert [one["used"]["engine"] for one in items[1].payload.engines["restorer"]] == ["first", "second"]
    assert count(items[1])["faces_by:second fp32 cpu"] == 5


def test_an_engine_without_a_successor_ends_the_run() -> None:
    restorer = Tired(calls=3)
    with pytest.raises(WorkerError, match="the device is lost"):
        Improve(restorer, 0).process_batch([item("a", 1)], context(Counter()))


def prepare(folder: Path, log: Path) -> None:
    with first_alone(folder, "network"):
        with log.open("a") as file:
            file.write("begin\n")
        time.sleep(0.3)
        with log.open("a") as file:
            file.write("end\n")


def test_the_first_worker_of_a_machine_prepares_alone(tmp_path: Path) -> None:
    log = tmp_path / "log"
    workers = multiprocessing.get_context("fork")
    processes = [workers.Process(target=prepare, args=(tmp_path / "engines", log)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    lines = log.read_text().split()
    assert lines[:2] == ["begin", "end"]
    assert Counter(lines) == {"begin": 4, "end": 4}


def test_where_nothing_can_be_written_nobody_waits(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    prepare(tmp_path / "file", tmp_path / "log")
    assert (tmp_path / "log").read_text().split() == ["begin", "end"]


def test_a_failure_leaves_the_turn_to_the_next(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), first_alone(tmp_path, "network"):
        raise RuntimeError("no memory")
    prepare(tmp_path, tmp_path / "log")
    with first_alone(tmp_path, "network"), first_alone(tmp_path, "network"):
        pass  # prepared once, nobody holds the lock any more
