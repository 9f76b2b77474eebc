"""A run that makes a few synthetic pairs in a format, through the ledger and to its manifest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from jobs.pairs.formats.contract import About, PairFiles, PairFormat
from jobs.pairs.formats.table import make_format
from jobs.pairs.making import png
from jobs.pairs.record import Origin, described, pair_record, to_json
from jobs.pairs.tables import TABLES
from pipeline.cutting import unit_id
from pipeline.driver import Outcome, drive
from pipeline.errors import RecordError
from pipeline.plan import PlanSummary
from pipeline.quarantine import records_of, standing
from pipeline.records import Item, Output, Record, Unit
from pipeline.run import Run, RunHeader, make_current, plan_retry, plan_run
from pipeline.runners.local import LocalRunner
from pipeline.sinks import SinkSpec
from pipeline.sources import SourceSpec
from pipeline.stage import Segment, UnitContext, Workflow
from pipeline.storage import Folder
from pipeline.worker import WorkerSpec

Pixels = NDArray[np.uint8]
RECIPE = {"recipe": "blur", "steps": []}
RECIPE_SHA256 = hashlib.sha256(json.dumps(RECIPE, sort_keys=True).encode()).hexdigest()
ORIGIN = Origin("blur", RECIPE_SHA256, 7, "CC0-1.0", {"opencv": cv2.__version__})
SPLITS = {"train": 11, "val": 4}
SCALE = {"aligned": 1}
"""By how much degraded pictures are smaller, where not by half."""


def pixels_of(key: str, scale: int = 2) -> tuple[Pixels, Pixels, Pixels]:
    """Degraded picture, target and mask of a pair; width and height differ, so that no test mistakes them."""
    rng = np.random.default_rng(int(hashlib.sha256(key.encode()).hexdigest()[:8], 16))
    small = rng.integers(0, 256, (6, 8, 3), np.uint8)
    target = np.asarray(cv2.resize(small, (48, 40), interpolation=cv2.INTER_CUBIC), np.uint8)
    size = (48 // scale, 40 // scale)
    degraded = np.asarray(cv2.resize(cv2.GaussianBlur(target, (0, 0), 2.0), size), np.uint8)
    mask = np.zeros(degraded.shape[:2], np.uint8)
    mask[:3, : 1 + int(rng.integers(8))] = 255
    return degraded, target, mask


@dataclass(frozen=True)
class Pair:
    """A finished pair: a payload."""

    row: dict[str, Any]
    held_bytes: int = 100

    def release(self) -> None: ...


@dataclass(frozen=True)
class Make:
    """Makes pairs and puts them; pairs of keys in `stuck` fail until the file `mended` is there."""

    format: PairFormat
    scale: int
    stuck: frozenset[str]
    mended: Path
    name: str = "make"

    def setup(self) -> None: ...

    def process(self, item: Item, context: UnitContext) -> None:
        key, said = item.record.key, item.record.metadata
        if key in self.stuck and not self.mended.exists():
            raise RecordError("too_small", "found nothing to cut")
        degraded, target, mask = pixels_of(key, self.scale)
        sides = {
            "degraded": degraded if said["side"] != "B" else None,
            "target": target if said["side"] != "A" else None,
            "mask": mask if said["side"] != "B" else None,
        }
        data = {name: None if one is None else png(one) for name, one in sides.items()}
        record = pair_record(
            key=key,
            split=said["split"],
            side=said["side"],
            source={"key": f"{key}.tif", "uri": "s", "offset": -1, "row": -1, "bytes": 1, "sha256": "0" * 64},
            sample={"key": f"{key}.tif#0", "kind": "image", "index": 0, "group": "g0000000"},
            variant=int(key[-3:]),
            steps=(),
            files={name: described(data[name] or b"", one) if one is not None else None for name, one in sides.items()},
            origin=ORIGIN,
        )
        text = to_json(record)
        files = PairFiles(key, said["split"], said["side"], data["degraded"], data["target"], data["mask"], text)
        context.put(item.record, self.format.artifacts(files))
        item.payload = Pair(_row(item.record, record, text))


def _row(planned: Record, record: dict[str, Any], text: bytes) -> dict[str, Any]:
    row = dict.fromkeys(TABLES["pairs"].names)
    row |= {name: planned.metadata[name] for name in ("split", "shard", "side")}
    for side in ("degraded", "target"):
        row |= {f"{side}_{name}": (record[side] or {}).get(name) for name in ("sha256", "width", "height")}
    return row | {"key": planned.key, "record": text.decode()}


@dataclass(frozen=True)
class Stages:
    """The workflow; travels by pickle."""

    make: Make

    def __call__(self) -> Workflow:
        return Workflow(
            Segment("make", (self.make,)),
            Segment("nothing", ()),
            Segment("no more", ()),
            count=lambda item: {},
            rows=lambda item: {"pairs": [item.payload.row]},
            tables=TABLES,
        )


@lru_cache
def keys_of(split: str, count: int) -> tuple[str, ...]:
    """Names of a split's pairs: numbers of all splits are mixed, each sample has two variants."""
    start = {"train": 0, "val": 1}.get(split, 2)
    return tuple(f"{start + 3 * (index // 2):07d}-{index % 2:03d}" for index in range(count))


