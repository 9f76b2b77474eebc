"""Listings that are cut short, go in circles or leave keys out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipeline.errors import StorageError
from pipeline.ledger import Ledger
from pipeline.parcel import Parcel
from pipeline.storage import Folder
from pipeline.worker import Worker

from .s3_bed import TEXTS, S3Bed

pytestmark = [pytest.mark.s3, pytest.mark.usefixtures("quick")]

COUNT = 1100  # a page of ListObjectsV2 holds a thousand


@pytest.fixture(scope="module")
def many(s3) -> Iterator[Folder]:
    folder = Folder(s3.bucket("pages"), s3.options)
    s3.fs.pipe({folder.path(f"{number:04d}.txt"): b"x" for number in range(COUNT)})
    return folder


@pytest.mark.parametrize(
    ("fault", "words"),
    [("no_token", "IsTruncated without a token"), ("same_token", "twice"), ("dropped_keys", "counts 1000 keys")],
)
def test_a_listing_that_is_wrong_is_an_error_and_not_an_end(proxied, many: Folder, fault: str, words: str) -> None:
    place = proxied(**{fault: 1.0})
    with pytest.raises(StorageError, match=words):
        list(Folder(many.uri, place.server.options).walk())
    assert place.counts[fault] > 1, "it was asked again"


@pytest.mark.parametrize("fault", ["no_token", "same_token", "dropped_keys"])
def test_a_listing_that_is_wrong_now_and_then_is_whole(proxied, many: Folder, fault: str) -> None:
    injected = 0
    for seed in range(4):
        place = proxied(seed, **{fault: 0.5})
        assert len(list(Folder(many.uri, place.server.options).walk())) == COUNT
        injected += place.counts[fault]
    assert injected


def test_folders_are_listed_with_the_same_care(proxied) -> None:
    place = proxied()
    folder = place.folder()
    for name in ("a/x", "b/y", "b/z"):
        folder.write(name, b"")
    place.rates(no_token=1.0)
    with pytest.raises(StorageError, match="IsTruncated without a token"):
        folder.children()
    place.rates()
    assert folder.children() == ["a", "b"]
    assert folder.children("b") == []
    assert folder.children("nothing") == []


def test_commits_that_a_listing_hides_are_not_done_twice(proxied) -> None:
    """Nothing tells that keys are missing; the worker that gets such a unit again reads its commit first."""
    place = proxied()
    bed = S3Bed(place.folder("hides"), TEXTS)
    assert bed.drive().state == "complete"
    ids = bed.run.ledger.committed()
    marks = bed.run.folder.names("attempts")
    place.rates(hidden_keys=1.0)
    place.proxy.change(only="list-type=2.*commits", most=1)
    outcome = bed.drive()
    assert place.counts["hidden_keys"] == 1
    assert (outcome.state, outcome.worked) == ("complete", 0)
    assert (outcome.tally.ok, outcome.tally.quarantined) == (4, 1)
    assert bed.run.ledger.committed() == ids
    assert bed.run.folder.names("attempts") == marks, "nothing was begun again"


def test_attempt_marks_that_a_listing_hides_are_not_numbered_twice(proxied) -> None:
    place = proxied()
    bed = S3Bed(place.folder("marks"), TEXTS)
    ledger = Ledger(bed.run.folder)
    (first, *_) = bed.run.refs()
    assert [ledger.begin(first.unit_id).number for _ in range(4)] == [1, 2, 3, 4]
    place.rates(hidden_keys=1.0)
    assert ledger.begin(first.unit_id).number == 5
    place.rates()
    parcel = Worker(bed.spec)(Parcel(first))
    assert parcel.receipt is not None
    assert parcel.receipt.state == "done"
