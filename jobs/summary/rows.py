"""The facts of a summary as rows of a name and a value, the same in text, page and mail."""

from __future__ import annotations

from collections.abc import Iterator

from jobs.report.text import clip, clip_middle, count, duration, moment, number, size
from jobs.summary.data import RunFacts, Summary

REASONS = 6
"""Reasons that are shown; the rest is counted."""

Row = tuple[str, str]


def numbers(summary: Summary) -> list[Row]:
    """The run in numbers."""
    return list(_numbers(summary.run)) if summary.run is not None else []


def _numbers(run: RunFacts) -> Iterator[Row]:
    yield f"{run.noun}s planned", count(run.planned)
    yield run.made, count(run.ok)
    yield "in quarantine", count(run.quarantined)
    yield "to do", count(run.todo)
    if run.faces_found is not None and run.faces_restored is not None:
        yield "faces found", count(run.faces_found)
        yield "faces restored", count(run.faces_restored)
    if run.bytes_in is not None:
        yield "read", size(run.bytes_in)
    if run.bytes_out is not None:
        yield "written", size(run.bytes_out)
    if run.records_per_second is not None:
        yield f"{run.noun}s a second", number(run.records_per_second)
    if run.faces_per_second is not None:
        yield "faces a second", number(run.faces_per_second)


def circumstances(summary: Summary) -> list[Row]:
    """What was run, when and where."""
    command = summary.command
    rows = [
        ("command", clip(" ".join(("facejobs", command.words[0], command.file, *command.words[1:])), 200)),
        ("exit code", f"{int(summary.exit)}: {summary.meaning}"),
        ("started", moment(command.started)),
        ("took", duration(command.seconds)),
        ("host", clip(command.host, 80)),
        ("facejobs", clip(command.version, 40)),
    ]
    if summary.run is not None:
        rows[1:1] = [("run", f"{summary.run.run_id}, {summary.state.replace('_', ' ')}")]
    return rows


def whereabouts(summary: Summary) -> list[Row]:
    """Where things lie."""
    if summary.run is None:
        return []
    run = summary.run
    rows = [
        ("source", run.source),
        ("output", run.output),
        ("report", run.report),
        ("quarantine list", run.quarantine),
        ("run's folder", "" if run.report else run.folder),
    ]
    return [(name, clip_middle(value)) for name, value in rows if value]
