"""The runs that an output has seen: which there are, and whose results still stand."""

from __future__ import annotations

from contextlib import suppress

from pipeline import layout
from pipeline.errors import NoSuchRunError
from pipeline.run import Run, open_run
from pipeline.storage import Folder


def runs_of(output: Folder) -> list[Run]:
    """Every run of an output, the oldest first. One whose planning was interrupted does not exist yet."""
    runs = []
    for run_id in output.children(layout.RUNS):
        with suppress(NoSuchRunError):
            runs.append(open_run(output, run_id))
    return sorted(runs, key=lambda run: (run.header.created, run.header.run_id))


def standing_runs(output: Folder) -> list[Run]:
    """The runs whose outputs no later run has written over, at most one for each folder, the oldest first."""
    runs = runs_of(output)
    replaced = {run.header.replaces for run in runs}
    last = {run.header.prefix: run for run in runs if run.header.run_id not in replaced}
    return [run for run in runs if last.get(run.header.prefix) is run]


def standing_in(output: Folder, prefix: str) -> Run | None:
    """The run whose outputs stand in a folder below the output root, `""` being the root itself."""
    return next((run for run in standing_runs(output) if run.header.prefix == prefix), None)


def next_version(output: Folder) -> str:
    """A folder for one more run's outputs, above every number that is taken: `versions/2` beside a first run."""
    taken = {run.header.prefix.removeprefix(f"{layout.VERSIONS}/") for run in runs_of(output)}
    taken.update(output.children(layout.VERSIONS))
    numbers = [int(name) for name in taken if name.isascii() and name.isdigit()]
    return f"{layout.VERSIONS}/{max(numbers, default=1) + 1}"
