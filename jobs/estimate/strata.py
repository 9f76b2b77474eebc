"""Records by size while they are listed, and the few of each size that are tried."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.keyset import hash64
from pipeline.records import Record

MOST_STRATA = 6
"""Sizes that are told apart; more would leave each with too few records."""

EACH = 4
"""Records tried of a stratum, on average: with fewer, nobody can say how far they are from the others."""


@dataclass(frozen=True)
class Stratum:
    """Records of about one size.

    Attributes:
        records: how many there are.
        bytes: of all of them, those of unknown size left out.
        least: smallest size that belongs to it, in bytes; -1 where sizes are not known.
        most: largest size.
        chosen: records to try.
    """

    records: int
    bytes: int
    least: int
    most: int
    chosen: tuple[Record, ...]


@dataclass
class _Class:
    """Records whose sizes have equally many binary digits."""

    records: int = 0
    bytes: int = 0
    kept: list[tuple[int, int, Record]] = field(default_factory=list)


class SizeClasses:
    """Counts records by size, and keeps of each class those whose keys have the smallest hashes.

    So the same source gives the same sample, in whatever order it is listed; and memory holds `most` records a class.

    Args:
        most: records that may be chosen in all.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._classes: dict[int, _Class] = {}
        self._seen = 0

    def add(self, record: Record) -> None:
        """Take one that is not known to fail."""
        number = record.size.bit_length() if record.size > 0 else -1
        group = self._classes.setdefault(number, _Class())
        group.records += 1
        group.bytes += max(record.size, 0)
        self._seen += 1
        entry = (-hash64(record.key), self._seen, record)  # the number keeps records from being compared
        if len(group.kept) < self._most:
            heapq.heappush(group.kept, entry)
        elif self._most:
            heapq.heappushpop(group.kept, entry)

    def strata(self) -> list[Stratum]:
        """The records by size, smallest first, and which of each are tried.

        Neighbouring classes are put together so that each stratum has about the same weight, half of which is its share
        of records and half its share of bytes: large files are few, and take most of the time.
        """
        merged = self._merged()
        weights = [self._weight(group) for group in merged.values()]
        counts = allotted(self._most, [group.records for group in merged.values()], weights)
        return [
            Stratum(
                records=group.records,
                bytes=group.bytes,
                least=2 ** (first - 1) if first > 0 else -1,
                most=2**last - 1 if last > 0 else -1,
                chosen=tuple(entry[2] for entry in sorted(group.kept, reverse=True)[:count]),
            )
            for ((first, last), group), count in zip(merged.items(), counts, strict=True)
        ]

    def _merged(self) -> dict[tuple[int, int], _Class]:
        """Strata by the first and the last class in them."""
        count = max(1, min(MOST_STRATA, self._most // EACH))
        groups: dict[int, list[int]] = {}
        passed = 0.0
        for number in sorted(self._classes):
            weight = self._weight(self._classes[number])
            groups.setdefault(min(count - 1, int((passed + weight / 2) * count)), []).append(number)
            passed += weight
        return {(numbers[0], numbers[-1]): self._together(numbers) for numbers in groups.values()}

    def _together(self, numbers: Sequence[int]) -> _Class:
        classes = [self._classes[number] for number in numbers]
        return _Class(
            sum(group.records for group in classes),
            sum(group.bytes for group in classes),
            heapq.nlargest(self._most, (entry for group in classes for entry in group.kept)),
        )

    def _weight(self, group: _Class) -> float:
        records = sum(each.records for each in self._classes.values())
        size = sum(each.bytes for each in self._classes.values())
        share = group.records / records
        return (share + group.bytes / size) / 2 if size else share


def allotted(count: int, records: Sequence[int], weights: Sequence[float]) -> list[int]:
    """Divide a sample over strata: two each where there is so much, then by weight (largest remainder).

    Args:
        count: records to try in all.
        records: that each stratum holds, more than which are never asked of it.
        weights: of the strata, with the sum 1.
    """
    each = [0] * len(records)
    for _ in range(2):
        for index in sorted(range(len(records)), key=lambda index: -weights[index]):
            if each[index] < records[index] and sum(each) < count:
                each[index] += 1
    while sum(each) < min(count, sum(records)):
        free = [index for index in range(len(records)) if each[index] < records[index]]
        each[max(free, key=lambda index: (weights[index] * count - each[index], -index))] += 1
    return each
