from __future__ import annotations

import math
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from jobs.report import limits
from jobs.report.scrub import scrubbed
from jobs.train.artefacts.facts import DataFacts, Happening, HeldOut, Interval, ReportFacts, Sheet
from jobs.train.artefacts.report import report
from jobs.train.artefacts.report.curves import Line, Upright, curve
from jobs.train.artefacts.report.verdict import judge
from jobs.train.artefacts.report.view import SHEETS
from tests.jobs.html_page import Page

HOSTILE = "<script>alert(1)</script>\u202e&\"'"


@pytest.fixture(scope="module")
def page(report_facts: ReportFacts) -> Page:
    return Page(report(report_facts))


@pytest.fixture
def bare() -> ReportFacts:
    return ReportFacts(
        name="bare",
        model="gpen",
        summary="",
        state="unfinished",
        created="",
        updated="",
        facejobs_version="0",
        steps=100,
        done=0,
        samples=0,
        seconds=None,
        watched="",
        settings={},
        data=DataFacts("faces", "portraits/"),
    )


def says(page: Page, section: str, words: str) -> bool:
    """Whether a section has words one after another, whatever elements they are in."""
    return words.replace(" ", "") in page.within(section).replace(" ", "")


def points(svg: str) -> list[tuple[float, float]]:
    path = re.search(r'class="line" d="M([^"]*)"', svg)
    assert path
    return [tuple(map(float, point.split())) for point in path[1].split("L")]  # type: ignore[misc]  # two numbers each


def test_the_page_is_well_formed_and_its_references_exist(page: Page) -> None:
    assert page.source.startswith("<!DOCTYPE html>\n")
    ids = {node.attributes["id"] for node in page.nodes if "id" in node.attributes}
    for node in page.nodes:
        assert set(node.attributes.get("aria-labelledby", "").split()) <= ids
        if node.tag == "a":
            assert node.attributes["href"].removeprefix("#") in ids
    assert all(node.attributes.get("alt") for node in page.all("img"))
    assert all(node.attributes.get("scope") for node in page.all("th"))
    headings = [int(node.tag[1]) for node in page.nodes if re.fullmatch(r"h\d", node.tag)]
    assert headings.count(1) == 1
    assert all(deeper <= higher + 1 for higher, deeper in pairwise(headings))


