"""Estimates that are kept below an output, so that a report can say how right they were."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jobs.identity import digest
from jobs.versions import facejobs_version
from pipeline import layout
from pipeline.ledger import now
from pipeline.run import Run
from pipeline.storage import Folder

FORMAT = 1


def keep(output: Folder, identity: Mapping[str, Any], said: Mapping[str, Any], compared: str) -> str:
    """Keep an estimate for runs of an identity, in the place of the one that was kept before.

    Args:
        output: the output root.
        identity: of the runs that it is for.
        said: everything that the plan says, with the key `estimate`.
        compared: `machine` or `cluster`, where the job runs as it is written.

    Returns:
        where it lies.
    """
    name = layout.estimate(digest(identity))
    about = {"format": FORMAT, "made": now(), "facejobs": facejobs_version(), "compared": compared}
    output.write(name, json.dumps({**about, **said}, indent=1).encode())
    return f"{output.uri}/{name}"


def kept_for(run: Run) -> dict[str, Any] | None:
    """The estimate that was kept for a run; None where there is none that this version can read."""
    try:
        found = json.loads(run.output.read(layout.estimate(digest(run.header.identity))))
    except (FileNotFoundError, ValueError):
        return None
    if not isinstance(found, dict) or found.get("format") != FORMAT or not found.get("estimate"):
        return None
    return found
