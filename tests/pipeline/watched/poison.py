"""Stages on which records do what records must not do; importable by the processes of watched workers."""

from __future__ import annotations

import ctypes
import os
import signal
import struct
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.records import Artifact, Item
from pipeline.stage import Segment, UnitContext, Workflow
from tests.pipeline.bed import Load, Put, workflow

HELD: list[Any] = []


@dataclass
class PoisonLoad(Load):
    """Does to this process what the record says."""

    def process(self, item: Item, context: UnitContext) -> None:
        super().process(item, context)
        act(item.payload.data.decode())


@dataclass
class PoisonBatch:
    """Sees many records at once."""

    name: str = "middle"

    def setup(self) -> None: ...

    def process_batch(self, items: Sequence[Item], context: UnitContext) -> None:
        context.count("batches", 1)
        for item in items:
            if item.payload.data.startswith(b"batch "):
                act(item.payload.data.decode().removeprefix("batch "))


@dataclass
class PoisonPut(Put):
    """Puts first, and then may end the process."""

    def process(self, item: Item, context: UnitContext) -> None:
        context.put(item.record, [Artifact(item.record.key, "image", item.payload.data)])
        act(item.payload.data.decode().removeprefix("later "))


def act(text: str) -> None:
    if text == "segfault":
        ctypes.string_at(0)
    elif text == "endless":
        ctypes.PyDLL(None).sleep(10_000)  # PyDLL: the interpreter is held all the while
    elif text == "memory":
        while True:
            HELD.append(bytearray(os.urandom(1 << 20) * 16))
    elif text == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    elif text == "leaves":
        os._exit(7)
    elif text == "cut off":
        os.write(int(sys.argv[1]), struct.pack("!i", 1000) + b"the beginning of a message")
        os._exit(7)
    elif text == "leaves a child":
        if os.fork() == 0:
            time.sleep(15)  # with the pipe that it has inherited
        os._exit(7)
    elif text == "slow":
        time.sleep(0.4)
    elif text == "steps":
        for _ in range(12):
            time.sleep(0.1)


def poisoned() -> Workflow:
    plain = workflow()
    return replace(
        plain,
        front=Segment("front", (PoisonLoad(),)),
        middle=Segment("middle", (PoisonBatch(),)),
        back=Segment("back", (PoisonPut(),)),
        count=lambda item: {"letters": len(item.payload.data)},
    )


def hanging() -> Workflow:
    """Hangs when a unit is to be committed, as on a network disk that does not answer."""

    def rows(item: Item) -> dict[str, list[dict[str, object]]]:
        time.sleep(8)
        return {}

    return replace(poisoned(), rows=rows)
