"""What a run's ledger and outputs say, and how that differs from an undisturbed run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.run import current_run
from pipeline.storage import Folder


@dataclass(frozen=True)
class Books:
    """What a run's ledger and outputs say."""

    planned_units: int
    planned_records: int
    commits: int
    ok: int
    quarantined: int
    uneven: int
    hashes: Mapping[str, str]
    objects: frozenset[str]


def books(output: Folder) -> Books:
    """Read everything from storage: the plan, every commit, every name."""
    run = current_run(output)
    assert run is not None
    refs = list(run.refs())
    commits = list(run.ledger.commits(ref.unit_id for ref in refs))
    outputs = run.ledger.all_outputs(ref.unit_id for ref in refs)
    objects = frozenset(name for name, _ in output.walk() if not name.startswith("_facejobs/"))
    return Books(
        planned_units=len(refs),
        planned_records=sum(ref.records for ref in refs),
        commits=len(run.ledger.committed()),
        ok=sum(commit.ok for commit in commits),
        quarantined=sum(len(commit.quarantined) for commit in commits),
        uneven=sum(commit.records != commit.ok + len(commit.quarantined) for commit in commits),
        hashes={one.path: one.sha256 for one in outputs},
        objects=objects,
    )


def faults_of(found: Books, expected: Books) -> list[str]:
    """What is wrong; empty when all is as it was without disturbance."""
    wrong = []
    if found.commits != found.planned_units:
        wrong.append(f"{found.commits} commits for {found.planned_units} units")
    if found.ok + found.quarantined != found.planned_records or found.uneven:
        wrong.append(f"{found.planned_records} records in, {found.ok} ok, {found.quarantined} quarantined")
    if (found.ok, found.quarantined) != (expected.ok, expected.quarantined):
        wrong.append(f"{found.ok} ok where {expected.ok} were expected")
    different = [name for name, digest in expected.hashes.items() if found.hashes.get(name) != digest]
    if different or found.hashes.keys() != expected.hashes.keys():
        wrong.append(f"{len(different)} outputs differ, such as {different[:3]}")
    if orphans := found.objects - found.hashes.keys():
        wrong.append(f"{len(orphans)} objects that no commit names, such as {sorted(orphans)[:3]}")
    if missing := found.hashes.keys() - found.objects:
        wrong.append(f"{len(missing)} outputs are not there")
    return wrong
