"""The stage of a pairs run: a planned pair to files."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from jobs.opencv import settle_opencv
from jobs.pairs.formats.contract import PairFiles
from jobs.pairs.making import MadePair, make_pair, png
from jobs.pairs.planned import PlannedPair
from jobs.pairs.record import Origin, described, pair_record, to_json
from jobs.pairs.sample import cut_sample
from jobs.pairs.settings import PairsSettings
from operators.degradations.drawing import draw
from operators.images.decode import decode
from operators.images.raster import Raster
from pipeline.errors import RecordError
from pipeline.records import Item, Record
from pipeline.stage import UnitContext

T = TypeVar("T")

KEPT_SAMPLES = 4
"""Samples that are kept cut, since the pairs of one follow each other in the plan."""
RASTER_BYTES = 512 * 2**20
"""Most bytes of a decoded image that is kept, since the samples of one follow each other."""
VIEW_SIDE = 256
VIEW_QUALITY = 90


@dataclass
class PairWork:
    """A finished pair; a `pipeline.stage.Payload`.

    Attributes:
        row: of the run's table.
        bytes_out: of its files.
    """

    row: dict[str, Any]
    bytes_out: int

    @property
    def held_bytes(self) -> int:
        """The record's text; pixels are let go as soon as they are written."""
        return len(self.row["record"])

    def release(self) -> None:
        """There is nothing that could be made again."""


class Make:
    """Cuts a sample, degrades it as drawn, and puts the pair with its record."""

    name = "make"

    def __init__(self, settings: PairsSettings, versions: dict[str, str], wanted_views: int, pairs: int) -> None:
        self._settings = settings
        self._origin = Origin(settings.recipe.recipe, settings.recipe_sha256, settings.seed, settings.licence, versions)
        self._share = wanted_views / max(pairs, 1)
        self._cuts: _Kept[_Cut] = _Kept(KEPT_SAMPLES)
        self._rasters: _Kept[Raster] = _Kept(1)

    def setup(self) -> None:
        """Keep OpenCV to one thread: workers are processes, and results must not depend on the machine's size."""
        settle_opencv()

    def process(self, item: Item, context: UnitContext) -> None:
        """Make the pair; afterwards the item holds only its row of the table."""
        planned = PlannedPair.of(item.record)
        cut = self._cut(item.record, planned, context)
        sample = cut.pixels
        steps = () if planned.side == "B" else self._drawn(planned)
        made = make_pair(sample, steps)
        degraded = png(made.degraded) if planned.side != "B" else None
        target = None
        if planned.side != "A":
            target = cut.png if made.target is cut.pixels else png(made.target)
        mask = png(made.whole_mask) if self._settings.masks and degraded is not None else None
        record = pair_record(
            key=planned.name,
            split=planned.split,
            side=planned.side,
            source={
                **planned.source,
                "uri": item.record.uri,
                "offset": item.record.offset,
                "row": item.record.row,
            },
            sample={"key": planned.sample_key, **planned.sample.to_dict(), "group": planned.group},
            variant=planned.variant,
            steps=steps,
            files={
                "degraded": described(degraded, made.degraded) if degraded is not None else None,
                "target": described(target, made.target) if target is not None else None,
                "mask": described(mask, made.whole_mask) if mask is not None else None,
            },
            origin=self._origin,
        )
        text = to_json(record)
        files = PairFiles(planned.name, planned.split, planned.side, degraded, target, mask, text)
        artifacts = self._settings.format.artifacts(files)
        context.put(item.record, artifacts)
        self._view(planned, made, context)
        size = sum(len(artifact.data) for artifact in artifacts)
        item.payload = PairWork(_row(planned, item.record, record, text), size)

    def _drawn(self, planned: PlannedPair) -> tuple[Any, ...]:
        return draw(self._settings.recipe, self._settings.seed, planned.sample_key, planned.variant)

    def _cut(self, record: Record, planned: PlannedPair, context: UnitContext) -> _Cut:
        """The sample, decoded and cut once for all its pairs where they come one after another."""
        kept = self._cuts.get(planned.sample_key)
        if kept is not None:
            return kept
        cut = _Cut(cut_sample(self._raster(record, planned, context), planned.sample))
        self._cuts.keep(planned.sample_key, cut)
        return cut

    def _raster(self, record: Record, planned: PlannedPair, context: UnitContext) -> Raster:
        expected = planned.source["sha256"]
        kept = self._rasters.get(expected)
        if kept is not None:
            return kept
        data = context.read(record)
        if hashlib.sha256(data).hexdigest() != expected:
            raise RecordError(
                "source_changed", "the file is not the one that was surveyed; run the job with --replan to take it anew"
            )
        raster = decode(data, self._settings.limits)
        if raster.pixels.nbytes <= RASTER_BYTES:
            self._rasters.keep(expected, raster)
        return raster

    def _view(self, planned: PlannedPair, made: MadePair, context: UnitContext) -> None:
        """Keep small pictures of some pairs for the report, chosen by a hash of their names."""
        draw_ = int.from_bytes(hashlib.sha256(f"view\0{planned.name}".encode()).digest()[:8], "little") / 2**64
        if draw_ >= self._share:
            return
        about = {"key": planned.name, "split": planned.split, "facts": {"source": planned.source["key"]}}
        for role, pixels, other in (("lq", made.degraded, "B"), ("gt", made.target, "A")):
            if planned.side == other:
                continue
            with context.waiting(planned.name):
                context.keep_sample(f"{planned.name}-{role}.jpg", _jpeg(pixels))
        with context.waiting(planned.name):
            context.keep_sample(f"{planned.name}.json", json.dumps(about).encode())


@dataclass
class _Cut:
    """A sample as it was cut."""

    pixels: NDArray[np.uint8]

    @cached_property
    def png(self) -> bytes:
        """Its file, which is the target of all its pairs but those in which a step was for both."""
        return png(self.pixels)


class _Kept(Generic[T]):
    """The last few of something; several threads may use it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[str, T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> T | None:
        with self._lock:
            return self._held.get(key)

    def keep(self, key: str, one: T) -> None:
        with self._lock:
            self._held[key] = one
            while len(self._held) > self._most:
                self._held.popitem(last=False)


def _jpeg(pixels: NDArray[np.uint8]) -> bytes:
    scale = VIEW_SIDE / max(pixels.shape[:2])
    if scale < 1.0:
        size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    done, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, VIEW_QUALITY])
    assert done
    return bytes(data.tobytes())


def _row(planned: PlannedPair, place: Record, record: dict[str, Any], text: bytes) -> dict[str, Any]:
    row: dict[str, Any] = {
        "key": planned.name,
        "split": planned.split,
        "shard": planned.shard,
        "side": planned.side,
        "variant": planned.variant,
        "sample_key": planned.sample_key,
        "source_key": planned.source["key"],
        "uri": place.uri,
        "source_sha256": planned.source["sha256"],
        "group": planned.group,
        "record": text.decode(),
    }
    for role in ("degraded", "target"):
        about = record[role] or {}
        row |= {f"{role}_{name}": about.get(name) for name in ("sha256", "width", "height")}
    return row | {"mask_sha256": record["mask"]["sha256"] if record["mask"] else None}
