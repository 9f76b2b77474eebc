"""How a job of any kind finds its run in its output, or begins one there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from jobs.identity import differences, digest
from pipeline import layout
from pipeline.errors import RunConflictError
from pipeline.history import next_version, standing_in, standing_runs
from pipeline.ledger import now
from pipeline.plan import PlanSummary
from pipeline.records import Record, Unit
from pipeline.run import Run, RunHeader, current_run, make_current, make_first, plan_run
from pipeline.sources import Ignored
from pipeline.storage import Folder

Claim = Callable[[Folder], Folder]
"""Gives an output as it is to be written to, before anything is; see `pipeline.writer_lock`."""


@dataclass(frozen=True)
class Wanted:
    """The run that a job asks for.

    Attributes:
        name: of the job.
        kind: of the job.
        identity: all that changes its output; under `job` the canonical job.
        existing: `refuse`, `replace` or `version`, where the output holds another run's results.
        units: lists what there is to do, anew at each call.
        output_name: see `pipeline.plan.PlanWriter`.
        notes: what the listing has to say, asked for after it.
    """

    name: str
    kind: str
    identity: dict[str, Any]
    existing: str
    units: Callable[[], Iterable[Unit]]
    output_name: Callable[[Record], str]
    notes: Callable[[], tuple[str, ...]] = field(default=tuple)


def known_run(output: Folder, current: Run | None, identity: dict[str, Any], existing: str) -> Run | None:
    """The run with this identity whose outputs still stand; a job that replaces looks at the output's own root only."""
    if current is not None and current.header.identity == identity:
        return current
    same = [run for run in standing_runs(output) if run.header.identity == identity]
    return next((run for run in same if existing != "replace" or not run.header.prefix), None)


def take_up(known: Run, current: Run | None, claim: Claim) -> Run:
    """Make a run that was planned before the output's current one."""
    if current is None or current.header.run_id != known.header.run_id:
        claim(known.output)
        make_current(known)
    return known


def refuse_others(output: Folder, current: Run | None, wanted: Wanted) -> None:
    """An output that no run has written to must be empty, so that nothing of somebody else's is overwritten.

    Raises:
        RunConflictError: the output holds another run's results, or files of no run at all, and the job does not say
            what is to become of them.
    """
    if wanted.existing != "refuse":
        return
    if current is not None:
        raise RunConflictError(_conflict(output, current, wanted.identity))
    if foreign := _foreign(output):
        raise RunConflictError(
            f"{output.uri}: is not empty (there is {foreign}) and no run of this job has written there. Name an empty "
            "folder, or say output.existing: replace (files of the same names are overwritten) or version (they are "
            "left alone)"
        )


def refuse_collection(output: Folder, current: Run | None, existing: str) -> None:
    """A collection that is kept up by nights is no place for a run over all of a source.

    Raises:
        RunConflictError: the output holds one.
    """
    if current is not None and current.header.prefix:
        current = standing_in(output, "")
    if current is not None and current.header.night and existing != "version":
        raise RunConflictError(
            f"{output.uri}: holds a collection that is kept up by nights (the last is night {current.header.night}, "
            f"run {current.header.run_id} of {current.header.created}); give the job its block `selection` again, name "
            "another output.uri, or say output.existing: version"
        )


def begin(output: Folder, wanted: Wanted, current: Run | None, known: Run | None, claim: Claim) -> Run:
    """Plan a run and make it the output's current one.

    Args:
        output: the output root.
        wanted: the run.
        current: the one that the output holds now.
        known: one of the same identity, whose source has changed since it was planned.
        claim: see there.

    Raises:
        RunConflictError: as `refuse_others`; or another driver was faster, or holds the output's lock.
        SourceError: the source cannot be read as the job says.
        StorageError: storage unreachable or refusing.
    """
    if current is not None:
        return _begin(output, wanted, current, known, claim)
    if (other := _by_another(output, wanted)) is not None:
        return other
    try:
        return _begin(output, wanted, current, known, claim)
    except RunConflictError:
        if (other := _by_another(output, wanted)) is None:
            raise
        return other


def _by_another(output: Folder, wanted: Wanted) -> Run | None:
    """The run that another driver of this very job has begun since this one looked, and so this one's as well."""
    there = current_run(output)
    return there if there is not None and there.header.identity == wanted.identity else None


def _begin(output: Folder, wanted: Wanted, current: Run | None, known: Run | None, claim: Claim) -> Run:
    refuse_collection(output, current, wanted.existing)
    if known is None:
        refuse_others(output, current, wanted)
    output.check()
    output = claim(output)
    aside = wanted.existing == "version" and (current is not None or _foreign(output))
    if aside:
        prefix = next_version(output, digest(wanted.identity))
    else:
        prefix = known.header.prefix if known is not None else ""
    run = _plan(output, wanted, prefix)
    if current is None:
        make_first(run)
    else:
        make_current(run)
    return run


def left_out(ignored: Ignored) -> tuple[str, ...]:
    """What a listing passed over, in words."""
    return tuple(
        f"{count} other {'object was' if count == 1 else 'objects were'} left out: {reason} "
        f"(such as {ignored.examples[reason]})"
        for reason, count in sorted(ignored.counts.items())
    )


def counted(records: Iterable[Record], on_listed: Callable[[int], None]) -> Iterator[Record]:
    """Records as they come; now and then somebody is told how many there were."""
    for count, record in enumerate(records, 1):
        yield record
        if count % 1000 == 0:
            on_listed(count)


def _plan(output: Folder, wanted: Wanted, prefix: str) -> Run:
    replaced = standing_in(output, prefix)
    replaces = replaced.header.run_id if replaced is not None else ""

    def header(run_id: str, plan: PlanSummary) -> RunHeader:
        return RunHeader(
            run_id=run_id,
            name=wanted.name,
            kind=wanted.kind,
            identity=wanted.identity,
            job=wanted.identity["job"],
            plan=plan,
            prefix=prefix,
            replaces=replaces,
            created=now(),
            notes=wanted.notes(),
        )

    # A run that writes over another is one of its own: a former run of the same job has a ledger that says all is
    # done, but its outputs may be gone since.
    salt = digest(wanted.identity) + prefix + replaces
    return plan_run(output, wanted.units(), wanted.output_name, header, salt)


def _conflict(output: Folder, current: Run, identity: dict[str, Any]) -> str:
    if current.header.identity.keys() != identity.keys():
        return (
            f"{output.uri}: holds the results of run {current.header.run_id} of {current.header.created}, a "
            f"{current.header.kind} job. Name another output.uri, or say output.existing: replace (its outputs are "
            "overwritten) or version (both are kept)"
        )
    lines = differences(dict(current.header.identity), identity)
    if not current.ledger.committed():
        return (
            f"{output.uri}: run {current.header.run_id} of {current.header.created} was begun there and has done "
            f"nothing yet; this job differs from it in {len(lines)} point{'s' if len(lines) != 1 else ''}: "
            f"{'; '.join(lines[:8])}. Unless somebody is running it, say output.existing: replace once, which takes "
            "its place and loses nothing; or name another output.uri"
        )
    return (
        f"{output.uri}: holds the results of run {current.header.run_id} of {current.header.created}, which differs "
        f"from this job in {len(lines)} point{'s' if len(lines) != 1 else ''}: {'; '.join(lines[:8])}. Name another "
        "output.uri, or say output.existing: replace (its outputs are overwritten) or version (both are kept)"
    )


def _foreign(output: Folder) -> str:
    """The first object in an output that is no part of a ledger, or an empty string."""
    return next((name for name, _ in output.walk() if not name.startswith(f"{layout.HOME}/")), "")
