"""Pairs that a pairs job has made, read from its output as they are needed."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from jobs.errors import CommandError
from jobs.exits import Exit
from pipeline import layout
from pipeline.errors import RecordError
from pipeline.records import Record
from pipeline.run import Run, current_run
from pipeline.sources import Reader, SourceSpec, list_records, make_reader
from pipeline.storage import Folder

Pixels = NDArray[np.uint8]
FORMATS = ("webdataset", "folders", "aligned")
SIDES = ("lq", "gt")
TABLE = layout.table("pairs")


@dataclass(frozen=True)
class Span:
    """Where a picture's file lies.

    Attributes:
        uri: of the object.
        offset: of its first byte; -1 for the whole object.
        size: bytes; -1 where the object tells.
    """

    uri: str
    offset: int = -1
    size: int = -1


@dataclass(frozen=True)
class RunPairs:
    """Pairs of one part of a run.

    Attributes:
        keys: of the pairs, sorted.
        places: of degraded picture and target; of both side by side, where there is one.
        marks: SHA-256 of the files at these places.
        options: fsspec storage options.
    """

    keys: tuple[str, ...]
    places: tuple[tuple[Span, ...], ...]
    marks: tuple[tuple[str, ...], ...]
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.keys)

    def pair(self, at: int) -> tuple[Pixels, Pixels]:
        """Degraded picture and target, (h, w, 3) and (H, W, 3) uint8 RGB.

        Raises:
            RecordError: a file is gone, or has other bytes than the run's table says.
            StorageError: storage refused or did not answer.
        """
        read = [self._read(at, span) for span in self.places[at]]
        for data, mark in zip(read, self.marks[at], strict=True):
            if hashlib.sha256(data).hexdigest() != mark:
                raise self.refusal(at, "other bytes than the run's table says; run `facejobs verify` on the pairs")
        if len(read) == 1:
            both = self._decoded(at, read[0])
            half = both.shape[1] // 2
            return both[:, :half], both[:, half:]
        return self._decoded(at, read[0]), self._decoded(at, read[1])

    def refusal(self, at: int, found: str) -> RecordError:
        """What is raised for a pair that does not fit."""
        return RecordError("unfit_pair", f"pair {self.keys[at]} ({self.places[at][0].uri}): {found}")

    def _read(self, at: int, span: Span) -> bytes:
        reader: Reader = make_reader(SourceSpec("files", "", self.options, max_bytes=2**40))
        return reader.read(Record(self.keys[at], span.uri, "", size=span.size, offset=span.offset))

    def _decoded(self, at: int, data: bytes) -> Pixels:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        if pixels is None:
            raise self.refusal(at, "a file that is no picture")
        return np.ascontiguousarray(pixels[..., ::-1], np.uint8)


def open_pairs(folder: Folder, key: str) -> Run:
    """The run whose pairs a folder holds.

    Raises:
        CommandError: there is none, it is another kind of job's, it has not come to its end, or has another format.
        StorageError: storage refused or did not answer.
    """
    run = current_run(folder)
    if run is None:
        raise _wrong(key, folder, "holds no run; expected the output of a pairs job, which `facejobs run` makes")
    if run.header.kind != "pairs":
        raise _wrong(key, folder, f"holds the results of a {run.header.kind} job; expected the output of a pairs job")
    if not run.complete:
        raise _wrong(key, folder, "holds a pairs run that has not come to its end; run its job again, then train")
    name = format_of(run)
    if name not in FORMATS:
        why = (
            "it is for data.kind: unpaired, one folder each for first and second"
            if name == "unpaired"
            else (f"expected one of {', '.join(FORMATS)}")
        )
        raise _wrong(key, folder, f"holds pairs of format {name}; {why}")
    return run


def format_of(run: Run) -> str:
    """The format of a pairs run, as its job has it."""
    return str(run.header.job["output"]["format"])


def parts_of(run: Run) -> dict[str, list[dict[str, Any]]]:
    """Rows of the run's table (`key`, `degraded_sha256`, `target_sha256`, sizes) by part, sorted by key."""
    columns = ["key", "split", "degraded_sha256", "target_sha256"]
    rows = pq.read_table(io.BytesIO(run.folder.read(TABLE)), columns=columns).to_pylist()
    parts: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: str(row["key"])):
        parts.setdefault(str(row["split"]), []).append(row)
    return parts


def pairs_of(run: Run, part: str, rows: list[dict[str, Any]]) -> RunPairs:
    """The pairs of one part.

    Raises:
        CommandError: the outputs lack a pair of the table.
        StorageError: storage refused or did not answer.
    """
    keys = tuple(str(row["key"]) for row in rows)
    places = _in_shards(run, part) if format_of(run) == "webdataset" else _in_folders(run, part, keys)
    for key in keys:
        if key not in places or not all(span.uri for span in places[key]):
            raise _wrong(
                "data.uri", run.outputs, f"lacks the pair {key}, which the run's table has; run `facejobs verify`"
            )
    if format_of(run) == "aligned":
        written = dict(_written(run, "sha256", "image"))
        marks: tuple[tuple[str, ...], ...] = tuple((written.get(f"{part}/{key}.png", ""),) for key in keys)
    else:
        marks = tuple((str(row["degraded_sha256"]), str(row["target_sha256"])) for row in rows)
    return RunPairs(keys, tuple(places[key] for key in keys), marks, run.outputs.options)


def _in_folders(run: Run, part: str, keys: tuple[str, ...]) -> dict[str, tuple[Span, ...]]:
    root = run.outputs.uri.rstrip("/")
    if format_of(run) == "aligned":
        return {key: (Span(f"{root}/{part}/{key}.png"),) for key in keys}
    return {key: tuple(Span(f"{root}/{part}/{side}/{key}.png") for side in SIDES) for key in keys}


def _in_shards(run: Run, part: str) -> dict[str, tuple[Span, ...]]:
    found: dict[str, dict[str, Span]] = {}
    for shard in _shards(run, part):
        spec = SourceSpec(
            "webdataset",
            f"{run.outputs.uri.rstrip('/')}/{shard}",
            run.outputs.options,
            image_suffixes=tuple(f".{side}.png" for side in SIDES),
        )
        for record in list_records(spec):
            name, _, kind = record.key.rpartition("/")[2].partition(".")
            found.setdefault(name, {})[kind.partition(".")[0]] = Span(record.uri, record.offset, record.size)
    return {name: tuple(sides.get(side, Span("")) for side in SIDES) for name, sides in found.items()}


def _shards(run: Run, part: str) -> Iterator[str]:
    for path, _ in _written(run, "size", "shard"):
        if path.rpartition("/")[2].startswith(f"{part}-"):
            yield path


def _written(run: Run, column: str, role: str) -> Iterator[tuple[str, Any]]:
    """Path, and what a column of the run's table of outputs says of it, of every output of a role."""
    table = pq.read_table(io.BytesIO(run.folder.read(layout.table(layout.OUTPUTS))), columns=["path", "role", column])
    for row in table.to_pylist():
        if row["role"] == role:
            yield str(row["path"]), row[column]


def _wrong(key: str, folder: Folder, problem: str) -> CommandError:
    return CommandError(f"{key}: {folder.uri}: {problem}", Exit.BAD_JOB)
