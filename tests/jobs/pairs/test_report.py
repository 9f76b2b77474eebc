"""The report of a pairs run: of real runs, and of data that would break a careless page."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from skimage import data as pictures

from jobs.pairs.report.collect import collect
from jobs.pairs.report.data import Draws, Numbers, PairsReport, Split, StepDraws, Totals, View
from jobs.pairs.report.render import render
from jobs.pairs.report.verdict import judge
from jobs.pairs.report.view import LEFT_OUT
from jobs.pairs.report.write import write_pairs_report
from jobs.report.data import QuarantineRow
from jobs.report.scrub import scrubbed
from jobs.report.text import percent
from jobs.spec import Scrubber
from operators.degradations.shipped import shipped
from pipeline.run import Run, current_run
from pipeline.storage import Folder
from tests.jobs.html_page import Page

from .conftest import Studio


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, photographs: dict[str, bytes]) -> Studio:
    """A finished run in two splits."""
    studio = Studio(tmp_path_factory.mktemp("archive"), photographs)
    studio.write()
    studio.run(
        studio.job(
            degrade={"recipe": "archival-print", "variants": 4},
            split={"parts": {"train": 0.6, "val": 0.4}},
            output={"uri": "pairs", "shard_pairs": 5, "licence": "CC0-1.0"},
            run={"runner": "local", "isolate": False, "samples": 6, "seed": 3},
        )
    )
    return studio


def run_of(studio: Studio, name: str = "pairs") -> Run:
    run = current_run(Folder(str(studio.root / name)))
    assert run is not None
    return run


@pytest.fixture(scope="module")
def report(archive: Studio) -> PairsReport:
    return collect(run_of(archive))


@pytest.fixture(scope="module")
def page(archive: Studio) -> Page:
    return Page((archive.run_folder() / "report.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def records(archive: Studio) -> list[dict[str, Any]]:
    table = run_of(archive)
    rows = [json.loads(text) for text in _table(table)]
    assert len(rows) == 24
    return rows


def _table(run: Run) -> list[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts: list[str] = pq.read_table(pa.BufferReader(run.folder.read("pairs.parquet")))["record"].to_pylist()
    return texts


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
            if name in {"src", "href", "srcset", "action", "xlink:href"}:
                assert value.startswith(("data:", "#"))
            assert not name.startswith("on") and name != "style"
    policy = page.all("meta", http_equiv="Content-Security-Policy")[0].attributes["content"]
    assert "default-src 'none'" in policy


def test_counts_are_those_of_the_records(
    report: PairsReport, page: Page, records: list[dict[str, Any]], archive: Studio
) -> None:
    by_split = Counter(record["split"] for record in records)
    assert {split.name: split.pairs for split in report.splits} == by_split
    for split in report.splits:
        mine = [record for record in records if record["split"] == split.name]
        assert split.samples == len({record["sample"]["key"] for record in mine})
        assert split.groups == len({record["sample"]["group"] for record in mine})
        assert split.shards == len(list((archive.root / "pairs").glob(f"{split.name}-*.tar")))
        assert split.largest - split.smallest <= 1
    assert report.totals.sources == report.totals.samples == 6
    totals = page.within("totals")
    assert "pairs planned24" in totals.replace(" ", "").replace("pairsplanned", "pairs planned")
    assert all(f"{count}" in totals for count in by_split.values())
    assert "Done: 24 pairs were made." in page.source


def test_the_selection_is_told(archive: Studio, page: Page) -> None:
    told = "".join(page.within("selection").split())
    summary = archive.selection()
    assert {"duplicate_exact", "duplicate_near"} & set(summary["left_out"])
    for reason, count in summary["left_out"].items():
        if reason == "no_face":
            assert f"imageswithoutaface{count}candidates" in told
            continue
        line = f"left out: {LEFT_OUT[reason]}{count}{percent(count, summary['candidates'])}"
        assert line.replace(" ", "") in told
    assert f"candidates{summary['candidates']}100%" in told
    assert f"kept{summary['kept']}" in told


def test_every_step_is_told_with_the_share_in_which_it_was_done(
    report: PairsReport, page: Page, records: list[dict[str, Any]]
) -> None:
    done = Counter(name for record in records for name in {step["id"] for step in record["steps"]})
    assert {step.id: step.pairs for step in report.draws.steps if step.pairs} == done
    recipe = shipped("archival-print")
    assert [step.id for step in report.draws.steps] == [step.id or step.use for step in recipe.steps]
    told = "".join(page.within("drawn").split())
    for step in recipe.steps:
        name = step.id or step.use
        words = [name, step.use if step.use != name else "", "both sides" if step.both else "", str(done[name])]
        row = "".join([*words, percent(done[name], 24), percent(step.probability, 1.0)])
        assert row.replace(" ", "") in told
    assert "Fromtherecordsofall24pairs." in told


def test_histograms_hold_every_value_that_was_drawn(report: PairsReport, records: list[dict[str, Any]]) -> None:
    steps = {step.id: step for step in report.draws.steps}
    drawn: dict[tuple[str, str], list[Any]] = {}
    for record in records:
        for step in record["steps"]:
            for name, value in step["parameters"].items():
                drawn.setdefault((step["id"], name), []).append(value)
    charts = 0
    for (step_id, name), values in drawn.items():
        step = steps[step_id]
        if name in step.numbers:
            charts += 1
            numbers = step.numbers[name]
            counts, _ = np.histogram(values, numbers.edges)
            assert tuple(counts) == numbers.counts and sum(numbers.counts) == len(values)
            assert sum(numbers.expected) == pytest.approx(1.0)
        elif name in step.words:
            assert step.words[name] == Counter(map(str, values))
        else:
            assert len(set(values)) == 1 and name in step.constants
    assert charts > 40


def test_every_chart_is_in_the_page_and_says_what_it_shows(report: PairsReport, page: Page) -> None:
    charts = page.all("svg", class_="histogram")
    assert len(charts) == sum(len(step.numbers) for step in report.draws.steps)
    titles = [node.text for node in page.all("title") if "svg" in node.path]
    assert "jpeg: quality" in titles and len(titles) == len(charts)
    assert len(page.all("path", class_="before")) == len(charts)


def test_kept_pairs_can_be_compared(archive: Studio, page: Page) -> None:
    names = sorted(path.stem for path in (archive.run_folder() / "samples").glob("*.json"))
    assert names
    assert [node.text for node in page.all("span", class_="tag")] == ["degraded", "target"] * len(names)
    assert all(name in page.within("pairs") for name in names)


def test_settings_recipe_and_versions_are_told(page: Page) -> None:
    assert "CC0-1.0" in page.within("settings")
    assert "old-lens" in page.within("recipe") and "old-lens" not in page.within("settings")
    assert np.__version__ in page.within("provenance")


def test_a_run_that_is_not_finished_says_so_and_counts_what_is_there(archive: Studio, tmp_path: Path) -> None:
    shutil.copytree(archive.root / "pairs", tmp_path / "pairs")
    run = current_run(Folder(str(tmp_path / "pairs")))
    assert run is not None
    folder = Path(run.folder.uri)
    (folder / "manifest.json").unlink()
    gone = json.loads(next(iter(sorted((folder / "commits").iterdir()))).read_text())
    (folder / f"commits/{gone['unit_id']}.json").unlink()
    result = archive.call("report", tmp_path / "pairs")
    assert result.exit_code == 0, result.output
    page = Page((folder / "report.html").read_text(encoding="utf-8"))
    assert page.all("strong", class_="state")[0].text == "incomplete"
    assert f"From the records of all {24 - gone['ok']} pairs." in page.within("drawn")


def test_a_survey_has_a_report_too(archive: Studio) -> None:
    run = current_run(Folder(str(next((archive.root / "pairs/_facejobs/surveys").iterdir()))))
    assert run is not None
    write_pairs_report(run, Scrubber(()))
    page = Page((Path(run.folder.uri) / "report.html").read_text(encoding="utf-8"))
    assert "9 of 10 images were surveyed" in page.source
    assert "cut-off.png" in page.within("quarantine")
    assert not page.all("svg", class_="histogram")


def jpeg(pixels: np.ndarray) -> bytes:
    return bytes(cv2.imencode(".jpg", pixels[..., ::-1])[1].tobytes())


@pytest.fixture(scope="module")
def small() -> PairsReport:
    """A little of everything."""
    view = jpeg(pictures.astronaut()[:64, :48])
    numbers = Numbers((0.0, 1.0, 2.0), (3, 1), (0.5, 0.5), False, 4, (0.1, 0.7, 1.9))
    step = StepDraws("blur-1", "blur", False, 4, 6, 0.8, {"sigma": numbers}, {"kernel": {"iso": 3}}, {"size": "41"})
    return PairsReport(
        name="pairs",
        kind="pairs",
        run_id="0f",
        state="complete",
        created="2026-11-19T08:02:41Z",
        updated="2026-11-19T11:31:07Z",
        facejobs_version="0.1.0",
        totals=Totals(2, 2, 5, 4, 1, 2, 3, 12345),
        splits=(Split("train", 4, 3, 2, 1, 4, 4),),
        selection={"candidates": 9, "left_out": {"too_small": 6}, "kept": 3, "records": 9, "failed": 0},
        draws=Draws(4, 4, (step,)),
        wall_seconds=8.0,
        stage_seconds={"make": 7.5},
        views=(View("0-000", "train", view, view, {"source": "a.png"}), View("0-001", "train", None, view)),
        quarantine=(QuarantineRow("0-002", "source_changed", "it changed", "make", "s3://b/a.png"),),
        quarantine_by_code={"source_changed": 1},
        settings={"run": {"seed": 1}},
        recipe="recipe: mine\nsteps:\n  - {use: blur}",
        versions={"numpy": "2.0"},
        hashes={"plan": "00"},
        warnings=("take care",),
        source="s3://b",
        output="s3://c",
    )


def test_a_side_alone_a_repeat_and_quarantine_are_shown(small: PairsReport) -> None:
    page = Page(render(small))
    assert [node.text for node in page.all("span", class_="tag")] == ["degraded", "target"]
    assert len(page.all("img")) == 3
    assert page.all("img")[0].attributes["width"] == "48"
    assert "1.50 times a pair that has it" in page.within("drawn")
    assert "Always: size 41." in page.within("drawn")
    assert "it changed" in page.within("quarantine") and "--replan" in page.within("quarantine")
    assert "take care" in page.within("warnings")
    assert "0.5" in page.within("throughput")
    assert "4 of 5 pairs were made; 1 could not be and is in quarantine" in page.source


def test_a_part_of_the_records_is_said_to_be_one(small: PairsReport) -> None:
    page = Page(render(replace(small, draws=replace(small.draws, parsed=4, degraded=1_000_000))))
    assert "From the records of 4 of 1,000,000 pairs, spread evenly over the shards." in page.within("drawn")


def test_an_empty_run_has_a_page(small: PairsReport) -> None:
    page = Page(render(PairsReport("empty", "pairs", "0", "complete", "", "", "0", Totals(0, 0, 0, 0, 0))))
    assert "There were no pairs to be made." in page.source
    assert "No record is in quarantine." in page.within("quarantine")
    assert not page.all("img") and not page.all("section", id="warnings") and not page.all("section", id="drawn")


def test_counts_that_do_not_add_up_are_not_called_done(small: PairsReport) -> None:
    wrong = replace(small, totals=replace(small.totals, records_ok=5))
    assert judge(wrong).tone == "bad" and "do not add up" in judge(wrong).sentence
    assert judge(small).tone == "mixed"
    assert judge(replace(small, totals=replace(small.totals, records_planned=4, records_quarantined=0))).tone == "good"


HOSTILE = {
    "script": ("<script>window.broken = 1</script>", "<script>window.broken"),
    "attribute": ('" onmouseover="window.broken = 1" x="', ""),
    "closes title": ("</title><img src=x onerror=window.broken=1>", "<img src=x"),
    "direction": ("a\u202eb\u2066\x00\x1b[31m", "\u202e"),
    "template": ("{{ 7 * 191 }}{% raw %}", "1337"),
    "long": ("x" * 10_000, "x" * 2_000),
}


def with_step(data: PairsReport, text: str) -> PairsReport:
    step = data.draws.steps[0]
    step = replace(
        step, id=text, use=text, numbers={text: step.numbers["sigma"]}, words={text: {text: 3}}, constants={text: text}
    )
    return replace(data, draws=replace(data.draws, steps=(step,)))


FIELDS: dict[str, Callable[[PairsReport, str], PairsReport]] = {
    "name": lambda data, text: replace(data, name=text, run_id=text, created=text, updated=text),
    "places": lambda data, text: replace(data, source=text, output=text, facejobs_version=text),
    "splits": lambda data, text: replace(data, splits=(replace(data.splits[0], name=text),)),
    "selection": lambda data, text: replace(data, selection={**data.selection, "left_out": {text: 1}}),
    "steps": with_step,
    "views": lambda data, text: replace(
        data, views=(replace(data.views[0], key=text, split=text, facts={text: text}), data.views[1])
    ),
    "quarantine": lambda data, text: replace(
        data, quarantine=(QuarantineRow(text, text, text, text, f"{text}!"),), quarantine_by_code={text: 1}
    ),
    "recipe": lambda data, text: replace(data, recipe=text),
    "rest": lambda data, text: replace(
        data, settings={text: {text: text}}, versions={text: text}, hashes={text: text}, warnings=(text,)
    ),
    "stages": lambda data, text: replace(data, stage_seconds={text: 1.0}),
}


@pytest.mark.parametrize("place", FIELDS)
@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_is_harmless_everywhere(small: PairsReport, place: str, kind: str) -> None:
    text, forbidden = HOSTILE[kind]
    plain = Page(render(FIELDS[place](small, "harmless")))
    page = Page(render(FIELDS[place](small, text)))
    page.source.encode()
    assert not forbidden or forbidden not in page.source
    assert [(node.tag, set(node.attributes)) for node in page.nodes] == [
        (node.tag, set(node.attributes)) for node in plain.nodes
    ]


def test_no_text_keeps_a_secret(small: PairsReport) -> None:
    secret = "hush-hush"
    for change in FIELDS.values():
        leaky = change(small, f"s3://me:{secret}@host")
        assert secret in repr(leaky)
        assert secret not in render(scrubbed(leaky, lambda text: text.replace(secret, "***")))


def test_secrets_of_the_job_stay_out_of_the_file(archive: Studio, tmp_path: Path) -> None:
    shutil.copytree(archive.root / "pairs", tmp_path / "pairs")
    run = current_run(Folder(str(tmp_path / "pairs")))
    assert run is not None
    write_pairs_report(run, Scrubber(("CC0-1.0",)))
    page = Page((Path(run.folder.uri) / "report.html").read_text(encoding="utf-8"))
    assert "CC0" not in page.source
    assert "licence" in page.within("settings")


def test_only_jpeg_is_embedded(small: PairsReport) -> None:
    with pytest.raises(ValueError, match=r"0-000.*JPEG"):
        render(replace(small, views=(replace(small.views[0], target=b"<svg onload='x'/>"),)))
