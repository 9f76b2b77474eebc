"""Keeps two nights of a collection apart, on any store.

Whoever puts the lock, create-only, has it. One whose holder is gone is taken over by whoever puts, create-only, a mark
that names the holder's token: of several that see the same dead holder one alone can do so. On a store without
create-only put, `pipeline.writer_lock` has refused the second process before.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict

from pipeline import layout
from pipeline.errors import RunAliveError
from pipeline.storage import Folder
from pipeline.writer_lock import EXPIRY_SECONDS, Holder, Lock


class NightInProgressError(RunAliveError):
    """Another night of the collection is under way."""


class NightLock(Lock):
    """The lock of a collection.

    Args:
        folder: the collection's output.
        name: of the lock in it.
    """

    def __init__(self, folder: Folder, name: str = layout.NIGHT_LOCK) -> None:
        super().__init__(folder, name)

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            NightInProgressError: another process that may be alive has it.
            StorageError: storage does not answer or refuses.
        """
        mine = json.dumps(asdict(self.me)).encode()
        while not self._folder.create(self.name, mine):
            there = self._read()
            if there is None:
                continue  # its holder has just let go of it
            if there.token == self.me.token:
                break  # the put had got through and only its reply was lost
            self._take_over(there)
            return
        self._start()

    def _take_over(self, there: Holder) -> None:
        if not there.dead:
            self._watch(there)
        mine = json.dumps(asdict(self.me)).encode()
        dead = there
        while not self._folder.create(mark := f"{self.name}.{dead.token}", mine):
            taker = Holder(**json.loads(self._folder.read(mark)))
            if taker.token == self.me.token:
                break  # the put had got through and only its reply was lost
            if not (taker.dead or taker.expired):
                raise self._conflict(taker)
            dead = taker  # it died before it had put the lock
        now = self._read()
        if now is None or now.token != there.token:
            raise self._conflict(now)
        self._write()
        self._start()

    def _conflict(self, there: Holder | None) -> NightInProgressError:
        age = max(time.time() - there.renewed, 0.0) if there else 0.0
        who = f"{there.name}, whose last sign of life is {age:.0f} s old" if there else "one that has just begun"
        return NightInProgressError(
            f"{self._place}: another night of this collection is under way: {who}. Nothing was done; let it end. If "
            f"its machine was lost, the lock can be taken over {EXPIRY_SECONDS / 60:.0f} minutes after its last sign "
            "of life"
        )
