"""Checkpoints of long work: folders by number on any storage, committed by one small file that is put last.

`<number>/...` are a checkpoint's files and `<number>.json` is its commit, with the size and SHA-256 of each. What has
no commit is no checkpoint; what is not as its commit says is damaged, and is passed over for the one before it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.storage import PART, Folder

MISSING = "is missing"
_COMMIT = re.compile(r"(\d{9,})\.json")
_BELOW = re.compile(r"(\d{9,})(?:\.json$|/)")


@dataclass(frozen=True)
class Kept:
    """A checkpoint that was committed.

    Attributes:
        number: of it, from 0 and rising.
        facts: what was said of it, JSON values.
        files: name to SHA-256 (hex) and bytes of each.
    """

    number: int
    facts: Mapping[str, Any]
    files: Mapping[str, tuple[str, int]]


@dataclass(frozen=True)
class Policy:
    """Which checkpoints stay.

    Attributes:
        newest: so many of the newest ones, at least one.
        every: those whose number is a multiple of it, for good; 0 for none.
        also: numbers that stay as well, such as the best one's.
    """

    newest: int = 3
    every: int = 0
    also: frozenset[int] = field(default_factory=frozenset)

    def staying(self, numbers: Iterable[int]) -> frozenset[int]:
        """Those of these numbers."""
        there = sorted(numbers)
        newest = there[-max(self.newest, 1) :]
        milestones = [number for number in there if self.every and number and number % self.every == 0]
        return frozenset(newest) | frozenset(milestones) | (self.also & frozenset(there))


class Checkpoints:
    """The checkpoints in a folder; one process at a time may write there.

    Args:
        folder: where they are.
    """

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    def write(self, number: int, files: Mapping[str, bytes], facts: Mapping[str, Any]) -> Kept:
        """Keep a checkpoint; one of the same number is replaced.

        Args:
            number: of it.
            files: by name.
            facts: what is to be known of it without reading them, JSON values.

        Raises:
            StorageError: storage does not answer or refuses.
            OSError: likewise.
        """
        kept = Kept(number, dict(facts), {name: (_digest(data), len(data)) for name, data in files.items()})
        # A commit whose files are being replaced would be one that is damaged, if this ends in between.
        self.folder.delete(_commit(number))
        for name, data in files.items():
            self.folder.write(f"{number:09d}/{name}", data)
        sums = {name: {"sha256": digest, "bytes": size} for name, (digest, size) in kept.files.items()}
        self.folder.write(_commit(number), json.dumps({"facts": kept.facts, "files": sums}, indent=1).encode())
        return kept

    def numbers(self) -> list[int]:
        """Of all that have a commit, rising."""
        found = (_COMMIT.fullmatch(name) for name in self._names())
        return sorted(int(match[1]) for match in found if match)

    def kept(self, number: int) -> Kept | None:
        """A checkpoint's commit; None where there is none or it cannot be read."""
        try:
            raw = json.loads(self.folder.read(_commit(number)))
            files = {str(name): (str(one["sha256"]), int(one["bytes"])) for name, one in raw["files"].items()}
            return Kept(number, dict(raw["facts"]), files)
        except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def all(self) -> list[Kept]:
        """Every commit that can be read, by rising number."""
        return [kept for number in self.numbers() if (kept := self.kept(number)) is not None]

    def newest(
        self, say: Callable[[str], None], wanted: Callable[[Kept], bool] = lambda kept: True
    ) -> tuple[Kept, dict[str, bytes]] | None:
        """The newest checkpoint that is whole, with its files; None where there is none.

        Args:
            say: told of each that is damaged and was passed over.
            wanted: whether a checkpoint is looked at at all.
        """
        for number in reversed(self.numbers()):
            kept = self.kept(number)
            if kept is None:
                say(f"{self.folder.uri}/{_commit(number)}: damaged; the checkpoint before it is taken")
                continue
            if not wanted(kept):
                continue
            files, wrong = self.read(kept)
            if not wrong:
                return kept, files
            said = " and ".join(f"{name} {problem}" for name, problem in wrong.items())
            say(f"{self.folder.uri}/{number:09d}: {said}; the checkpoint before it is taken")
        return None

    def read(self, kept: Kept) -> tuple[dict[str, bytes], dict[str, str]]:
        """A checkpoint's files, and of those that are not as they were written, by name, what is wrong."""
        files: dict[str, bytes] = {}
        wrong: dict[str, str] = {}
        for name, (digest, size) in kept.files.items():
            try:
                data = self.folder.read(f"{kept.number:09d}/{name}")
            except FileNotFoundError:
                wrong[name] = MISSING
                continue
            if _digest(data) == digest:
                files[name] = data
            else:
                wrong[name] = f"is damaged ({len(data)} bytes that are not the {size} that were written)"
        return files, wrong

    def remove(self, number: int) -> None:
        """Remove a checkpoint, its commit first, so that no half of one is ever taken for a whole."""
        self.folder.delete(_commit(number))
        for name in self.folder.names(f"{number:09d}"):
            self.folder.delete(name)

    def prune(self, policy: Policy) -> list[int]:
        """Remove what need not stay; gives the numbers that were removed."""
        numbers = self.numbers()
        staying = policy.staying(numbers)
        gone = [number for number in numbers if number not in staying]
        for number in gone:
            self.remove(number)
        return gone

    def remove_above(self, number: int) -> None:
        """Remove every checkpoint above a number, and what is left of any that never got its commit."""
        committed = frozenset(self.numbers())
        names = self._names()
        for name in [*(one for one in names if "/" not in one), *(one for one in names if "/" in one)]:
            match = _BELOW.match(name)
            stale = match is not None and (int(match[1]) > number or int(match[1]) not in committed)
            if stale or _half_written(name):
                self.folder.delete(name)

    def remains(self) -> dict[str, int]:
        """Files of checkpoints that never got their commit, each with its bytes."""
        committed = frozenset(self.numbers())
        sizes = {name: int(details.get("size") or 0) for name, details in self.folder.walk()}
        return {name: size for name, size in sizes.items() if _is_remains(name, committed)}

    def _names(self) -> list[str]:
        return self.folder.names()


def _commit(number: int) -> str:
    return f"{number:09d}.json"


def _is_remains(name: str, committed: frozenset[int]) -> bool:
    match = _BELOW.match(name)
    return _half_written(name) or (match is not None and int(match[1]) not in committed)


def _half_written(name: str) -> bool:
    """Whether a file was being written on a local disk by a process that is gone."""
    return name.rpartition("/")[2].startswith(PART)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
