"""Runs that a pairs run has taken the place of: what they have left would be pairs of another split among its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jobs.pairs.leftovers import PairLeftovers
from pipeline.errors import NoSuchRunError
from pipeline.keyset import KeySet
from pipeline.plan import PlanReader
from pipeline.records import Output
from pipeline.run import Run, open_run
from pipeline.sweep import attempts_of, drop_replaced


def drop_former(run: Run, finals: Iterable[Output]) -> None:
    """Delete what former runs have written to the run's output folder and it has not written anew.

    Numbers and parts of samples follow from all samples together. So after a new listing or in another run the same
    name is another pair, and one that is left may be in another part than the same sample is in now. All runs of the
    folder back to the first are gone through: the last one may have been broken off before it took away another's.

    Args:
        run: whose units are all committed.
        finals: what it has written as a whole.
    """
    kept: KeySet | None = None
    for former in formers(run):
        drop_replaced(run, former, finals, whole=True)
        if not former.complete and former.header.kind == run.header.kind:
            if kept is None:
                kept = KeySet(output.path for output in run.ledger.all_outputs(ref.unit_id for ref in run.refs()))
            _drop_begun(former, kept)


def formers(run: Run) -> Iterator[Run]:
    """The run whose place this one has taken, the one before that, and so on."""
    while run.header.replaces:
        try:
            run = open_run(run.output, run.header.replaces)
        except NoSuchRunError:  # somebody has tidied the ledger; of what lies there nothing is known
            return
        yield run


def _drop_begun(former: Run, kept: KeySet) -> None:
    """Delete files of units that were begun and never committed: no commit names them, but their records tell."""
    claim, reader = PairLeftovers.of(former.header), PlanReader(former.folder)
    begun = attempts_of(former)
    for ref in former.refs():
        if ref.unit_id not in begun or former.ledger.find(ref.unit_id) is not None:
            continue
        for key in reader.keys(ref):
            names = [name for name in claim.names(key) if name not in kept and claim.own(former.outputs, name)]
            for name in reversed(names):  # a record goes after its pictures, which are known by it
                former.outputs.delete(name)
