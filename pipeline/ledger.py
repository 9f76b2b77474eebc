"""What has been committed: attempt marks and one create-only object a unit, on plain object storage."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pipeline import layout
from pipeline.fetching import fetched
from pipeline.intact import intact
from pipeline.marks import new_mark, now
from pipeline.parts import outputs_of, read_part
from pipeline.records import Output
from pipeline.storage import Folder

__all__ = ["PLANNED", "Attempt", "Commit", "Ledger", "Quarantined", "now"]

PLANNED = "plan"
"""The stage of quarantine rows that the plan itself found wrong."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a unit.

    Attributes:
        unit_id: the unit.
        number: from 1, unique for the unit because its mark is create-only.
        token: random, tells this try from every other.
    """

    unit_id: str
    number: int
    token: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One record that could not be processed.

    Attributes:
        key: the record.
        uri: where its bytes are.
        code: stable lower_snake_case word.
        message: what was found, what was expected, what to do.
        stage: the stage that gave up.
    """

    key: str
    uri: str
    code: str
    message: str
    stage: str


@dataclass(frozen=True)
class Commit:
    """What a unit's processing came to; readers trust only what commits name.

    Attributes:
        unit_id: the unit.
        index: its position in its round.
        round: 0 for the plan, then one a retry.
        attempt: number of the winning attempt.
        token: token of the winning attempt.
        records: records in; always `ok` plus the length of `quarantined`.
        ok: records with outputs.
        quarantined: the others.
        output_objects: how many objects were written below the run's output folder.
        output_bytes: their size.
        tables: every table part written below the run's own folder, with size and SHA-256. The part of the table
            `outputs` names every output, with size and SHA-256: a list of a thousand of them, apart, keeps commits
            small enough to be read by the ten thousand.
        counts: what the job kind counts (faces found, images changed, ...).
        seconds: time spent by stage.
        started: ISO 8601, UTC.
        finished: ISO 8601, UTC.
        versions: library versions that made the outputs.
    """

    unit_id: str
    index: int
    round: int
    attempt: int
    token: str
    records: int
    ok: int
    quarantined: tuple[Quarantined, ...]
    output_objects: int
    output_bytes: int
    tables: tuple[Output, ...]
    counts: Mapping[str, int] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    started: str = ""
    finished: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def listing(self) -> Output:
        """The table part that names the outputs."""
        return next(part for part in self.tables if layout.table_of(part.path) == layout.OUTPUTS)

    def to_bytes(self) -> bytes:
        """As JSON."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    @staticmethod
    def from_bytes(data: bytes) -> Commit:
        """From JSON."""
        raw: dict[str, Any] = json.loads(data)
        raw["quarantined"] = tuple(Quarantined(**row) for row in raw["quarantined"])
        raw["tables"] = tuple(Output(**row) for row in raw["tables"])
        return Commit(**raw)


class Ledger:
    """The ledger of one run."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def begin(self, unit_id: str) -> Attempt:
        """Mark a new attempt at a unit; its number is one above every mark that is there."""
        token = uuid.uuid4().hex
        names = self._folder.names(layout.attempts_of(unit_id))
        number = sum(name.endswith(".json") for name in names)  # on a disk others may be half written
        while True:
            number += 1
            mark = json.dumps(new_mark(token)).encode()
            if self._put(layout.attempt_mark(unit_id, number), mark, token):
                return Attempt(unit_id, number, token)

    def commit(self, commit: Commit) -> bool:
        """Commit a unit; True when this attempt is the one that stands."""
        return self._put(layout.commit_mark(commit.unit_id), commit.to_bytes(), commit.token)

    def find(self, unit_id: str) -> Commit | None:
        """A unit's commit, if it has one. Raises LedgerError when it is damaged."""
        name = layout.commit_mark(unit_id)
        try:
            with intact(self._folder, name, "remove it and run the job again, which does its unit again"):
                return Commit.from_bytes(self._folder.read(name))
        except FileNotFoundError:
            return None

    def committed(self) -> set[str]:
        """Ids of committed units, by listing alone.

        A listing may miss some (a page that a store leaves out), so it only ever saves work: what it does not show is
        looked for by its name before anything is concluded from its absence.
        """
        names = (name for name, _ in self._folder.walk(layout.COMMITS))
        return {name.rsplit("/", 1)[-1].removesuffix(".json") for name in names if name.endswith(".json")}

    def commits(self, unit_ids: Iterable[str]) -> Iterator[Commit]:
        """Read the commits of these units, many at a time, in the order given; uncommitted ones are skipped."""
        return (commit for commit in fetched(self.find, unit_ids) if commit is not None)

    def outputs(self, commit: Commit) -> list[Output]:
        """Every output that a commit names. Raises LedgerError when their list is damaged."""
        return outputs_of(read_part(self._folder, commit.listing))

    def all_outputs(self, unit_ids: Iterable[str]) -> Iterator[Output]:
        """Every output that the commits of these units name, in order; uncommitted units are skipped."""
        for outputs in fetched(self._outputs_of_unit, unit_ids):
            yield from outputs

    def lacks(self, unit_ids: Iterable[str]) -> bool:
        """Whether one of these units has no commit, each looked for by its name: a listing may miss some."""
        return any(commit is None for commit in fetched(self.find, unit_ids))

    def _outputs_of_unit(self, unit_id: str) -> list[Output]:
        commit = self.find(unit_id)
        return self.outputs(commit) if commit is not None else []

    def _put(self, name: str, data: bytes, token: str) -> bool:
        """Create-only put; a refusal is success after all when what stands there carries our token (a lost reply)."""
        if self._folder.create(name, data):
            return True
        return bool(json.loads(self._folder.read(name))["token"] == token)
