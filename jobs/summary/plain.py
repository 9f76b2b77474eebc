"""A summary as JSON, for programs."""

from __future__ import annotations

import json
from typing import Any

from jobs.summary.data import FORMAT, RunFacts, Summary
from jobs.summary.headline import headline, sentence, tone


def plain(summary: Summary) -> dict[str, Any]:
    """JSON values; docs/operations.md has the keys."""
    command, run = summary.command, summary.run
    return {
        "format": FORMAT,
        "job": summary.job,
        "kind": summary.kind,
        "headline": headline(summary),
        "sentence": sentence(summary),
        "tone": tone(summary),
        "exit": {"code": int(summary.exit), "name": summary.exit.name, "meaning": summary.meaning},
        "state": summary.state,
        "message": summary.message,
        "worked": summary.worked,
        "command": {"words": list(command.words), "file": command.file},
        "host": command.host,
        "version": command.version,
        "started": command.started,
        "finished": command.finished,
        "seconds": round(command.seconds, 3),
        "run": _run(run) if run is not None else None,
        "quarantine": [
            {"code": reason.code, "count": reason.count, "advice": reason.advice} for reason in summary.reasons
        ],
        "night": dict(summary.night) if summary.night is not None else None,
        "next": [{"why": step.why, "command": step.command} for step in summary.steps],
    }


def as_json(summary: Summary) -> str:
    """The same as text."""
    return json.dumps(plain(summary), indent=1, ensure_ascii=False) + "\n"


def _run(run: RunFacts) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "created": run.created,
        "source": run.source,
        "output": run.output,
        "folder": run.folder,
        "report": run.report or None,
        "quarantine_list": run.quarantine or None,
        "units": {"planned": run.units_planned, "committed": run.units_committed, "by_this_command": run.units_worked},
        "records": {"planned": run.planned, "ok": run.ok, "quarantined": run.quarantined, "todo": run.todo},
        "faces": {"found": run.faces_found, "restored": run.faces_restored},
        "counts": dict(run.counts),
        "bytes": {"in": run.bytes_in, "out": run.bytes_out},
        "wall_seconds": run.wall_seconds,
        "records_per_second": run.records_per_second,
        "faces_per_second": run.faces_per_second,
    }
