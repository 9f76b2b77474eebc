"""Event files are read back by a reader of their own: TFRecords with CRC-32C, and the wire format of protobuf."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from jobs.train.artefacts.events import events, file_name
from jobs.train.artefacts.facts import HeldOut, Interval, ReportFacts, Sheet

BEGUN = "2026-11-26T09:00:00Z"
SECONDS = 1795683600.0


def crc32c(data: bytes) -> int:
    """RFC 3720, appendix B.4: polynomial 0x1EDC6F41, reflected, bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data: bytes) -> int:
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        length, check = struct.unpack_from("<QI", data, at)
        assert check == masked(data[at : at + 8])
        record = data[at + 12 : at + 12 + length]
        assert len(record) == length
        assert struct.unpack_from("<I", data, at + 12 + length)[0] == masked(record)
        yield record
        at += length + 16


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at += 1
        if not data[at - 1] & 0x80:
            return value, at
        shift += 7


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and content of each field: bytes for fixed and delimited ones."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
            yield key >> 3, value
            continue
        if kind == 2:
            length, at = varint(data, at)
        else:
            length = {1: 8, 5: 4}[kind]
        yield key >> 3, data[at : at + length]
        at += length


@dataclass
class Read:
    """An `Event` as tensorboard/compat/proto/event.proto numbers its fields."""

    time: float = 0.0
    step: int = 0
    version: str = ""
    started: bool = False
    scalars: dict[str, float] = field(default_factory=dict)
    images: dict[str, dict[int, int | bytes]] = field(default_factory=dict)


def read(data: bytes) -> list[Read]:
    found = []
    for record in records(data):
        event = Read()
        for number, content in fields(record):
            if number == 1 and isinstance(content, bytes):
                event.time = struct.unpack("<d", content)[0]
            elif number == 2 and isinstance(content, int):
                event.step = content
            elif number == 3 and isinstance(content, bytes):
                event.version = content.decode()
            elif number == 7 and isinstance(content, bytes):
                event.started = dict(fields(content)) == {1: 1}
            elif number == 5 and isinstance(content, bytes):
                for _, value in fields(content):
                    assert isinstance(value, bytes)
                    parts = dict(fields(value))
                    tag = parts[1]
                    assert isinstance(tag, bytes)
                    if 2 in parts:
                        event.scalars[tag.decode()] = struct.unpack("<f", parts[2])[0]  # type: ignore[arg-type]  # fixed32
                    if 4 in parts:
                        event.images[tag.decode()] = dict(fields(parts[4]))  # type: ignore[arg-type]  # delimited
        found.append(event)
    return found


def test_the_checksum_of_this_test_is_that_of_the_standard() -> None:
    assert crc32c(b"123456789") == 0xE3069283


def test_terms_come_back_by_step() -> None:
    rows = [{"step": step, "samples": 8 * step, "l1": 1 / step, "gan": -2.5} for step in (10, 20, 30)]
    head, start, *found = read(events(rows, BEGUN))
    assert head.version == "brain.Event:2"
    assert (start.started, start.step) == (True, 10)
    assert [event.step for event in found] == [10, 20, 30]
    for event, row in zip(found, rows, strict=True):
        assert set(event.scalars) == {"terms/l1", "terms/gan", "samples"}
        assert event.scalars["terms/l1"] == pytest.approx(row["l1"], rel=1e-6)
        assert event.scalars["terms/gan"] == -2.5
        assert event.scalars["samples"] == row["samples"]
        assert event.time == SECONDS


def test_time_is_that_of_the_rows_and_never_the_clock() -> None:
    rows = [{"step": 1, "samples": 8, "seconds": 2.5, "l1": 1.0}]
    assert read(events(rows, BEGUN))[2].time == SECONDS + 2.5
    assert "terms/seconds" not in read(events(rows, BEGUN))[2].scalars
    assert events(rows, BEGUN) == events(rows, "2026-11-26T10:00:00+01:00")


def test_what_is_not_finite_stays_so() -> None:
    row = {"step": 1, "samples": 8, "a": math.nan, "b": math.inf, "c": 1e300, "d": -math.inf}
    scalars = read(events([row], BEGUN))[2].scalars
    assert math.isnan(scalars["terms/a"])
    assert (scalars["terms/b"], scalars["terms/c"], scalars["terms/d"]) == (math.inf, math.inf, -math.inf)


def test_measures_and_sheets_stand_among_the_rows(report_facts: ReportFacts) -> None:
    rows = [{"step": step, "samples": step, "l1": 1.0} for step in (10, 20, 30)]
    measured = HeldOut(20, 4, {"psnr": Interval(24.5, 24.0, 25.0, 4), "ssim": Interval(None, None, None, 0)})
    png = report_facts.sheets[0].png
    found = read(events(rows, BEGUN, held_out=[measured], sheets=[Sheet(20, png)]))[2:]
    assert [event.step for event in found] == [10, 20, 20, 20, 30]
    assert found[2].scalars == {"held_out/psnr": 24.5}
    image = found[3].images["samples_sheet"]
    assert image[4] == png
    assert (image[2], image[1]) == (int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big"))


def test_a_stretch_without_rows_is_a_file_all_the_same() -> None:
    assert [event.version for event in read(events([], BEGUN))] == ["brain.Event:2", ""]


def test_names_sort_as_stretches_follow_one_another() -> None:
    names = [file_name(step) for step in (0, 90, 1000, 25_000)]
    assert names == sorted(names)
    assert all("tfevents" in name for name in names)
