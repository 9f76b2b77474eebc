"""A job kind's own container: one object a unit, under a name that all attempts give it."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.records import Artifact, Record, Unit
from pipeline.sinks import SinkSpec, make_sink
from pipeline.sinks.spool import Spool
from pipeline.storage import Folder


@dataclass(frozen=True)
class Lines:
    """Keys with their bytes in hex, by what the names end in."""

    role: str = "shard"

    def name(self, unit: Unit) -> str:
        return f"lists/{unit.records[0].metadata['shard']}.txt"

    def write(self, spool: Spool, path: Path) -> None:
        lines = [f"{one.name} {one.data.hex()}\n" for pair in spool.ordered(lambda name: name[::-1]) for one in pair]
        path.write_text("".join(lines))


def unit_of(count: int) -> Unit:
    return Unit(
        "0123456789abcdef", 3, tuple(Record(f"{n:03d}", "s", "1", metadata={"shard": "s-7"}) for n in range(count))
    )


def artifacts_of(record: Record) -> list[Artifact]:
    return [
        Artifact(f"{record.key}.bin", "image", random.Random(record.key).randbytes(30)),
        Artifact(f"{record.key}.json", "record", json.dumps(record.key).encode()),
    ]


@pytest.mark.parametrize("role", ["shard", "part"])
def test_two_attempts_write_one_object(folder: Folder, role: str) -> None:
    sink = make_sink(SinkSpec("mirror", folder, Lines(role)))
    unit = unit_of(12)
    outputs = set()
    for attempt in (1, 2):
        writer = sink.open(unit, attempt)
        for record in random.Random(attempt).sample(unit.records, 12):
            writer.put(record, artifacts_of(record))
        outputs.add(writer.close())
    ((output,),) = outputs
    assert (output.path, output.role, output.key) == ("lists/s-7.txt", role, "")
    assert folder.names() == ["lists/s-7.txt"]
    names = [line.split()[0] for line in folder.read(output.path).decode().splitlines()]
    assert names[0::2] == sorted((f"{n:03d}.bin" for n in range(12)), key=lambda name: name[::-1])
    assert names[1::2] == [name.replace("bin", "json") for name in names[0::2]]


def test_an_attempt_that_lost_takes_nothing_back(folder: Folder) -> None:
    sink = make_sink(SinkSpec("mirror", folder, Lines()))
    unit = unit_of(2)
    for end in ("before", "after"):
        writer = sink.open(unit, 1)
        writer.put(unit.records[0], artifacts_of(unit.records[0]))
        writer.close()
        before = folder.read("lists/s-7.txt")
        late = sink.open(unit, 2)
        late.put(unit.records[0], artifacts_of(unit.records[0]))
        if end == "after":
            late.close()
        late.abort()
        assert folder.read("lists/s-7.txt") == before


def test_a_unit_without_outputs_has_none(folder: Folder) -> None:
    assert make_sink(SinkSpec("mirror", folder, Lines())).open(unit_of(2), 1).close() == ()
    assert folder.names() == []