def test_it_has_no_script_and_asks_nothing_of_any_network(page: Page) -> None:
    assert not page.all("script")
    policy = page.all("meta", http_equiv="Content-Security-Policy")[0].attributes["content"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    for node in page.nodes:
        assert "style" not in node.attributes
        for name, value in node.attributes.items():
            assert not name.startswith("on")
            if name in {"src", "href", "srcset", "xlink:href"}:
                assert value.startswith(("data:image/png;base64,", "#")) or value == "data:,"


def test_numbers_stand_where_they_belong(page: Page) -> None:
    for section, words in (
        ("totals", "steps done 3,000 of 5,000"),
        ("totals", "samples seen 24,000 working time 3 h 0 min steps a second 0.278 pictures trained on 412"),
        ("totals", "On NVIDIA H100 80GB HBM3; 4 workers on 2 nodes, bf16, compiled."),
        ("held-out", "PSNR, dB higher is better 24.50 [24.00, 25.00] 27.00 [26.50, 27.50] 2.50 [2.30, 2.70] better 59"),
        ("held-out", "-0.0500 [-0.0600, -0.0400] worse 59"),
        ("held-out", "-0.200 [-0.600, 0.200] not told apart 58"),
        ("data", "gfpgan 4 40 %"),
        ("data", "box1/a.jpg: no face was found"),
        ("data", "1 more are not named here"),
        ("kept", f"checkpoints/000003000/networks.safetensors {'ab' * 32} 40 MB"),
        ("settings", "uri portraits/"),
        ("provenance", "torch 2.13.0"),
        ("pace", "From 0.278 at step 500 to 0.278 at step 3,000"),
    ):
        assert says(page, section, words), words


def test_what_happened_is_listed_and_marked_in_every_curve(page: Page) -> None:
    assert says(page, "happened", "1,200 rolled back back to step 1,000 with half the learning rate")
    assert page.all("code")[-1].text == "adversarial"
    assert [row.attributes.get("class") for row in page.all("tr") if "rolled back" in row.text] == ["trouble-row"]
    curves = [node for node in page.all("svg") if node.attributes.get("aria-labelledby", "").startswith("term-")]
    lines = [node for node in page.all("line") if node.attributes["class"] in ("trouble", "turn")]
    assert len(curves) == 3
    assert len(lines) == 3 * len(curves) + 3


def test_the_watched_term_comes_first_and_gaps_are_counted(page: Page) -> None:
    titles = [node.text for node in page.all("h3") if "section" in node.path and "article" in node.path]
    assert "l1 watched for divergence" in titles
    assert titles.index("l1 watched for divergence") < titles.index("adversarial")
    assert "1 of 300 values are NaN or infinite." in page.within("curves")


def test_only_terms_above_zero_have_a_logarithmic_curve(page: Page) -> None:
    assert len([node for node in page.all("div") if node.attributes.get("class") == "scale-log"]) == 1
    assert page.all("input", id="scale-log")


def test_the_last_sheet_comes_first_and_open(report_facts: ReportFacts, page: Page) -> None:
    samples = [node for node in page.all("details") if "grids" not in node.attributes.get("class", "")]
    assert [("open" in node.attributes, " ".join(node.text.split())) for node in samples[:3]] == [
        (True, "After 3,000 steps"),
        (False, "After 2,000 steps"),
        (False, "After 1,000 steps"),
    ]
    sizes = [(image.attributes["width"], image.attributes["height"]) for image in page.all("img")]
    assert len(sizes) == 3
    many = replace(report_facts, sheets=tuple(Sheet(step, report_facts.sheets[0].png) for step in range(20)))
    found = Page(report(many))
    assert len(found.all("img")) == SHEETS
    assert "After 19 steps" in found.within("samples")
    assert "After 0 steps" in found.within("samples")
    assert "14 more grids lie" in found.within("samples")


def test_a_file_stays_small(report_facts: ReportFacts) -> None:
    png = report_facts.sheets[0].png + bytes(limits.SAMPLE_BYTES // 2)
    found = report(replace(report_facts, sheets=tuple(Sheet(step, png) for step in range(4))))
    assert len(found) < limits.SAMPLE_BYTES * 4 / 3
    with pytest.raises(ValueError, match="expected a PNG"):
        report(replace(report_facts, sheets=(Sheet(1, b"GIF89a"),)))


def test_what_is_missing_is_said_to_be_missing(bare: ReportFacts) -> None:
    found = Page(report(bare))
    for section, words in (
        ("held-out", "Nothing was measured on held-out pictures yet"),
        ("samples", "No samples were drawn yet"),
        ("curves", "Nothing was logged yet"),
        ("happened", "Nothing out of the ordinary is recorded"),
        ("pace", "was not recorded"),
        ("data", "fingerprint none was made"),
        ("kept", "Licence of the weights: not said"),
        ("kept", "No checkpoint and no exported file is recorded yet"),
        ("settings", "None are recorded"),
        ("totals", "The device was not recorded"),
    ):
        assert says(found, section, words), words
    assert not found.all("svg")
    ended = Page(report(replace(bare, state="finished", done=100)))
    assert " yet" not in ended.within("content")
    over = Page(report(replace(bare, state="given up", warnings=("the term content is nan",))))
    assert says(over, "happened", "why the training ended stands under Warnings")
    assert says(over, "warnings", "the term content is nan")


def test_a_measure_without_any_value_has_no_curve(bare: ReportFacts) -> None:
    nothing = Interval(None, None, None, 0)
    found = Page(report(replace(bare, held_out=(HeldOut(5, 3, {"niqe": nothing, "own": nothing}),))))
    assert "No sample has a value." in found.within("held-out")
    assert "Not described." in found.within("held-out")


def test_foreign_text_is_escaped_and_made_visible(report_facts: ReportFacts) -> None:
    data = replace(
        report_facts.data,
        uri=HOSTILE,
        description=HOSTILE,
        first_skipped=(HOSTILE,),
        notes=(HOSTILE,),
        recipes={HOSTILE: 1.0},
    )
    rows = tuple({"step": step, "samples": 1, HOSTILE: 1.0 + step} for step in range(3))
    hostile = replace(
        report_facts,
        name=HOSTILE,
        summary=HOSTILE,
        output=HOSTILE,
        licence=HOSTILE,
        settings={HOSTILE: HOSTILE},
        versions={HOSTILE: HOSTILE},
        warnings=(HOSTILE,),
        happenings=(Happening(1, "rolled_back", HOSTILE), Happening(1, HOSTILE, "")),
        rows=rows,
        data=data,
    )
    found = Page(report(hostile))
    assert not found.all("script")
    assert "\u202e" not in found.source
    assert found.source.count("[U+202E]") >= 10


def test_secrets_are_taken_out_before_the_page_is_made(report_facts: ReportFacts) -> None:
    secret = replace(report_facts, output="s3://me:hunter2@x/", happenings=(Happening(1, "resumed", "at hunter2"),))
    clean = scrubbed(secret, lambda text: text.replace("hunter2", "***"))
    assert "hunter2" in report(secret)
    assert "hunter2" not in report(clean)
    assert clean.sheets == report_facts.sheets


def test_the_same_facts_give_the_same_page(report_facts: ReportFacts, page: Page) -> None:
    assert report(replace(report_facts)) == page.source


def test_the_verdict_says_how_a_training_stands(report_facts: ReportFacts) -> None:
    half = judge(report_facts)
    assert half.tone == "open"
    assert "3,000 of 5,000 steps are done. Run the same job again" in half.sentence
    assert "better than what was given in PSNR; worse than what was given in Identity" in half.detail
    done = replace(report_facts, state="finished", done=5000)
    assert judge(done).tone == "good"
    assert judge(replace(done, warnings=("x",))).tone == "mixed"
    assert judge(replace(report_facts, state="given up")).tone == "bad"
    assert "do not add up" in judge(replace(report_facts, state="finished")).sentence
    assert "do not add up" in judge(replace(report_facts, done=5001)).sentence
    assert "Nothing was measured" in judge(replace(report_facts, held_out=())).detail


def test_a_curve_goes_where_its_values_are() -> None:
    line = Line("x", np.array([0.0, 50.0, 100.0]), np.array([0.0, 1.0, 0.5]))
    (x0, y0), (x1, y1), (x2, y2) = points(str(curve(line, "c")))
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2)
    assert y1 < y2 < y0
    assert y2 == pytest.approx((y0 + y1) / 2, abs=0.1)


def test_a_logarithmic_curve_makes_factors_distances() -> None:
    line = Line("x", np.array([0.0, 1.0, 2.0]), np.array([1.0, 0.1, 0.001]))
    (_, y0), (_, y1), (_, y2) = points(str(curve(line, "c", logarithmic=True)))
    assert (y2 - y1) == pytest.approx(2 * (y1 - y0), abs=0.3)
    assert curve(Line("x", np.array([0.0, 1.0]), np.array([1.0, 0.0])), "c", logarithmic=True) is None


def test_a_mark_beyond_the_last_step_is_left_out() -> None:
    marks = [Upright(50, "turn", "at fifty"), Upright(500, "trouble", "beyond")]
    svg = str(curve(Line("x", np.array([0.0, 100.0]), np.array([0.0, 1.0]), uprights=marks), "c"))
    assert 'class="turn" x1="196.0"' in svg
    assert "beyond" not in svg


def test_a_gap_stays_a_gap() -> None:
    values = np.array([1.0, 2.0, math.nan, 3.0, math.inf, 4.0, 5.0])
    svg = str(curve(Line("x", np.arange(7.0), values), "c"))
    assert svg.count('class="line"') == 2
    assert svg.count('class="point"') == 1
    assert curve(Line("x", np.arange(2.0), np.array([math.nan, math.inf])), "c") is None


def test_a_long_curve_is_thinned_and_loses_no_extreme() -> None:
    values = np.zeros(50_000)
    values[31_234] = 9.0
    svg = str(curve(Line("x", np.arange(50_000.0), values, uprights=[Upright(5, "turn", "said")]), "c"))
    assert len(svg) < 20_000
    band = re.search(r'class="band" d="M([^"]*)Z"', svg)
    assert band
    heights = [float(point.split()[1]) for point in band[1].split("L")]
    assert min(heights) == pytest.approx(10 + 148 * 0.05 / 1.1, abs=0.2)
    assert ">8</text>" in svg, "the axis reaches the highest value"
    assert "most 9 at step 31,234" in svg


@pytest.mark.parametrize(
    "values",
    [
        [1e300, -1e300],
        [1.7e308, -1.7e308],
        [1e-320, 2e-320],
        [3e-14, 5e-14],
        [7.0, 7.0],
        [0.0, 0.0],
        [1.0, 1.0 + 1e-15],
        [-1e-9],
    ],
)
def test_any_values_can_be_drawn(report_facts: ReportFacts, values: list[float]) -> None:
    rows = tuple({"step": step, "samples": step, "odd": value} for step, value in enumerate(values))
    found = Page(report(replace(report_facts, rows=rows, watched="odd")))
    drawn = [node for node in found.nodes if "svg" in node.path and node.tag in ("line", "text", "circle", "path")]
    for node in drawn:
        for name in ("x1", "x2", "y1", "y2", "x", "y", "cx", "cy"):
            if name in node.attributes:
                assert -60 <= float(node.attributes[name]) <= 420
        assert "nan" not in node.attributes.get("d", "")
        assert "inf" not in node.attributes.get("d", "")
