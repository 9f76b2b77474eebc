"""A listing that leaves things out saves less work, and changes nothing of what comes out."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from pipeline.ledger import Ledger
from pipeline.parcel import Parcel
from pipeline.quarantine import standing
from pipeline.storage import Folder
from pipeline.tally import tally_of
from pipeline.verify import verify
from pipeline.worker import Worker

from .bed import TEXTS, UPPER, Bed, quarantined


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Listings of commits and attempts show the first of each alone."""
    walk = Folder.walk

    def first(folder: Folder, prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
        found = walk(folder, prefix)
        yield from islice(found, 1) if prefix.startswith(("commits", "attempts")) else found

    monkeypatch.setattr(Folder, "walk", first)


def test_units_that_a_listing_misses_are_found_committed_and_not_done_again(tmp_path: Path, blind: None) -> None:
    bed = Bed(tmp_path, TEXTS)
    for ref in list(bed.run.refs())[:2]:
        Worker(bed.spec)(Parcel(ref))
    assert len(bed.run.ledger.committed()) == 1
    outcome = bed.drive()
    assert (outcome.state, outcome.worked) == ("complete", 1)
    assert (outcome.tally.ok, outcome.tally.quarantined) == (4, 1)
    assert bed.outputs() == UPPER


def test_a_finished_run_stays_finished(tmp_path: Path, blind: None, monkeypatch: pytest.MonkeyPatch) -> None:
    bed = Bed(tmp_path, TEXTS)
    finished = bed.drive()
    assert tally_of(bed.run) == finished.tally
    again = bed.drive()
    assert (again.state, again.worked) == ("complete", 0)
    findings = verify(bed.run)
    assert (findings.checked, findings.clean) == (4, True)
    # One commit less, and it is not finished any more.
    ref = list(bed.run.refs())[1]
    bed.run.folder.delete(f"commits/{ref.unit_id}.json")
    assert not tally_of(bed.run).complete
    assert bed.drive().worked == 1


def test_a_retry_is_planned_from_every_commit(tmp_path: Path, blind: None) -> None:
    bed = Bed(tmp_path, {**TEXTS, "y.txt": "bad", "z.txt": "bad"})
    bed.drive()
    assert quarantined(bed) == dict.fromkeys(["b/d.txt", "y.txt", "z.txt"], "bad_text")
    assert len(list(standing(bed.run))) == 3


def test_an_attempt_that_no_listing_shows_keeps_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger(Folder(str(tmp_path)))
    first = ledger.begin("u")
    monkeypatch.setattr(Folder, "names", lambda folder, prefix="": [])
    second = ledger.begin("u")
    assert (first.number, second.number) == (1, 2)
