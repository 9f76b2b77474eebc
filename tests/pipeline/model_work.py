"""The job that the ledger's model runs: an output of a key alone; some records fail always, others in some attempts."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from pipeline.errors import RecordError
from pipeline.records import Artifact, Item
from pipeline.stage import Segment, UnitContext, Workflow
from pipeline.storage import Folder

KEYS = ("a.txt", "b/c.txt", "b/d.txt", *(f"c/{n}.txt" for n in range(8)))
BAD = "b/d.txt"


@dataclass
class Text:
    data: bytes
    held_bytes: int = 10

    def release(self) -> None: ...


@dataclass
class Make:
    """Makes an output of a key alone. Some keys fail always, others in some attempts."""

    fails: frozenset[str]
    name: str = "make"

    def setup(self) -> None: ...

    def process(self, item: Item, context: UnitContext) -> None:
        item.payload = Text(bytes_of(item.record.key))
        if item.record.key == BAD:
            raise RecordError("bad_text", "always")
        context.count("made", 1)


@dataclass
class Put:
    """Hands the output over; a record that fails here has left its output behind."""

    fails: frozenset[str]
    name: str = "put"

    def setup(self) -> None: ...

    def process(self, item: Item, context: UnitContext) -> None:
        context.put(item.record, [Artifact(item.record.key, "image", item.payload.data)])
        if item.record.key in self.fails:
            raise RecordError("flaky", "in this attempt")


def workflow_of(fails: frozenset[str]) -> Workflow:
    return Workflow(
        Segment("front", (Make(fails),)),
        Segment("middle", ()),
        Segment("back", (Put(fails),)),
        count=lambda item: {"letters": len(item.payload.data)},
        rows=lambda item: {"texts": [{"key": item.record.key}]},
        tables={"texts": pa.schema([("key", pa.string())])},
    )


def bytes_of(key: str) -> bytes:
    return key.upper().encode() * 3


class Claimed:
    """Mirrored outputs lie at their key; what has the bytes of that key was made by the run."""

    def names(self, key: str) -> tuple[str, ...]:
        return (key,)

    def own(self, folder: Folder, name: str) -> bool:
        try:
            return folder.read(name) == bytes_of(name)
        except FileNotFoundError:
            return False
