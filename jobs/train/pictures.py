"""The good pictures of a training, read from storage ahead of it and kept in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.opencv import settle_opencv
from jobs.per_thread import PerThread
from operators.errors import OperatorError
from operators.images.decode import decode
from operators.images.raster import Raster
from pipeline.errors import RecordError
from pipeline.records import Record
from pipeline.sources import Reader, SourceSpec, list_records, make_reader

Pixels = NDArray[np.uint8]
Look = Callable[[Raster], Pixels]
"""Makes of a decoded image what is kept of it; raises OperatorError for one that is not used."""
FIRST = 3
"""Names that are said of those that were left out."""


@dataclass(frozen=True)
class Place:
    """Where pictures are.

    Attributes:
        uri: absolute.
        options: fsspec storage options, variables filled in.
        include: patterns of names.
        exclude: patterns of names.
        key: of the job file, for messages.
    """

    uri: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    key: str = "data.uri"

    @property
    def spec(self) -> SourceSpec:
        """For listing and reading."""
        return SourceSpec("files", self.uri, self.options, include=self.include, exclude=self.exclude)


@dataclass(frozen=True)
class Read:
    """What was read.

    Attributes:
        keys: names of the pictures that are used, sorted.
        pictures: what is kept of each, (H, W, 3) uint8.
        marks: SHA-256 of every file by its name, of those too that are not used; a problem's code where it was not
            read.
        left_out: names of pictures that are not used, by the reason.
    """

    keys: tuple[str, ...]
    pictures: tuple[Pixels, ...]
    marks: Mapping[str, str]
    left_out: Mapping[str, tuple[str, ...]]


def notes_of(left_out: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """What was left out, one line a reason."""
    for reason, names in sorted(left_out.items()):
        yield f"left out {said(names)}: {reason}"


def read_pictures(place: Place, make_look: Callable[[], Look], memory: int, each: int = 0, threads: int = 1) -> Read:
    """Read all pictures of a place.

    Args:
        place: where they are.
        make_look: gives what makes of each picture what is kept of it; called once a thread.
        memory: bytes that they may take in all.
        each: bytes that are kept of each, where that is known before.
        threads: pictures that are read at once.

    Raises:
        CommandError: none can be used, or they take more memory than they may.
        SourceError: nothing is there, or it cannot be listed as said.
        StorageError: storage refused or did not answer.
    """
    settle_opencv()
    records = sorted(list_records(place.spec), key=lambda record: record.key)
    if each * len(records) > memory:
        raise CommandError(_too_much(place, len(records), each * len(records), memory), Exit.BAD_JOB)
    reader, gathered, looks = make_reader(place.spec), _Gathering(), PerThread(make_look)
    with ThreadPoolExecutor(threads) as pool:
        seen = pool.map(lambda record: _seen(record, reader, looks), records)
        for record, one in zip(records, seen, strict=True):
            gathered.add(record.key, one)
            if gathered.bytes > memory:
                pool.shutdown(cancel_futures=True)
                about = gathered.bytes * len(records) // len(gathered.marks)
                raise CommandError(_too_much(place, len(records), about, memory), Exit.BAD_JOB)
    if not gathered.pictures:
        reasons = "; ".join(f"{said(names)}: {reason}" for reason, names in sorted(gathered.left_out.items()))
        raise CommandError(
            f"{place.key}: {place.uri}: none of {len(records)} pictures can be used. {reasons}", Exit.BAD_JOB
        )
    return gathered.read()


@dataclass(frozen=True)
class _Seen:
    """What became of a file: what is kept of it, or why nothing is; and its mark."""

    mark: str
    picture: Pixels | None = None
    problem: str = ""


def _seen(record: Record, reader: Reader, looks: PerThread[Look]) -> _Seen:
    mark = ""
    try:
        data = reader.read(record)
        mark = hashlib.sha256(data).hexdigest()
        return _Seen(mark, looks.get()(decode(data)))
    except (RecordError, OperatorError) as error:
        return _Seen(mark or error.code, problem=REASONS.get(error.code, f"it cannot be read ({error.code})"))


class _Gathering:
    """Takes pictures one by one."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.pictures: list[Pixels] = []
        self.marks: dict[str, str] = {}
        self.left_out: dict[str, list[str]] = {}
        self.bytes = 0
        self._used: set[str] = set()

    def add(self, key: str, seen: _Seen) -> None:
        """One more; of files with the same bytes the first is used."""
        self.marks[key] = seen.mark
        if seen.picture is None:
            self.left_out.setdefault(seen.problem, []).append(key)
        elif seen.mark in self._used:
            self.left_out.setdefault("its bytes are those of another picture", []).append(key)
        else:
            self._used.add(seen.mark)
            self.keys.append(key)
            self.pictures.append(seen.picture)
            self.bytes += seen.picture.nbytes

    def read(self) -> Read:
        """What came of it."""
        left_out = {reason: tuple(names) for reason, names in self.left_out.items()}
        return Read(tuple(self.keys), tuple(self.pictures), self.marks, left_out)


REASONS = {
    "no_face": "no face was found; see data.cut.min_confidence",
    "face_too_small": "the face has fewer pixels than a sample; see data.size and data.cut.max_enlargement",
    "not_covered": "the face's square reaches out of the picture; see data.cut.min_coverage",
    "not_square": "it is no square, which data.align: false expects",
    "too_small_picture": "a side is shorter than a sample; see data.size",
}
"""What is said of pictures that are not used, by code."""


def said(names: tuple[str, ...] | list[str]) -> str:
    """How many there are, and the first of them: `12 pictures (a.jpg, b.jpg, c.jpg, ...)`."""
    shown = ", ".join(names[:FIRST]) + (", ..." if len(names) > FIRST else "")
    return f"{len(names)} picture{'s' if len(names) != 1 else ''} ({shown})"


def fitted(picture: Pixels, width: int, height: int) -> Pixels:
    """A picture at another size: by means over areas where it shrinks, bicubic where it grows."""
    if picture.shape[:2] == (height, width):
        return picture
    way = cv2.INTER_AREA if width * height < picture.shape[0] * picture.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (width, height), interpolation=way), np.uint8)


def _too_much(place: Place, count: int, need: int, memory: int) -> str:
    return (
        f"{place.key}: {place.uri}: {count} pictures take about {need / 2**30:.3g} GiB of memory, and data.memory "
        f"allows {memory / 2**30:.3g} GiB; raise it, choose fewer (data.include, data.exclude) or smaller ones "
        "(data.size, data.reduce_to, data.cut.oversampling), or make pairs of them once with a pairs job, which are "
        "read as needed"
    )
