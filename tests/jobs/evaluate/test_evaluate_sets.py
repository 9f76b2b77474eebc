"""Sets without a truth, distances between sets, and what is drawn of it all."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from jobs.evaluate.account import Facts, account
from jobs.evaluate.chart import chart
from jobs.evaluate.gather import Shown, gather
from jobs.evaluate.methods import Method, folder_name
from jobs.evaluate.page import page
from jobs.evaluate.plan import Plan, Settings, evenly
from jobs.evaluate.sides import Side
from jobs.evaluate.spool import Spool
from jobs.evaluate.summary import summarise
from jobs.evaluate.tables import plain, tables_of
from jobs.evaluate.worker import Looked, Row
from jobs.evaluate.write import as_markdown
from operators.evaluation.gaussians import Moments, frechet_distance
from operators.evaluation.kernel import kernel_distance
from operators.evaluation.vectors import sface_vectors
from pipeline.sources import SourceSpec
from tests.jobs.html_page import Page

from .conftest import Bench, picture, put


def moments(rows: np.ndarray) -> Moments:
    found = Moments(rows.shape[1])
    found.add(rows)
    return found


def test_a_set_against_a_reference(bench: Bench) -> None:
    for number in range(6):
        good = picture(bench.root / f"truth/box/{number % 5}.png")
        put(bench.root / f"good/{number}.png", np.clip(good.astype(int) + 3 * number, 0, 255).astype(np.uint8))
    result = bench.call("made", "--method", "other=truth", "--reference", "good")
    assert result.exit_code == 0, result.output
    found = bench.result()
    assert not found["paired"] and [one["name"] for one in found["measures"]] == ["niqe"]
    vectors = sface_vectors()
    sets = {
        folder: np.stack([vectors.of(picture(path)) for path in sorted((bench.root / folder).rglob("*.png"))])
        for folder in ("made", "truth", "good")
    }
    for method, folder in (("made", "made"), ("other", "truth")):
        one = found["sets"]["methods"][method]
        assert one["pictures"] == 5
        assert one["fid"] == pytest.approx(frechet_distance(moments(sets[folder]), moments(sets["good"])), rel=1e-4)
        assert one["kid"]["mean"] == pytest.approx(kernel_distance(sets[folder], sets["good"], 0).mean, rel=1e-3)
    assert found["sets"]["methods"]["other"]["fid"] < found["sets"]["methods"]["made"]["fid"]
    assert (found["sets"]["reference"], found["sets"]["dimensions"]) == (6, 512)
    assert any("with fewer pictures than features" in note for note in found["notes"])
    assert "FID" in result.stdout and "KID x 1000" in result.stdout


def test_the_truth_is_the_reference_where_none_is_named(bench: Bench) -> None:
    (bench.root / "made/box/1.png").write_bytes(b"no picture")
    result = bench.call("made", "--truth", "truth", "--measure", "psnr", "--features", "sface")
    assert result.exit_code == 3
    sets = bench.result()["sets"]
    assert sets["reference"] == 5 and sets["methods"]["made"]["pictures"] == 4
    assert sets["methods"]["made"]["fid"] > 0 and sets["methods"]["made"]["kid"]["size"] == 2


def test_broken_pictures_of_the_reference_are_said(bench: Bench) -> None:
    (bench.root / "truth/box/1.png").write_bytes(b"no picture")
    result = bench.call("made", "--reference", "truth")
    assert result.exit_code == 3 and "reference: 1 pictures could not be read" in result.stderr
    assert bench.result()["sets"]["reference"] == 4


def test_a_spool_is_all_rows_whenever_it_is_looked_at(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.evaluate.spool._ROWS", 3)
    rows = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
    spool = Spool(tmp_path / "features")
    assert spool.count == 0 and spool.rows().shape == (0, 0)
    for number, row in enumerate(rows, start=1):
        spool.add(row)
        if number in (2, 8):
            assert spool.count == number
            np.testing.assert_array_equal(spool.rows(), rows[:number])
    found = spool.moments
    assert found is not None
    np.testing.assert_allclose(found.covariance, np.cov(rows, rowvar=False), rtol=1e-5)


@pytest.mark.parametrize(
    ("count", "wanted", "expected"),
    [(10, 4, [0, 3, 6, 9]), (5, 9, [0, 1, 2, 3, 4]), (7, 2, [0, 6]), (7, 1, [0]), (7, 0, []), (0, 3, [])],
)
def test_evenly_spaced_by_name(count: int, wanted: int, expected: list[int]) -> None:
    names = tuple(f"{number:03d}" for number in range(count))
    assert sorted(evenly(names, wanted)) == [f"{number:03d}" for number in expected]


def test_the_sheet_shows_them_all_whatever_came_out(bench: Bench) -> None:
    (bench.root / "made/box/4.png").write_bytes(b"no picture")
    arguments = ("made", "--truth", "truth", "--inputs", "truth", "--measure", "psnr", "--pictures", "3")
    assert bench.call(*arguments).exit_code == 3
    read = Page((bench.root / "out/evaluation.html").read_text())
    images = [node for node in read.nodes if node.tag == "img"]
    assert [node.attributes["alt"] for node in images] == [
        *(f"box/{number}: {column}" for number in (0, 2) for column in ("input", "made", "truth")),
        "box/4: input",
        "box/4: truth",
    ]
    assert all(node.attributes["src"].startswith("data:image/png;base64,") for node in images)
    sheet = cv2.imread(str(bench.root / "out/sheet.png"))
    assert sheet.shape[1] > 3 * 192 and sheet.shape[0] > 3 * 192


NAMES = ("plain", "<script>alert(1)</script>|a", "long" * 40)


def made_up(tmp_path) -> tuple[dict, list[Shown]]:
    """An evaluation with names that nobody should give."""
    side = Side("there", SourceSpec("files", "there"), {})
    methods = tuple(Method(name, "folder", "folder", side) for name in NAMES)
    plan = Plan(methods, side, None, None, Settings(("psnr", "identity")), ("a", "b", "c"))
    values = {"a": (20.0, 30.0, 25.0), "b": (22.0, 31.0, 24.0), "c": (21.0, 35.0, None)}
    results = [
        Looked(name, [Row({"psnr": value}) if value else Row(error="bad", message="<b>broken</b>") for value in three])
        for name, three in values.items()
    ]
    gathered = gather(plan, results, tmp_path)
    summary = summarise(plan, gathered, NAMES[0], 200)
    facts = Facts("<i>title</i>", {"truth": "there"}, {}, ("a note | with a bar",), 200)
    shown = [Shown("<b>a</b>", {NAMES[1]: np.zeros((8, 8, 3), np.uint8)})]
    return account(plan, gathered, summary, facts), shown


def test_means_are_over_pictures_that_all_have(tmp_path) -> None:
    result, _ = made_up(tmp_path)
    psnr, identity = result["measures"]
    assert psnr["pictures"] == 2
    assert [one["mean"] for one in psnr["values"].values()] == [21.0, 30.5, 24.5]
    assert psnr["differences"][NAMES[1]]["mean"] == 9.5 and NAMES[0] not in psnr["differences"]
    assert psnr["best"] == [NAMES[1]]
    assert identity["pictures"] == 0 and set(identity["values"].values()) == {None}


def test_the_page_is_whole_and_loads_nothing(tmp_path) -> None:
    result, shown = made_up(tmp_path)
    read = Page(page(result, shown))
    assert not any(node.tag == "script" for node in read.nodes)
    sources = [node.attributes.get(name, "") for node in read.nodes for name in ("src", "href")]
    assert all(source == "" or source.startswith(("data:", "#")) for source in sources)
    assert any(node.tag == "h1" or "<i>title</i>" in node.text for node in read.nodes)
    assert "<b>broken</b>" not in page(result, shown) and "&lt;b&gt;broken" in page(result, shown)


def test_dots_lie_where_their_numbers_are(tmp_path) -> None:
    result, _ = made_up(tmp_path)
    drawn = chart(result["measures"][0], NAMES[0], "chart-psnr")
    assert drawn is not None
    read = Page(drawn)
    dots = [float(node.attributes["cx"]) for node in read.nodes if node.tag == "circle"]
    means = [one["mean"] for one in result["measures"][0]["values"].values()]
    assert len(dots) == 3
    assert (dots[1] - dots[0]) / (dots[2] - dots[0]) == pytest.approx(9.5 / 3.5, rel=0.01)
    assert np.argsort(dots).tolist() == np.argsort(means).tolist()
    against = [node for node in read.nodes if node.attributes.get("class") == "against"]
    assert [float(node.attributes["x1"]) for node in against] == [dots[0]]
    lines = [node.attributes for node in read.nodes if node.attributes.get("class") == "interval"]
    assert len(lines) == 3
    assert all(float(line["x1"]) <= dot <= float(line["x2"]) for line, dot in zip(lines, dots, strict=True))
    assert chart(result["measures"][1], None, "chart-identity") is None


def test_markdown_and_terminal(tmp_path) -> None:
    result, _ = made_up(tmp_path)
    text = as_markdown(result)
    assert "**30.50** [30.00, 31.00]" in text and "+9.50 [9.00, 10.00]" in text
    assert "&lt;" not in text and "<script>alert(1)</script>\\|a" in text
    blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("| ")]
    assert len(blocks) == 3
    for block in blocks:
        bars = {line.replace("\\|", "").count("|") for line in block}
        assert len(bars) == 1, block
    shown = plain(tables_of(result))
    assert "30.50" in shown and "[30.00, 31.00]" in shown and "1 bad" in shown
    assert "longlonglong" in shown


@pytest.mark.parametrize(
    ("uri", "name"),
    [("/a/b/", "b"), ("s3://bucket/made?x=1", "made"), ("C:\\results", "results"), ("/a/ü b", "b"), ("/", "results")],
)
def test_what_a_folder_is_called(uri: str, name: str) -> None:
    assert folder_name(uri) == name
