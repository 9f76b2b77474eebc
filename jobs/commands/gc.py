"""`facejobs gc`: removes what attempts have left and no commit names."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from types import MappingProxyType

from jobs.commands.look import trained
from jobs.commands.moments import age
from jobs.console import Output
from jobs.exits import Exit
from jobs.locate import locate
from jobs.pairs.leftovers import PairLeftovers
from jobs.restore.leftovers import Leftovers
from jobs.train import status as of_training
from pipeline.gc import Claim, Garbage, collect_garbage
from pipeline.run import Run, RunHeader
from pipeline.storage import Folder
from pipeline.writer_lock import SoleWriters

WORDS = {
    "shards": "shards of attempts that lost",
    "table_parts": "table parts of attempts that lost",
    "outputs": "outputs of records that ended in quarantine",
    "parts": "parts that finished data sets were put together from",
    "half_written": "files half written by processes that are gone",
    "progress": "states of work on units that are done with",
}

CLAIMS: Mapping[str, Callable[[RunHeader], Claim]] = MappingProxyType(
    {"restore": Leftovers.of, "pairs": PairLeftovers.of}
)
"""By kind of job, what is known of its mirrored outputs."""


class NoClaim:
    """Of a survey, whose results are its table, and of kinds that this version does not know: nothing is claimed."""

    def names(self, key: str) -> tuple[str, ...]:
        """None."""
        return ()

    def own(self, folder: Folder, name: str) -> bool:
        """Never."""
        return False


def collect(place: str, older_than: str, out: Output, *, force: bool, dry_run: bool, as_json: bool) -> Exit:
    """Find garbage and remove it, or only say what there is."""
    seconds = age(older_than)
    if (training := trained(place, out)) is not None:
        return of_training.collect(training, out, dry_run=dry_run, as_json=as_json)
    located = locate(place)
    out.use(located.scrubber)
    run = located.run
    with SoleWriters(out.log) as writers:
        garbage = collect_garbage(
            run if dry_run else writers.run(run),
            lambda one: claim_of(one.header),
            seconds,
            force=force,
            dry_run=dry_run,
        )
    if as_json:
        out.say(json.dumps({"run_id": run.header.run_id, "dry_run": dry_run, **_plain(garbage)}, indent=1))
    else:
        _say(run, garbage, out, older_than=older_than, dry_run=dry_run)
    return Exit.DONE


def claim_of(header: RunHeader) -> Claim:
    """What a run's kind of job knows of its outputs."""
    claim = CLAIMS.get(header.kind)
    return claim(header) if claim is not None else NoClaim()


def _plain(garbage: Garbage) -> dict[str, object]:
    return {
        "removed": {kind: asdict(pile) for kind, pile in garbage.piles.items()},
        "left_for_age": garbage.young,
        "left_in_use": garbage.in_use,
        "units_open": garbage.open_units,
    }


def _say(run: Run, garbage: Garbage, out: Output, *, older_than: str, dry_run: bool) -> None:
    verb = "would be removed" if dry_run else "removed"
    for kind, pile in garbage.piles.items():
        out.say(f"{pile.objects} {WORDS[kind]} {verb}, {pile.bytes} bytes")
    if garbage.young:
        out.say(f"{garbage.young} others are younger than --older-than {older_than} and were left")
    if garbage.in_use:
        out.say(f"{garbage.in_use} others belong to attempts that may still be committed and were left")
    if garbage.open_units:
        out.say(
            f"{garbage.open_units} units of the runs in {run.outputs.uri} have no commit; mirrored outputs are looked "
            "at when `facejobs run` has finished the run"
        )
