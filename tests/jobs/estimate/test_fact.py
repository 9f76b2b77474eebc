"""An estimate beside what came: rows, verdicts and reasons, from counts that are made up."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from jobs.estimate.fact import Comparison, Row, compared
from jobs.report.estimates import estimate_rows
from pipeline.tally import Tally


def around(point: float, share: float = 0.2) -> dict[str, float]:
    return {"low": point * (1 - share), "point": point, "high": point * (1 + share)}


def kept(**more: Any) -> dict[str, Any]:
    """A thousand pictures, a second each in one of four workers, one face each, no failure."""
    passed = {
        "name": "restore",
        "unknown": None,
        "pools": [{"segments": ["restore"], "workers": 4, "busy": 1.0}],
        "work_seconds": around(250.0),
        "worker_seconds": around(1000.0),
    }
    estimate = {
        "sampled": 24,
        "confidence": 0.9,
        "currency": "EUR",
        "faces_per_record": around(1.0),
        "failures": {"low": 0.0, "point": 0.0, "high": 100.0},
        "stage_seconds": {"restore": {"examine": 0.4, "restore": 0.5, "compose": 0.1, "read": 0.05}},
        "storage": {"outputs": {"image": around(9e8), "record": around(1e8)}},
        "machine": {"passes": [passed]},
        "cluster": {"passes": [passed], "price_per_hour": 7.2},
    }
    return {"made": "2026-11-26T01:00:00Z", "compared": "machine", "records": 1000, "estimate": estimate, **more}


def tally(**more: Any) -> Tally:
    seconds = {"examine": 400.0, "restore": 500.0, "compose": 100.0, "read": 50.0, "write": 9.0}
    facts = {
        "units_planned": 10,
        "records_planned": 1000,
        "units_committed": 10,
        "ok": 1000,
        "counts": Counter(faces_found=1000),
        "seconds": Counter(seconds),
        "output_bytes": 1_000_000_000,
    }
    return Tally(**{**facts, **more})


def rows(found: Comparison | None) -> dict[str, Row]:
    assert found is not None
    return {row.label: row for row in found.rows}


def test_what_came_as_it_was_told() -> None:
    found = compared(kept(), "restore", tally(), 250.0)
    table = rows(found)
    assert {row.verdict for row in table.values()} == {"inside"}
    assert all(not row.off for row in table.values())
    assert table["working time"].fact == 250
    assert table["pictures a second"].fact == table["pictures a second"].point == 4
    assert table["worker hours"].fact == 1000  # reading and writing are inside of the stages
    assert table["worker seconds a picture"].point == 1
    assert table["output"].point == pytest.approx(1e9)
    assert found is not None and found.reasons == ()
    assert "machines while at work" not in table


@pytest.mark.parametrize(
    ("fact", "verdict"), [(1.0, "inside"), (2.9, "inside"), (3.0, "inside"), (3.1, "above"), (0.9, "below")]
)
def test_where_a_fact_lies(fact: float, verdict: str) -> None:
    assert Row("time", 1.0, 2.0, 3.0, fact, "number").verdict == verdict


def test_a_slow_machine() -> None:
    found = compared(kept(), "restore", tally(seconds=Counter(examine=400.0, restore=1500.0, compose=100.0)), 500.0)
    table = rows(found)
    assert (table["working time"].verdict, table["working time"].off) == ("above", 1.0)
    assert table["pictures a second"].verdict == "below"
    assert found is not None
    (reason,) = found.reasons
    assert reason == ("Of all stages, restore was off the most: it took 1.5 s a picture, and 0.5 s in the sample.")


def test_more_faces_than_in_the_sample() -> None:
    counts = Counter({"faces_found": 1900, "faces_kept:larger_than_model": 100})
    found = compared(kept(), "restore", tally(counts=counts), 250.0)
    assert rows(found)["faces a picture"].fact == 1.8
    assert found is not None
    assert found.reasons[0].startswith("There were 1.8 faces a picture, and 1 in the sample")


def test_fewer_workers_than_expected() -> None:
    found = compared(kept(), "restore", tally(), 500.0)
    assert found is not None
    assert found.reasons == (
        "4 workers were expected to be in the stages for 100 % of the working time, and it was 50 %: they waited, or "
        "there were fewer of them.",
    )


def test_a_source_that_has_grown() -> None:
    found = compared(kept(records=800), "restore", tally(), 250.0)
    assert found is not None
    assert found.reasons[0] == "The run has 1,000 pictures, and the estimate was of 800."


def test_an_unfinished_run_is_compared_by_rates_alone() -> None:
    half = tally(units_committed=5, ok=500, seconds=Counter(examine=200.0, restore=250.0, compose=50.0))
    found = compared(kept(), "restore", half, 125.0)
    assert found is not None and found.partial
    assert list(rows(found)) == ["pictures a second", "worker seconds a picture", "faces a picture"]
    assert rows(found)["pictures a second"].fact == 4
    assert rows(found)["worker seconds a picture"].fact == 1


def test_a_run_on_the_cluster_has_a_cost() -> None:
    found = rows(compared(kept(compared="cluster"), "restore", tally(), 300.0))
    assert found["machines while at work"].point == pytest.approx(0.5)
    assert found["machines while at work"].fact == pytest.approx(0.6)


def test_nothing_is_compared_with_what_is_not_known() -> None:
    unknown = kept()
    unknown["estimate"]["machine"]["passes"][0] = {"name": "restore", "unknown": "no GPU here"}
    assert compared(unknown, "restore", tally(), 250.0) is None
    assert compared(kept(), "survey", tally(), 250.0) is None
    assert compared(kept(), "restore", tally(ok=0, units_committed=0), 0.0) is None


def test_how_rows_are_written() -> None:
    found = compared(kept(), "restore", tally(quarantined=9, ok=991, output_bytes=600_000_000), 500.0)
    made = {row.label: row for row in estimate_rows(found)}
    assert (made["working time"].estimate, made["working time"].range) == ("4 min 10 s", "3 min 20 s to 5 min 0 s")
    assert (made["working time"].fact, made["working time"].off) == ("8 min 20 s", "+100 %")
    assert (made["in quarantine"].fact, made["in quarantine"].off) == ("9", "")
    assert (made["output"].off, made["output"].verdict) == ("\N{MINUS SIGN}40 %", "below")
    assert estimate_rows(None) == []
