"""What the report of a training says, from what its output holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jobs.spec.secrets import scrub_urls
from jobs.train import layout
from jobs.train.artefacts.facts import HeldOut, KeptFile, MachineFacts, ReportFacts, Sheet, State
from jobs.train.artefacts.held_out import read
from jobs.train.commit import MACHINE, SECONDS, WATCHED
from jobs.train.curve import happenings_of, read_rows, terms_of
from jobs.train.header import End, Header, read_end
from jobs.versions import facejobs_version, versions
from pipeline.checkpoints import Checkpoints, Kept
from pipeline.intact import intact
from pipeline.ledger import now
from pipeline.storage import Folder

SHEETS = 6
"""Sheets of samples that are read for a report: the first, and the last ones."""


def report_facts(output: Folder, header: Header, given_up: str = "") -> ReportFacts:
    """Of a training as it stands.

    Args:
        output: where it is.
        header: what it is.
        given_up: why it cannot go on; empty where it can.

    Raises:
        LedgerError: something that it has written is damaged.
    """
    kept, end, rows = Checkpoints(output.child(layout.CHECKPOINTS)).all(), read_end(output), read_rows(output)
    done = kept[-1].number if kept else 0
    state: State = "finished" if end is not None else "given up" if given_up else "unfinished"
    return ReportFacts(
        name=header.name,
        model=header.model,
        summary=header.summary,
        state=state,
        created=header.created,
        updated=now(),
        facejobs_version=facejobs_version(),
        steps=header.steps,
        done=done,
        samples=done * header.batch,
        seconds=float(kept[-1].facts[SECONDS]) if kept else None,
        watched=str(kept[-1].facts.get(WATCHED, "")) if kept else "",
        settings=header.job,
        data=header.data,
        machine=machine_facts(kept),
        rows=terms_of(rows),
        pace=tuple((one.number, float(one.facts[SECONDS])) for one in kept),
        happenings=happenings_of(rows),
        held_out=held_out(output),
        sheets=tuple(_sheets(output)),
        files=tuple(_files(kept, end)),
        versions=versions(),
        hashes={"data": header.data.fingerprint} if header.data.fingerprint else {},
        warnings=(given_up,) if given_up else (),
        licence=header.licence,
        output=scrub_urls(output.uri),
    )


def held_out(output: Folder) -> tuple[HeldOut, ...]:
    """Measures of held-out samples, by rising step.

    Raises:
        LedgerError: a file of them is damaged.
    """
    folder = output.child(layout.SAMPLES)
    found: list[HeldOut] = []
    for name in folder.names():
        if name.endswith(".json") and layout.step_of(name) is not None:
            with intact(folder, name, "remove it, or put it back from a backup"):
                found.append(read(folder.read(name)))
    return tuple(found)


def machine_facts(kept: list[Kept]) -> MachineFacts:
    """What a training ran on last."""
    found: Mapping[str, Any] = kept[-1].facts.get(MACHINE, {}) if kept else {}
    return MachineFacts(**found)


def _sheets(output: Folder) -> Iterator[Sheet]:
    folder = output.child(layout.SAMPLES)
    there = [(step, name) for name in folder.names() if name.endswith(".png") and (step := layout.step_of(name))]
    chosen = there if len(there) <= SHEETS else [there[0], *there[1 - SHEETS :]]
    for step, name in chosen:
        yield Sheet(step, folder.read(name))


def _files(kept: list[Kept], end: End | None) -> Iterator[KeptFile]:
    for one in kept:
        for name, (digest, size) in one.files.items():
            yield KeptFile(f"{layout.CHECKPOINTS}/{one.number:09d}/{name}", size, digest)
    if end is not None:
        for name, (digest, size) in end.files.items():
            yield KeptFile(name, size, digest)
