from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from jobs.report import limits
from jobs.report.data import GateSummary, QuarantineRow, ReportData, Sample, Throughput, Totals
from jobs.report.render import render
from tests.jobs.html_page import Page


@pytest.fixture(scope="module")
def page(report_data: ReportData) -> Page:
    return Page(render(report_data))


def empty_data(**changes: Any) -> ReportData:
    return ReportData(
        **{
            "name": "empty",
            "run_id": "0",
            "state": "complete",
            "created": "",
            "updated": "",
            "facejobs_version": "0",
            "totals": Totals(0, 0, 0, 0, 0, 0, 0, 0, 0),
            **changes,
        }
    )


def test_the_page_is_well_formed_and_its_references_exist(page: Page) -> None:
    assert page.source.startswith("<!DOCTYPE html>\n")
    ids = {node.attributes["id"] for node in page.nodes if "id" in node.attributes}
    for node in page.nodes:
        for name in ("aria-labelledby", "for"):
            assert set(node.attributes.get(name, "").split()) <= ids
        if node.tag == "a":
            assert node.attributes["href"].removeprefix("#") in ids
    assert all(node.attributes.get("alt") for node in page.all("img"))
    assert all(node.attributes.get("scope") for node in page.all("th"))
    headings = [int(node.tag[1]) for node in page.nodes if re.fullmatch(r"h\d", node.tag)]
    assert headings.count(1) == 1
    assert all(deeper <= higher + 1 for higher, deeper in pairwise(headings))


def test_nothing_is_asked_of_any_network(page: Page) -> None:
    for node in page.nodes:
        for name, value in node.attributes.items():
            if name in {"src", "href", "srcset", "action", "poster", "data", "xlink:href"}:
                assert value.startswith(("data:", "#"))
            assert not name.startswith("on")
            assert name != "style"
    style = page.all("style")[0].text
    assert "url(" not in style
    assert "@import" not in style
    assert not re.search(r"fetch|XMLHttpRequest|import\(|WebSocket|innerHTML", page.all("script")[0].text)