@dataclass
class Bed:
    """A planned run of pairs.

    Attributes:
        root: an empty folder.
        format: as in job files.
        masks: whether pairs have masks.
        splits: pairs by split.
        shard_pairs: most pairs of a unit.
        scale: by how much degraded pictures are smaller.
        stuck: pairs that fail until they are mended.
        mixed: whether a shard's names lie between those of others.
        replaces: a former run in the same folder.
        output: where.
    """

    root: Path
    format: str
    masks: bool = True
    splits: dict[str, int] = field(default_factory=lambda: dict(SPLITS))
    shard_pairs: int = 4
    scale: int = 2
    stuck: frozenset[str] = frozenset()
    mixed: bool = False
    replaces: Run | None = None
    output: Folder | None = None
    run: Run = field(init=False)

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        self.folder = self.output or Folder(str(self.root / "out"))
        self.made = make_format(self.format, masks=self.masks)
        identity = json.dumps([self.format, self.masks, self.splits, self.shard_pairs, self.scale])
        self.run = plan_run(self.folder, self.units(), lambda record: record.key, self.header, identity)
        make_current(self.run)

    @property
    def out(self) -> Path:
        return Path(self.folder.root)

    def header(self, run_id: str, plan: PlanSummary) -> RunHeader:
        job = {
            "output": {"format": self.format},
            "split": {"parts": dict.fromkeys(self.splits, 1.0)},
            "run": {"seed": ORIGIN.seed},
            "degrade": {"recipe": RECIPE},
        }
        replaces = self.replaces.header.run_id if self.replaces else ""
        return RunHeader(run_id, "prints", "pairs", {"job": job}, job, plan, replaces=replaces)

    def units(self) -> Iterator[Unit]:
        index = 0
        for split, count in self.splits.items():
            keys = keys_of(split, count)
            shards = -(-count // self.shard_pairs)
            for number in range(shards):
                own = keys[number::shards] if self.mixed else keys[number * self.shard_pairs :][: self.shard_pairs]
                records = tuple(self.record(key, split, f"{split}-{number:06d}") for key in own)
                yield Unit(unit_id(records), index, records)
                index += 1

    def record(self, key: str, split: str, shard: str) -> Record:
        side = ("A" if int(key[:7]) % 2 else "B") if self.format == "unpaired" else "both"
        return Record(key, "s", "1", metadata={"split": split, "shard": shard, "side": side})

    @property
    def spec(self) -> WorkerSpec:
        make = Make(self.made, self.scale, self.stuck, self.root / "mended")
        sink = SinkSpec("mirror", self.run.outputs, self.made.container())
        return WorkerSpec(self.run.folder, SourceSpec("files", str(self.root / "in")), sink, Stages(make))

    def about(self) -> About:
        return About(
            name="prints",
            licence=ORIGIN.licence,
            recipe="blur",
            recipe_text="recipe: blur\nsteps: []\n",
            source="s3://archive/prints",
            pairs=self.splits,
            samples={split: -(-count // 2) for split, count in self.splits.items()},
            seed=ORIGIN.seed,
            version="0.1.0",
            settings={"output": {"format": self.format}},
        )

    def close(self, run: Run) -> list[Output]:
        return list(self.made.close(run, self.about()))

    def drive(self) -> Outcome:
        outcome = drive(
            self.run,
            LocalRunner(),
            self.spec,
            "fused",
            100,
            lambda tally, receipt: None,
            self.replaces,
            0.0,
            self.close,
        )
        if outcome.state == "complete":
            self.made.sweep(self.run)
        return outcome

    def retry(self) -> None:
        """Plan a round of what is in quarantine, and mend it."""
        (self.root / "mended").touch()
        rows = {row.key for row in standing(self.run)}
        units = []
        for index, record in enumerate(records_of(self.run, rows)):
            said = record.metadata
            split, _, number = said["shard"].rpartition("-")
            again = self.record(record.key, said["split"], f"{split}-r1-{number}")
            units.append(Unit(unit_id([again], "retry 1"), index, (again,)))
        plan_retry(self.run, units, lambda record: record.key)

    def keys(self) -> dict[str, list[str]]:
        return {split: list(keys_of(split, count)) for split, count in self.splits.items()}

    def objects(self) -> dict[str, bytes]:
        """Everything in the output but the ledger."""
        names = [name for name in self.folder.names() if not name.startswith("_facejobs/runs/")]
        return {name: self.folder.read(name) for name in names if name != "_facejobs/current.json"}


def built(root: Path, name: str, **asked: Any) -> Bed:
    """A finished run."""
    bed = Bed(root, name, **asked)
    outcome = bed.drive()
    assert outcome.state == "complete", outcome.message
    return bed
