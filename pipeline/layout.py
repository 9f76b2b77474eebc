"""Where things lie inside an output: one place for every name, so that no other file spells a path."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.storage import Folder

HOME = "_facejobs"
CURRENT = f"{HOME}/current.json"
RUNS = f"{HOME}/runs"
VERSIONS = "versions"
COLLECTION = f"{HOME}/collection"
"""State of a collection after each of its last runs; made anew from the runs' ledgers where it is missing."""
LAST_NIGHT = f"{HOME}/last-night.json"
"""What the last night of a collection came to, also where there was nothing to do."""
NIGHT_LOCK = f"{HOME}/night-lock.json"
"""Who works on a collection; see `pipeline.night_lock`."""
WRITER = f"{HOME}/writer.json"
"""Who writes to an output whose store has no create-only put; see `pipeline.writer_lock`."""


@dataclass(frozen=True)
class RunFolder:
    """A run's folder inside its output.

    Attributes:
        output: the output root.
        run_id: which run.
    """

    output: Folder
    run_id: str

    @property
    def prefix(self) -> str:
        """Path of the run's folder relative to the output root."""
        return f"{RUNS}/{self.run_id}"

    @property
    def folder(self) -> Folder:
        """The run's folder itself."""
        return self.output.child(self.prefix)


HEADER = "run.json"
MANIFEST = "manifest.json"
CLOSED = "closed.json"
"""There when a run was ended for good with units left: a later run plans them anew."""
NIGHT = "night.json"
"""Of a run over what was due in a collection: what was found, in numbers."""
SELECTION = "selection.parquet"
"""Likewise: one row a record that was due, gone or back."""
DROPPED = "dropped.parquet"
"""Outputs of earlier runs of a collection that this one takes away."""
OUTPUTS = "outputs"
"""The table that names every output; the name is taken, a job kind's tables have others."""
QUARANTINE = "quarantine.csv"
REPORT = "report.html"
SUMMARY = "summary"
"""How the last command that worked on the run ended, as `.json`, `.txt` and `.html`."""
SAMPLES = "samples"


PARTS = f"{HOME}/parts"
"""Folder, relative to a run's outputs, of what units write only to make something of it when all are committed."""

COLLECTING = f"{HOME}/gc.json"
"""There while `facejobs gc` takes away mirrored outputs, so that no run begins to write them meanwhile."""


def collection_state(run_id: str, rounds: int) -> str:
    """State of a collection after a run and so many rounds of it; relative to the output root."""
    return f"{COLLECTION}/{run_id}-{rounds:03d}.parquet"


def estimate(identity_digest: str) -> str:
    """What `facejobs plan --keep` has found for runs of an identity; relative to the output root."""
    return f"{HOME}/estimates/{identity_digest[:16]}.json"


def version_claim(number: int) -> str:
    """Which identity a folder of `versions/` was given to; relative to the output root."""
    return f"{HOME}/versions/{number}.json"


def plan_name(round_: int, digest: str) -> str:
    """Name of a round's plan. A retry's holds the plan's digest, so that two of them never write the same objects.

    The run's id stands for the digest of round 0 already.
    """
    return f"{round_:03d}-{digest[:8]}" if round_ else f"{round_:03d}"


def plan_part(plan: str, part: int) -> str:
    """Parquet file with the records of up to a few hundred units, one row group a unit."""
    return f"plan/{plan}/records-{part:05d}.parquet"


def plan_index(plan: str) -> str:
    """Parquet file with one row a unit."""
    return f"plan/{plan}/units.parquet"


def round_header(round_: int) -> str:
    """A retry's plan in numbers; put create-only, it says which plan is the round's."""
    return f"plan/{round_:03d}.json"


ATTEMPTS = "attempts"
COMMITS = "commits"


def attempts_of(unit_id: str) -> str:
    """Folder of a unit's attempt marks."""
    return f"{ATTEMPTS}/{unit_id}"


def attempted(mark: str) -> str:
    """The unit of an attempt mark; `<unit>.<segment>` marks beginnings of a segment of it."""
    return mark.split("/", 2)[1].partition(".")[0]


def attempt_mark(unit_id: str, number: int) -> str:
    """One attempt's mark."""
    return f"{attempts_of(unit_id)}/{number:04d}.json"


def suspects(unit_id: str) -> str:
    """At which record of a unit workers ended; written only for a unit that was begun several times."""
    return f"suspects/{unit_id}.json"


PROGRESS = "progress"


def progress_of(unit_id: str) -> str:
    """Folder of what a unit's stages keep on their way, until it is committed."""
    return f"{PROGRESS}/{unit_id}"


def commit_mark(unit_id: str) -> str:
    """A unit's commit."""
    return f"{COMMITS}/{unit_id}.json"


def table_part(table: str, round_: int, index: int, unit_id: str, attempt: int) -> str:
    """One unit's rows of a table; the name holds the attempt, so that two attempts never write the same object."""
    return f"tables/{table}/{round_:03d}-{index:08d}-{unit_id[:8]}-a{attempt}.parquet"


@dataclass(frozen=True, slots=True)
class Owner:
    """What the name of a shard or of a table part says of its unit.

    Attributes:
        index: the unit's position in its round.
        unit: the first eight digits of its id.
        attempt: which try at it wrote the object.
    """

    index: int
    unit: str
    attempt: int


_OWNED = re.compile(r"(?:^shard|^tables/[^/]+/\d{3})-(\d{6,})-([0-9a-f]{8})-a(\d+)\.(?:tar|parquet)$")


def owner_of(name: str) -> Owner | None:
    """Whose shard (relative to the outputs) or table part (relative to the run's folder) it is; None for all else."""
    found = _OWNED.search(name)
    return Owner(int(found[1]), found[2], int(found[3])) if found else None


def table_of(part: str) -> str:
    """The table that a part belongs to."""
    return part.split("/")[1]


def table(name: str) -> str:
    """A table of the finished run, all units in plan order."""
    return f"{name}.parquet"
