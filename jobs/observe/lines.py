"""Messages as JSON: one object a line, so that a collector of logs need not guess."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Literal, TextIO

from pipeline.parcel import Receipt

Level = Literal["info", "warning", "error"]
Field = str | int | float
TROUBLE: Mapping[str, Level] = {"error": "error", "storage": "error", "worker": "error", "lost": "warning"}
"""Level of the line about a unit by its receipt's state; of all others it is `info`."""

Emit = Callable[[Level, str, Mapping[str, Field]], None]


class JsonLines:
    """Writes one JSON object a line: time, level, message, then what the command is about, then what the message is.

    Args:
        stream: where lines go.
        scrub: takes secrets out of a text.
    """

    def __init__(self, stream: TextIO, scrub: Callable[[str], str]) -> None:
        self._stream = stream
        self._scrub = scrub
        self._about: dict[str, str] = {}

    def about(self, **fields: str) -> None:
        """What further lines name: the job, the run."""
        self._about.update(fields)

    def emit(self, level: Level, message: str, fields: Mapping[str, Field]) -> None:
        """One line. `time` is ISO 8601, UTC, to the millisecond."""
        time = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {"time": time, "level": level, "message": message, **self._about, **fields}
        clean = {name: self._scrub(value) if isinstance(value, str) else value for name, value in line.items()}
        self._stream.write(json.dumps(clean, ensure_ascii=False) + "\n")
        self._stream.flush()


class Caught(io.TextIOBase):
    """Stands in for standard error, so that what libraries write there becomes lines of JSON as well.

    Args:
        emit: see `JsonLines.emit`.
        stream: in whose place it stands.
    """

    def __init__(self, emit: Emit, stream: TextIO) -> None:
        self._emit = emit
        self._stream = stream
        self._begun = ""

    def fileno(self) -> int:
        """Of the stream itself, for what writes past Python when a process crashes."""
        return self._stream.fileno()

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str) -> int:
        """Whole lines go out as warnings; what has not come to its end waits."""
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            if line.strip():
                self._emit("warning", line.rstrip(), {"source": "stderr"})
        return len(text)

    def finish(self) -> None:
        """Let the last line go, though nothing has ended it."""
        if self._begun:
            self.write("\n")


def say_unit(receipt: Receipt, emit: Emit) -> None:
    """Lines about a unit that a worker is done with: one for the unit, one for each reason of quarantine in it."""
    unit = receipt.unit_id
    level = TROUBLE.get(receipt.state, "info")
    quarantined = receipt.records - receipt.ok
    about: dict[str, Field] = {"unit": unit, "state": receipt.state, "records": receipt.records}
    if receipt.message:
        emit(level, f"unit {unit}: {receipt.message}", about)
        return
    if receipt.state == "released":
        return
    about |= {"ok": receipt.ok, "quarantined": quarantined, "seconds": round(receipt.seconds, 3)}
    about |= {"attempt": receipt.attempt} if receipt.attempt else {}
    emit(level, f"unit {unit} {receipt.state}: {receipt.ok} of {receipt.records} records ok", about)
    for code, count in receipt.codes.items():
        emit("warning", f"unit {unit}: {count} in quarantine, {code}", {"unit": unit, "code": code, "records": count})
