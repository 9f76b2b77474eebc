from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from jobs.report.data import ReportData
from jobs.report.verdict import judge


def changed(data: ReportData, state: str = "complete", **totals: Any) -> ReportData:
    return replace(data, state=state, totals=replace(data.totals, **totals))


def test_done_with_quarantine(report_data: ReportData) -> None:
    verdict = judge(report_data)
    assert verdict.tone == "mixed"
    assert "12,471 of 12,480 records have an output; 9 could not be processed" in verdict.sentence
    assert verdict.detail == "14,602 faces restored in 9,033 pictures; 3,438 pictures were left as they were."


def test_done(report_data: ReportData) -> None:
    verdict = judge(changed(report_data, records_ok=12480, records_quarantined=0))
    assert (verdict.tone, verdict.sentence) == ("good", "Done: each of the 12,480 records has an output.")


def test_not_finished_says_how_to_go_on(unfinished: ReportData) -> None:
    verdict = judge(unfinished)
    assert verdict.tone == "open"
    assert "120 of 400 units are done. Run the same job again" in verdict.sentence


@pytest.mark.parametrize(
    "totals",
    [{"records_ok": 12470}, {"records_quarantined": 10}, {"units_committed": 399}],
)
def test_a_complete_run_whose_counts_contradict_it_is_not_called_done(report_data: ReportData, totals: Any) -> None:
    verdict = judge(changed(report_data, **totals))
    assert verdict.tone == "bad"
    assert "do not add up" in verdict.sentence


def test_an_unfinished_run_cannot_have_settled_more_than_planned(unfinished: ReportData) -> None:
    assert judge(changed(unfinished, "incomplete", records_ok=12480)).tone == "bad"


def test_one_of_each(report_data: ReportData) -> None:
    one = {
        "units_planned": 1,
        "units_committed": 1,
        "records_planned": 2,
        "records_ok": 1,
        "records_quarantined": 1,
        "images_changed": 1,
        "images_unchanged": 0,
        "faces_restored": 1,
    }
    verdict = judge(changed(report_data, **one))
    assert "1 of 2 records has an output; 1 could not be processed and is in quarantine" in verdict.sentence
    assert verdict.detail == "1 face restored in 1 picture."


def test_nothing_to_do(report_data: ReportData) -> None:
    empty = changed(report_data, records_planned=0, records_ok=0, records_quarantined=0)
    assert "no records" in judge(empty).sentence


def test_nothing_changed(report_data: ReportData) -> None:
    assert judge(changed(report_data, images_changed=0)).detail.startswith("No picture was changed; 15,211 faces")
