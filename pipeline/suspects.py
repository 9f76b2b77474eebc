"""Finding the record that ends its worker: a unit that was begun often goes record by record, each noted before."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress

from pipeline import layout
from pipeline.intact import intact
from pipeline.records import Failure, Item
from pipeline.storage import Folder

CAREFUL_FROM = 3
"""At this many beginnings of a unit its records go one at a time: once or twice is what an interruption costs."""

CRASHES = 2
"""A record with which a worker ended so many times is quarantined; once may be the machine's fault."""


WATCHED_CRASHES = 5
"""The same where the worker is watched: its own end is no reason then, and stopping a run at once looks like one."""


def one_by_one(items: Iterable[Item], folder: Folder, unit_id: str, enough: int = CRASHES) -> Iterator[Item]:
    """The items that are alive and trusted, each noted in the run's folder while it is worked on.

    A process that is killed (a crash in a codec, no memory left) cannot say at which record. The next one reads the
    note, and fails a record that was noted too often.

    Args:
        items: of the unit; those that ended workers get a failure and are left out.
        folder: the run's own folder.
        unit_id: the unit.
        enough: ends of a worker at one record that are proof.
    """
    name = layout.suspects(unit_id)
    crashes = _crashes(folder, name)
    try:
        for item in items:
            key = item.record.key
            if item.failure is None and crashes.get(key, 0) >= enough:
                item.failure = _failure(crashes[key])
            if item.failure is None:
                _note(folder, name, crashes, key)
                yield item
    finally:
        # Whatever passes here is no crash: an exception, an interruption, or the end.
        with suppress(Exception):
            _note(folder, name, crashes, "")


def _crashes(folder: Folder, name: str) -> dict[str, int]:
    """How often a worker ended at each record, as far as it was noted."""
    try:
        with intact(folder, name, "remove it and run the job again"):
            noted = json.loads(folder.read(name))
            crashes: dict[str, int] = dict(noted["crashes"])
            at = str(noted["at"])
    except FileNotFoundError:
        return {}
    if at:
        crashes[at] = crashes.get(at, 0) + 1
    return crashes


def _note(folder: Folder, name: str, crashes: dict[str, int], at: str) -> None:
    folder.write(name, json.dumps({"crashes": crashes, "at": at}).encode())


def _failure(times: int) -> Failure:
    return Failure(
        "worker_crashed",
        f"the worker process ended {times} times at this record, by a crash or for want of memory; check the file, or "
        "give workers more memory (fewer `run.workers`), then retry",
        "worker",
    )