def test_the_policy_allows_this_style_and_script_and_nothing_else(page: Page) -> None:
    policy = page.all("meta", http_equiv="Content-Security-Policy")[0].attributes["content"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    for rule in ("style-src", "script-src"):
        assert re.fullmatch(r"'sha256-[A-Za-z0-9+/]{43}='", rules[rule])


def test_every_part_of_the_data_is_in_the_page(report_data: ReportData, page: Page) -> None:
    assert "glass-negatives" in page.all("h1")[0].text
    assert "12,471 of 12,480 records" in page.source
    totals = page.within("totals")
    for shown in ("12,480", "400 of 400", "1.48 TB", "1.5 TB", "9,033", "3,438", "15,211", "14,602", "too large"):
        assert shown in totals
    assert "single-writer mode" in page.within("warnings")
    assert "keep original" in page.within("gate") and "204" in page.within("gate")
    assert "5 h 13 min" in page.within("throughput") and "0.998" in page.within("throughput")
    assert "limits.max_pixels1000000000" in page.within("settings")
    for value in (*report_data.hashes.values(), *report_data.versions.values()):
        assert value in page.within("provenance")
    quarantine = page.within("quarantine")
    assert "copy it again from the original or a backup, then run facejobs retry." in quarantine
    for row in report_data.quarantine:
        assert row.key in quarantine and row.message in quarantine and row.uri in quarantine
    assert len(page.all("svg", class_="histogram")) == len(report_data.scores)


def test_pictures_are_embedded_as_they_are(report_data: ReportData, page: Page) -> None:
    images = page.all("img")
    wanted = [jpeg for sample in report_data.samples for jpeg in (sample.before, sample.after)]
    embedded = [base64.b64decode(node.attributes["src"].removeprefix("data:image/jpeg;base64,")) for node in images]
    assert embedded == wanted
    sliders = page.all("input", type="range")
    assert len(sliders) == len(report_data.samples)
    assert all("Before and after" in slider.attributes["aria-label"] for slider in sliders)
    assert [node.text for node in page.all("span", class_="tag")] == ["before", "after"] * len(report_data.samples)


def test_each_row_carries_its_codes_number_for_the_filter(report_data: ReportData, page: Page) -> None:
    options = {node.attributes["value"]: node.text for node in page.all("option") if node.attributes["value"]}
    rows = [node for node in page.all("tr") if "data-code" in node.attributes]
    assert [options[row.attributes["data-code"]] for row in rows] == [row.code for row in report_data.quarantine]


def test_an_unfinished_run_says_so(unfinished: ReportData) -> None:
    page = Page(render(unfinished))
    assert page.all("strong", class_="state")[0].text == "incomplete"
    assert "Run the same job again" in page.source


def test_an_empty_run_has_a_page() -> None:
    page = Page(render(empty_data()))
    assert "No record is in quarantine." in page.within("quarantine")
    assert "Nothing was scored." in page.within("scores")
    assert not page.all("img")


FIELDS: dict[str, Callable[[ReportData, str], ReportData]] = {
    "name": lambda data, text: replace(data, name=text),
    "run_id": lambda data, text: replace(data, run_id=text),
    "times": lambda data, text: replace(data, created=text, updated=text),
    "version": lambda data, text: replace(data, facejobs_version=text),
    "places": lambda data, text: replace(data, source=text, output=text),
    "kept": lambda data, text: replace(data, totals=replace(data.totals, faces_kept={text: 3})),
    "stages": lambda data, text: replace(data, throughput=Throughput(1.0, 1.0, 1.0, {text: 3.0})),
    "scores": lambda data, text: replace(data, scores={text: data.scores["sharpness"]}),
    "gate": lambda data, text: replace(data, gate=GateSummary({text: 1}, {text: 1})),
    "samples": lambda data, text: replace(
        data, samples=(replace(data.samples[0], key=text, caption=text, facts={text: text}),)
    ),
    "quarantine": lambda data, text: replace(
        data, quarantine=(QuarantineRow(text, text, text, text, f"{text}!"),), quarantine_by_code={text: 9}
    ),
    "settings": lambda data, text: replace(data, settings={text: {text: text, "list": [text]}, "top": text}),
    "versions": lambda data, text: replace(data, versions={text: text}, hashes={text: text}),
    "warnings": lambda data, text: replace(data, warnings=(text,)),
}


@pytest.mark.parametrize("place", FIELDS)
def test_hostile_text_is_harmless_everywhere(report_data: ReportData, place: str, hostile: Any) -> None:
    light = replace(report_data, samples=report_data.samples[-1:])
    plain = Page(render(FIELDS[place](light, "harmless")))
    page = Page(render(FIELDS[place](light, hostile.text)))
    page.source.encode()
    assert not hostile.forbidden or hostile.forbidden not in page.source
    # No element and no attribute more than for a harmless word.
    assert [(node.tag, set(node.attributes)) for node in page.nodes] == [
        (node.tag, set(node.attributes)) for node in plain.nodes
    ]


def test_long_text_is_visibly_abbreviated(report_data: ReportData) -> None:
    row = QuarantineRow("k" * 10_000, "corrupt", "m" * 10_000, "decode", "")
    page = Page(render(replace(report_data, quarantine=(row,))))
    table = page.within("quarantine-rows")
    assert "m … (9,600 more characters)" in table
    assert "… (9,840 characters) …" in table
    assert len(table) < 1000


def test_a_hundred_thousand_quarantined_records_keep_the_page_small(report_data: ReportData) -> None:
    worst = QuarantineRow("\x00" * 10_000, "corrupt", "\x00" * 10_000, "decode", "\x00" * 10_000)
    many = replace(
        report_data,
        totals=replace(report_data.totals, records_planned=112_471, records_quarantined=100_000),
        quarantine=(worst,) * 5000,
        quarantine_by_code={f"code_{index}": 1 for index in range(5000)},
        settings={f"key{index}": "v" * 10_000 for index in range(5000)},
        versions={f"key{index}": "v" * 10_000 for index in range(5000)},
        warnings=("w" * 10_000,) * 5000,
        gate=GateSummary({f"d{index}": 1 for index in range(5000)}, {}),
        samples=(),
    )
    html = render(many)
    page = Page(html)
    assert len(html) < 3_000_000
    assert len([node for node in page.all("tr") if "data-code" in node.attributes]) == limits.QUARANTINE_ROWS
    assert "The first 1,000 of 100,000 records" in page.within("quarantine")
    assert "4,900 more codes are in the ledger" in page.within("quarantine")
    assert "4,900 others" in page.within("gate")
    assert "more settings are in the run's plan" in page.within("settings")
    assert "4,900 more are not shown" in page.within("warnings")


def test_pictures_beyond_the_limit_are_left_out_and_counted(report_data: ReportData) -> None:
    heavy = report_data.samples[0]
    padding = b"\x00" * (limits.SAMPLE_BYTES // 8)
    heavy = replace(heavy, before=heavy.before + padding, after=heavy.after + padding)
    html = render(replace(report_data, samples=(heavy,) * 6))
    assert len(html) < limits.SAMPLE_BYTES * 4 / 3 + 500_000
    assert "3 more sampled pairs were left out" in html
    few = render(replace(report_data, samples=(report_data.samples[-1],) * (limits.SAMPLES + 1)))
    assert "1 more sampled pair was left out" in few


def test_only_jpeg_is_embedded(report_data: ReportData) -> None:
    sample = Sample("face", "k.svg", "", b"<svg onload='x'/>", b"", 1, 1)
    with pytest.raises(ValueError, match=r"k\.svg.*JPEG"):
        render(replace(report_data, samples=(sample,)))


def test_the_same_data_gives_the_same_page(report_data: ReportData) -> None:
    assert render(report_data) == render(report_data)
