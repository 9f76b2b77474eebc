from __future__ import annotations

from dataclasses import replace

from jobs.report.data import QuarantineRow, ReportData
from jobs.report.render import render
from jobs.report.scrub import scrubbed

SECRET = "pa<ss&word"


def hide(text: str) -> str:
    return text.replace(SECRET, "***")


def test_no_text_keeps_the_secret(report_data: ReportData) -> None:
    leaky = replace(
        report_data,
        name=SECRET,
        source=f"s3://me:{SECRET}@host/",
        output=SECRET,
        totals=replace(report_data.totals, faces_kept={SECRET: 1}),
        samples=(replace(report_data.samples[0], key=SECRET, caption=SECRET, facts={SECRET: SECRET}),),
        quarantine=(QuarantineRow(SECRET, SECRET, "m" * 395 + SECRET, SECRET, SECRET),),
        settings={"a": {SECRET: [SECRET, {"b": (SECRET,)}]}},
        warnings=(SECRET,),
    )
    clean = scrubbed(leaky, hide)
    assert SECRET in repr(leaky)
    assert SECRET not in repr(clean)
    page = render(clean)
    assert "pa&lt;ss" not in page
    assert "mmmpa" not in page


def test_numbers_and_pictures_stay(report_data: ReportData) -> None:
    assert scrubbed(report_data, hide) == report_data
    shouted = scrubbed(report_data, str.upper)
    assert shouted.name == "GLASS-NEGATIVES"
    assert shouted.totals.records_ok == report_data.totals.records_ok
    assert shouted.scores["SHARPNESS"].after == report_data.scores["sharpness"].after
    assert [sample.before for sample in shouted.samples] == [sample.before for sample in report_data.samples]
