"""A whole run with every fault that passes at once: complete, counted right, the same bytes."""

from __future__ import annotations

import pytest

from pipeline.tally import tally_of
from pipeline.verify import verify

from .s3_bed import TEXTS as FEW
from .s3_bed import S3Bed

pytestmark = [pytest.mark.s3, pytest.mark.usefixtures("quick")]

TEXTS = {f"box{number // 8}/{number:02d}.txt": "bad" if number % 9 == 4 else f"text {number}" for number in range(24)}
SHARES = dict.fromkeys(
    (
        "internal_error",
        "slow_down",
        "reset_before",
        "lost_reply",
        "truncated",
        "conflict",
        "no_token",
        "same_token",
        "dropped_keys",
    ),
    0.05,
)


@pytest.mark.parametrize("layout", ["mirror", "webdataset"])
def test_a_run_through_faults_equals_one_without(proxied, layout: str) -> None:
    place = proxied(seed=3)
    undisturbed = S3Bed(place.folder("calm"), TEXTS, layout)
    assert undisturbed.drive().state == "complete"
    calm = undisturbed.outputs(place.behind(undisturbed.output))

    place.rates(**SHARES, delayed=0.1, delay_seconds=0.05)
    bed = S3Bed(place.folder("faults"), TEXTS, layout)
    outcome = bed.drive()
    place.rates()
    assert outcome.state == "complete", outcome.message
    injected = {fault: place.counts[fault] for fault in SHARES}
    assert sum(injected.values()) > 20, injected
    tally = tally_of(bed.run)
    assert (tally.records_planned, tally.ok, tally.quarantined) == (24, 21, 3)
    assert dict(tally.codes) == {"bad_text": 3}, "no record paid for what storage did"
    refs = list(bed.run.refs())
    assert {ref.unit_id for ref in refs} == bed.run.ledger.committed()
    assert verify(bed.run).clean
    there = bed.outputs(place.behind(bed.output))
    if layout == "mirror":
        assert there == calm
    else:  # names hold the unit, which is a hash over the source's place
        assert sorted(there.values()) == sorted(calm.values())


def test_a_run_on_a_store_without_conditional_put(proxied) -> None:
    from botocore.credentials import Credentials

    from pipeline.writer_lock import SoleWriters

    place = proxied()
    place.proxy.change(unconditional=Credentials(place.direct.key, place.direct.secret))
    said: list[str] = []
    folder = place.folder("careless")
    with SoleWriters(said.append) as writers:
        bed = S3Bed(folder, FEW, output=writers.output(folder.child("results")))
        assert bed.drive().state == "complete"
        writers.check()
    assert len(said) == 1
    assert "single-writer mode" in said[0]
    assert verify(bed.run).clean
    assert tally_of(bed.run).ok == 4
    assert not bed.output.exists("_facejobs/writer.json")
