"""Curves for TensorBoard: event files, one for each stretch between two checkpoints.

An event file is a row of TFRecords (https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details),
each an `Event` message. tensorboardX brings the messages and the checksum; its writers, which take time from the clock
and run threads, are not used.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from datetime import datetime

from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.record_writer import masked_crc32c

from jobs.train.artefacts.facts import COUNTERS, HeldOut, Interval, Row, Sheet
from jobs.train.artefacts.grid import png_size

VERSION = "brain.Event:2"
"""With which each event file begins."""

_RGB = 3
"""`colorspace` of a picture without alpha."""


def file_name(first_step: int) -> str:
    """Name of the file of a stretch: TensorBoard looks for `tfevents`, and reads files in the order of their names.

    Args:
        first_step: steps that were done when the stretch began.
    """
    return f"events.out.tfevents.{first_step:09d}.facejobs"


def events(rows: Sequence[Row], begun: str, *, held_out: Sequence[HeldOut] = (), sheets: Sequence[Sheet] = ()) -> bytes:
    """The event file of a stretch.

    Each term becomes a scalar `terms/<term>`, with `samples` beside them; each held-out measure becomes
    `held_out/<measure>`, and `held_out_given/<measure>` for what was given. TensorBoard drops what files before this
    one have of its first step and later ones, so that a stretch that is gone through again, after a rollback, replaces
    what was.

    Args:
        rows: of the curve, by rising `step`.
        begun: when the training began, ISO 8601. An event's time is this plus the row's `seconds`, so that the same
            rows give the same bytes.
        held_out: measures of this stretch.
        sheets: grids of this stretch.

    Returns:
        The file's bytes; what has a smaller step comes first.

    Raises:
        ValueError: `begun` is no such time, or a sheet is no PNG.
    """
    start = datetime.fromisoformat(begun.replace("Z", "+00:00")).timestamp()
    found = [
        *(_of_row(row, start) for row in rows),
        *(Event(wall_time=start, step=each.step, summary=_of_measures(each)) for each in held_out),
        *(Event(wall_time=start, step=each.step, summary=_of_sheet(each)) for each in sheets),
    ]
    found.sort(key=lambda event: int(event.step))
    first = int(found[0].step) if found else 0
    head = [
        Event(wall_time=start, file_version=VERSION),
        Event(wall_time=start, step=first, session_log=SessionLog(status=SessionLog.START)),
    ]
    return b"".join(_record(event) for event in (*head, *found))


def _of_row(row: Row, start: float) -> Event:
    terms = {f"terms/{name}": float(value) for name, value in row.items() if name not in COUNTERS}
    summary = _scalars({**terms, "samples": float(row["samples"])})
    return Event(wall_time=start + float(row.get("seconds", 0.0)), step=int(row["step"]), summary=summary)


def _of_measures(measured: HeldOut) -> Summary:
    def means(folder: str, values: Iterable[tuple[str, Interval]]) -> dict[str, float]:
        return {f"{folder}/{name}": value.mean for name, value in values if value.mean is not None}

    return _scalars(means("held_out", measured.made.items()) | means("held_out_given", measured.given.items()))


def _of_sheet(sheet: Sheet) -> Summary:
    width, height = png_size(sheet.png)
    image = Summary.Image(height=height, width=width, colorspace=_RGB, encoded_image_string=sheet.png)
    return Summary(value=[Summary.Value(tag="samples_sheet", image=image)])


def _scalars(values: dict[str, float]) -> Summary:
    return Summary(value=[Summary.Value(tag=name, simple_value=value) for name, value in values.items()])


def _record(event: Event) -> bytes:
    """A TFRecord: length, its checksum, the message, its checksum; little-endian."""
    data = event.SerializeToString(deterministic=True)
    length = struct.pack("<Q", len(data))
    return b"".join((length, struct.pack("<I", masked_crc32c(length)), data, struct.pack("<I", masked_crc32c(data))))
