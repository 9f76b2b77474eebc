"""Puts that take effect while their reply is lost, under the real ledger on a real S3 server."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline import layout
from pipeline.ledger import Attempt, Commit, Ledger

pytestmark = [pytest.mark.s3, pytest.mark.usefixtures("quick")]

UNITS = [f"unit{number:02d}" for number in range(12)]


def commit_of(attempt: Attempt) -> Commit:
    return Commit(attempt.unit_id, 0, 0, attempt.number, attempt.token, 0, 0, (), 0, 0, ())


def test_a_lost_reply_is_no_lost_race(proxied) -> None:
    place = proxied(lost_reply=0.5)
    folder = place.folder()
    ledger = Ledger(folder)
    attempts = [ledger.begin(unit) for unit in UNITS]
    assert [attempt.number for attempt in attempts] == [1] * len(UNITS), "a mark whose reply was lost is one's own"
    others = [ledger.begin(unit) for unit in UNITS]
    assert [attempt.number for attempt in others] == [2] * len(UNITS)
    assert [ledger.commit(commit_of(attempt)) for attempt in attempts] == [True] * len(UNITS)
    assert [ledger.commit(commit_of(attempt)) for attempt in others] == [False] * len(UNITS)
    for attempt in attempts:
        standing = json.loads(place.behind(folder).read(layout.commit_mark(attempt.unit_id)))
        assert standing["token"] == attempt.token
    assert place.counts["lost_reply"] > len(UNITS)


def test_of_racers_whose_replies_are_lost_one_has_won(proxied) -> None:
    place = proxied(lost_reply=0.3, conflict=0.2, reset_before=0.1)
    folder = place.folder()
    ledger = Ledger(folder)
    for unit in UNITS[:4]:
        with ThreadPoolExecutor(4) as pool:
            attempts = list(pool.map(lambda _, unit=unit: ledger.begin(unit), range(4)))
            won = list(pool.map(lambda attempt: ledger.commit(commit_of(attempt)), attempts))
        assert sorted(attempt.number for attempt in attempts) == [1, 2, 3, 4]
        assert sum(won) == 1
        assert ledger.find(unit) == commit_of(attempts[won.index(True)])
    assert place.counts["lost_reply"]
    assert place.counts["conflict"]
