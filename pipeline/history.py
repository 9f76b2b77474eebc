"""The runs that an output has seen: which there are, and whose results still stand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress

from pipeline import layout
from pipeline.errors import NoSuchRunError
from pipeline.ledger import now
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


def next_version(output: Folder, owner: str) -> str:
    """A folder for one more run's outputs, above every number that is taken: `versions/2` beside a first run.

    The number is claimed with a create-only put, so that two jobs that start at once never share a folder.

    Args:
        output: the output root.
        owner: what tells the job from others; the same one gets the number again that it had claimed and not used.
    """
    taken = {run.header.prefix.removeprefix(f"{layout.VERSIONS}/") for run in runs_of(output)}
    taken.update(output.children(layout.VERSIONS))
    numbers = [int(name) for name in taken if name.isascii() and name.isdigit()]
    number = max(numbers, default=1) + 1
    mark = json.dumps({"owner": owner}).encode()
    while not output.create(layout.version_claim(number), mark) and output.read(layout.version_claim(number)) != mark:
        number += 1
    return f"{layout.VERSIONS}/{number}"


def chain_of(run: Run) -> list[Run]:
    """The runs whose outputs stand beside each other in one folder, the oldest first and this one last.

    Each night of a collection follows the run before it; any other run stands alone.

    Raises:
        NoSuchRunError: one of them was removed.
    """
    return list(back_from(run))[::-1]


def back_from(run: Run) -> Iterator[Run]:
    """This run, the one that it follows, and so on, each opened when it is asked for."""
    yield run
    while run.header.follows:
        run = open_run(run.output, run.header.follows)
        yield run


def close(run: Run, reason: str) -> None:
    """End a run for good, so that what it has not done is planned anew by a later one.

    A worker that commits a unit of it afterwards harms nothing: whoever plans next looks at the commits then.

    Args:
        run: the run.
        reason: `time`, or `settings` where the job is another by now.
    """
    run.folder.create(layout.CLOSED, json.dumps({"reason": reason, "closed": now()}).encode())
