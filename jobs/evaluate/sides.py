"""The pictures of one folder, by name: the results of a method, the truth, or what restorers are given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from jobs.errors import CommandError
from jobs.exits import Exit
from jobs.models.addresses import shown
from jobs.pairs.preview import whole_image
from jobs.pairs.sample import cut_sample
from operators.images.decode import decode
from pipeline.records import Record
from pipeline.sources import Ignored, Reader, SourceSpec, list_records, make_reader

Picture = NDArray[np.uint8]
Half = Literal["", "left", "right"]
_SHOWN = 5


@dataclass(frozen=True)
class Side:
    """Pictures of one kind, and where each lies.

    Attributes:
        place: as messages name it.
        spec: how they are read.
        records: by name: the path in the folder without its ending.
        half: which half of each file is meant, where two pictures stand side by side in it.
    """

    place: str
    spec: SourceSpec
    records: Mapping[str, Record]
    half: Half = ""

    def only(self, names: Callable[[str], bool]) -> Side:
        """Without the other names."""
        return replace(self, records={name: record for name, record in self.records.items() if names(name)})

    def bare(self) -> Side:
        """Without the records, for workers, which are told of each when it is its turn."""
        return replace(self, records={})


@dataclass
class SideReader:
    """Reads pictures of a side, in one process."""

    side: Side
    _reader: Reader | None = field(default=None, repr=False)

    def read(self, record: Record) -> Picture:
        """A picture's pixels, upright: (H, W, 3) uint8, RGB. Deep scans are rounded to 8 bits, alpha is left out.

        Raises:
            RecordError: the file cannot be read.
            OperatorError: it cannot be decoded.
            StorageError: storage refuses.
        """
        if self._reader is None:
            self._reader = make_reader(self.side.spec)
        raster = decode(self._reader.read(record))
        pixels = cut_sample(raster, whole_image(raster, None))
        middle = pixels.shape[1] // 2
        if self.side.half == "left":
            return np.ascontiguousarray(pixels[:, :middle])
        if self.side.half == "right":
            return np.ascontiguousarray(pixels[:, middle:])
        return pixels


def folder_side(uri: str, options: Mapping[str, Any]) -> Side:
    """The pictures of a folder and those below it.

    Args:
        uri: a path or any URL that fsspec reads; a glob means what it matches.
        options: fsspec storage options.

    Raises:
        CommandError: there is no picture, or two have one name.
        SourceError: there is no such folder.
    """
    return listed_side(SourceSpec("files", uri, options), bare_name)


def listed_side(spec: SourceSpec, name_of: Callable[[Record], str | None], half: Half = "") -> Side:
    """List a source.

    Args:
        spec: of the source.
        name_of: a record's name; None for one that is not of this side.
        half: as `Side.half`.

    Raises:
        CommandError: there is no picture, or two have one name.
        SourceError: there is no such place.
    """
    ignored = Ignored()
    place = shown(spec.uri)
    records: dict[str, Record] = {}
    for record in list_records(spec, ignored):
        name = name_of(record)
        if name is None:
            continue
        if name in records:
            raise CommandError(
                f"{place}: {records[name].key} and {record.key} have one name without their endings; "
                "pictures are matched by it: leave one of them",
                Exit.BAD_JOB,
            )
        records[name] = replace(record, metadata={})
    if not records:
        others = ", ".join(f"{count} {reason}" for reason, count in ignored.counts.items())
        raise CommandError(f"{place}: holds no picture{f' ({others})' if others else ''}", Exit.BAD_JOB)
    return Side(place, spec, dict(sorted(records.items())), half)


def bare_name(record: Record) -> str:
    """A file's path in its folder, without the ending."""
    return str(PurePosixPath(record.key).with_suffix(""))


def some(names: list[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
