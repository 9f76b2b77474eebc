"""Counting quarantine as commits come in, whatever their order: a later round takes a record out again."""

from __future__ import annotations

import heapq
from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from pipeline.keyset import hash64
from pipeline.ledger import Commit, Quarantined
from pipeline.quarantine import retriable

NEWEST = 50
"""Rows that are kept whole, the newest ones."""

EXAMPLES = 4
"""Rows of each reason that are kept whole, so that one is left when a retry brings others through."""


@dataclass(frozen=True, order=True)
class Kept:
    """A row that can be shown.

    Attributes:
        finished: when its unit was committed, seconds since 1970.
        unit_id: the unit.
        place: among the unit's rows.
        round: of the unit.
        row: the row itself.
    """

    finished: float
    unit_id: str
    place: int
    round: int = field(compare=False)
    row: Quarantined = field(compare=False)


class Standing:
    """What is in quarantine now.

    Memory: 11 bytes a row, and 9 a record that was tried again.
    """

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._counts: Counter[str] = Counter()
        self._hashes = array("Q")
        self._coded = array("H")
        self._rounds = array("B")
        self._taken = array("Q")
        self._taken_round = array("B")
        self._newest: list[Kept] = []
        self._examples: dict[str, list[Kept]] = {}
        self._later: tuple[NDArray[np.uint64], NDArray[np.uint8]] | None = None

    def add(self, commit: Commit) -> None:
        """Take a commit's rows."""
        finished = datetime.fromisoformat(commit.finished).timestamp()
        for place, row in enumerate(commit.quarantined):
            self._counts[row.code] += 1
            if retriable(row):
                self._hashes.append(hash64(row.key))
                self._coded.append(self._codes.setdefault(row.code, len(self._codes)))
                self._rounds.append(commit.round)
            kept = Kept(finished, commit.unit_id, place, commit.round, row)
            _keep(self._newest, kept, NEWEST)
            _keep(self._examples.setdefault(row.code, []), kept, EXAMPLES)

    def take(self, keys: Iterable[str], round_: int) -> None:
        """Note that a committed unit of a retry decided these records anew; its own rows come by `add` all the same."""
        before = len(self._taken)
        self._taken.extend(map(hash64, keys))
        self._taken_round.extend([round_] * (len(self._taken) - before))
        self._later = None

    def codes(self) -> Counter[str]:
        """Records in quarantine by reason."""
        if not self._taken or not self._hashes:
            return Counter(self._counts)
        over = self._decided(np.array(self._hashes, np.uint64), np.array(self._rounds, np.uint8))
        gone = np.bincount(np.array(self._coded, np.int64)[over], minlength=len(self._codes))
        left = {code: self._counts[code] - int(gone[self._codes[code]]) for code in self._codes}
        return Counter({code: count for code, count in {**self._counts, **left}.items() if count})

    def newest(self) -> list[Kept]:
        """The rows that came last and still stand, the newest first."""
        return self._standing(sorted(self._newest, reverse=True))

    def examples(self) -> dict[str, Kept]:
        """For each reason one row that still stands, as far as one was kept."""
        found = {code: self._standing(sorted(kept, reverse=True)) for code, kept in self._examples.items()}
        return {code: kept[0] for code, kept in found.items() if kept}

    def _standing(self, kept: list[Kept]) -> list[Kept]:
        if not self._taken or not kept:
            return kept
        hashes = np.array([hash64(one.row.key) for one in kept], np.uint64)
        over = self._decided(hashes, np.array([one.round for one in kept], np.uint8))
        return [one for one, gone in zip(kept, over, strict=True) if not (gone and retriable(one.row))]

    def _decided(self, hashes: NDArray[np.uint64], rounds: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Whether a round after the row's own took up its record.

        Args:
            hashes: (n,) of keys.
            rounds: (n,) of the rows.

        Returns:
            (n,) bool.
        """
        keys, last = self._last_rounds()
        places = np.minimum(np.searchsorted(keys, hashes), keys.size - 1)
        decided: NDArray[np.bool_] = (keys[places] == hashes) & (last[places] > rounds)
        return decided

    def _last_rounds(self) -> tuple[NDArray[np.uint64], NDArray[np.uint8]]:
        """Keys that were tried again, sorted, and the last round of each."""
        if self._later is None:
            keys, rounds = np.array(self._taken, np.uint64), np.array(self._taken_round, np.uint8)
            order = np.lexsort((rounds, keys))
            keys, rounds = keys[order], rounds[order]
            ends = np.append(keys[1:] != keys[:-1], True)
            self._later = (keys[ends], rounds[ends])
        return self._later


def _keep(heap: list[Kept], one: Kept, limit: int) -> None:
    if len(heap) < limit:
        heapq.heappush(heap, one)
    else:
        heapq.heappushpop(heap, one)
