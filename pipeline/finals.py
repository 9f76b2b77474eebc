"""What a run has written as a whole when all its units were committed, as its manifest names it."""

from __future__ import annotations

import json

from pipeline import layout
from pipeline.intact import intact
from pipeline.records import Output
from pipeline.run import Run

PART = "part"
"""Role of an output of a unit that only serves to make finals; it goes when the manifest names those."""

FINAL = "final"
"""Role of what is made of the outputs of all units."""


def finals_of(run: Run) -> tuple[Output, ...] | None:
    """What the manifest names, also one that a retry has made out of date; None where none was ever written.

    Paths are relative to the run's output folder.

    Raises:
        LedgerError: the manifest is damaged.
    """
    try:
        with intact(run.folder, layout.MANIFEST, "remove it and run the job again, which writes it anew"):
            manifest = json.loads(run.folder.read(layout.MANIFEST))
            return tuple(Output(**row) for row in manifest.get("finals", ()))
    except FileNotFoundError:
        return None
