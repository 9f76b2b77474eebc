"""`facejobs pairs preview`, `recipes` and `recipe`: what they show, and what they say to wrong input."""

from __future__ import annotations

import base64
import io
import re
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from skimage import data as pictures
from typer.testing import CliRunner

from jobs.exits import Exit
from jobs.main import app
from jobs.pairs.making import png
from jobs.pairs.preview import Tried, Wish, parameter_table, try_recipe
from operators.degradations.drawing import draw
from operators.degradations.reading import parse
from operators.degradations.shipped import names, shipped, text_of
from operators.faces.detect import Detector
from operators.faces.templates import template_points
from tests.jobs.html_page import Page

if TYPE_CHECKING:
    from .conftest import Studio

MARKED = """
recipe: marked
source: "<script>alert(1)</script> & others"
steps:
  - {use: flip, probability: 1, both: true}
  - {use: scratches, parameters: {count: {integer: [3, 9]}, width: 3, angle: {uniform: [0, 1]}}}
  - {use: grey, probability: 0.5}
"""


def call(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["pairs", *(str(argument) for argument in arguments)])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a portrait, a picture without a face, and a recipe."""
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("portrait.png", pictures.astronaut()[..., ::-1])
    cv2.imwrite("coffee.jpg", pictures.coffee()[..., ::-1])
    Path("marked.yaml").write_text(MARKED)
    return tmp_path


def tried(pixels: np.ndarray, suffix: str = ".png", **wish: Any) -> Tried:
    data = cv2.imencode(suffix, pixels)[1].tobytes()
    return try_recipe(data, "a.png", Wish(parse(MARKED), **wish), Detector())


def test_all_recipes_are_listed_a_line_each() -> None:
    lines = call("recipes").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(names())
    assert all(shipped(line.split()[0]).source in line for line in lines)


@pytest.mark.parametrize("name", ["gfpgan", "archival-print"])
def test_a_printed_recipe_is_the_shipped_one(name: str) -> None:
    assert call("recipe", name).stdout == text_of(name).rstrip("\n") + "\n"
    assert parse(call("recipe", name).stdout) == shipped(name)


def test_a_sheet_goes_into_the_working_folder_and_is_not_overwritten(folder: Path) -> None:
    first = call("preview", "gfpgan", "portrait.png", "coffee.jpg", "--variants", "2")
    assert first.exit_code == 0, first.output
    assert "wrote gfpgan.png: 4 pairs of 2 pictures" in first.stdout
    assert "coffee.jpg: no face found" in first.stderr
    assert "portrait.png: no face" not in first.stderr
    sheet = cv2.imread("gfpgan.png")
    assert sheet.shape[1] == 3 * 520 + 8
    again = call("preview", "gfpgan", "portrait.png")
    assert again.exit_code == Exit.USAGE
    assert "gfpgan.png: exists already" in again.stderr and "--force" in again.stderr
    assert np.array_equal(cv2.imread("gfpgan.png"), sheet)
    assert call("preview", "gfpgan", "portrait.png", "--variants", "2", "--force").exit_code == 0
    assert cv2.imread("gfpgan.png").shape[0] < sheet.shape[0]


def test_a_strip_is_one_row_for_each_picture(folder: Path) -> None:
    result = call("preview", "marked.yaml", "coffee.jpg", "--strip", "--variants", "4", "--out", "strip.png")
    assert result.exit_code == 0, result.output
    strip = cv2.imread("strip.png")
    assert strip.shape[1] == 5 * (256 + 8) + 8
    assert strip.shape[0] < 256


def test_the_pairs_are_those_of_a_job(studio: Studio) -> None:
    for name in [name for name in studio.photographs if name != "scenes/cat.png"]:
        (studio.root / "photographs" / name).unlink()
    (studio.root / "photographs/scenes/cat.png").rename(studio.root / "photographs/cat.png")
    studio.run(studio.job(run={"seed": 5, "runner": "local", "isolate": False}), expected=0)
    made = {}
    for data in studio.outputs().values():
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            made |= {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    cat = studio.photographs["scenes/cat.png"]
    shown = try_recipe(cat, "cat.png", Wish(shipped("gfpgan"), 3, 5, "images", 96), Detector())
    for variant in shown.variants:
        assert png(variant.pair.degraded) == made[f"0000000-00{variant.number}.lq.png"]
        assert png(variant.pair.target) == made[f"0000000-00{variant.number}.gt.png"]


def test_the_largest_face_is_aligned_to_the_template() -> None:
    for template in ("ffhq", "gpen"):
        shown = tried(pictures.astronaut()[..., ::-1], variants=1, template=template, size=128)
        assert (shown.sample.kind, shown.pixels.shape, shown.note) == ("face", (128, 128, 3), "")
        found, wanted = np.array(shown.sample.landmarks), template_points(template, 128)
        assert np.abs(found - wanted).max() < 6


def test_a_face_that_a_job_would_leave_out_as_too_small_is_shown_and_that_is_said() -> None:
    shown = tried(pictures.astronaut()[..., ::-1], variants=1, size=256)
    assert shown.pixels.shape == (256, 256, 3)
    assert "enlarged 1.55 times" in shown.note


def test_without_a_face_the_whole_image_is_shown_and_that_is_said() -> None:
    shown = tried(pictures.coffee()[..., ::-1], variants=1)
    assert shown.sample.kind == "image"
    assert shown.sample.window == (0, 0, 600, 400)
    assert shown.pixels.shape == (341, 512, 3)
    assert "no face" in shown.note


def test_an_image_is_shown_as_it_is_or_its_middle_reduced_and_never_enlarged() -> None:
    ramp = np.zeros((60, 100, 3), np.uint8)
    ramp[:, :] = np.arange(100)[None, :, None] * 2
    assert np.array_equal(tried(ramp, variants=1, samples="images").pixels, ramp)
    middle = tried(ramp, variants=1, samples="images", size=40)
    assert middle.sample.window == (20, 0, 80, 60)
    assert middle.pixels.shape == (40, 40, 3)
    assert abs(float(middle.pixels.mean()) - 99.0) < 1.0
    assert tried(ramp, variants=1, samples="images", size=500).pixels.shape == (60, 60, 3)


def test_deep_grey_scans_can_be_tried() -> None:
    deep = (pictures.coins()[:100, :120].astype(np.uint16)) * 257
    shown = tried(deep, variants=1, samples="images")
    assert np.array_equal(shown.pixels, np.repeat(pictures.coins()[:100, :120, None], 3, axis=2))


@pytest.fixture
def page(folder: Path) -> Page:
    result = call("preview", "marked.yaml", "portrait.png", "coffee.jpg", "--variants", "3", "--out", "p.html")
    assert result.exit_code == 0, result.output
    return Page(Path("p.html").read_text(encoding="utf-8"))


def test_the_page_asks_nothing_of_any_network_and_has_no_script(page: Page) -> None:
    assert not page.all("script")
    for node in page.nodes:
        for name, value in node.attributes.items():
            if name in {"src", "href", "srcset"}:
                assert value.startswith(("data:", "#"))
            assert not name.startswith("on") and name != "style"
    assert "url(" not in page.all("style")[0].text
    policy = page.all("meta", http_equiv="Content-Security-Policy")[0].attributes["content"]
    assert "default-src 'none'" in policy and "script-src" not in policy


def test_the_page_is_accessible(page: Page) -> None:
    ids = {node.attributes["id"] for node in page.nodes if "id" in node.attributes}
    assert all(node.attributes.get("alt") for node in page.all("img"))
    assert all(node.attributes.get("scope") for node in page.all("th"))
    for node in page.nodes:
        for name in ("aria-labelledby", "for"):
            assert set(node.attributes.get(name, "").split()) <= ids
    assert "prefers-color-scheme: dark" in page.all("style")[0].text
    headings = [int(node.tag[1]) for node in page.nodes if re.fullmatch(r"h\d", node.tag)]
    assert headings == [1, 2, 2, 2]


def test_the_page_holds_every_picture_mask_and_parameter(page: Page) -> None:
    wish = Wish(parse(MARKED), variants=3)
    embedded = [decoded(node.attributes["src"]) for node in page.all("img")]
    for name in ("portrait.png", "coffee.jpg"):
        shown = try_recipe(Path(name).read_bytes(), name, wish, Detector())
        for pixels in (shown.pixels, *(variant.pair.degraded for variant in shown.variants)):
            assert sum(np.array_equal(one[..., 2::-1], pixels) for one in embedded) == 1
        for variant in shown.variants:
            mask = variant.pair.mask
            assert mask is not None and mask.any()
            assert any(one.shape[2] == 4 and np.array_equal(one[..., 3], mask) for one in embedded)
            # The flip is for both and always done: all three targets are the same, and are shown.
            assert sum(np.array_equal(one[..., 2::-1], variant.pair.target) for one in embedded) == 3
            for step in variant.steps:
                for value in step.parameters.values():
                    assert (f"{value:.3g}" if isinstance(value, float) else str(value)) in page.source
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; others" in page.source


def decoded(uri: str) -> np.ndarray:
    data = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def test_the_comparison_has_a_column_for_each_variant() -> None:
    shown = tried(pictures.coffee()[:64, :64, ::-1], variants=6, samples="images")
    table = parameter_table(shown.variants)
    rows = {(step, name): values for step, name, values in table}
    expected = [draw(parse(MARKED), 0, "a.png#0", number) for number in range(6)]
    scratches = [next(step for step in steps if step.id == "scratches") for steps in expected]
    assert rows["scratches", "count"] == [step.parameters["count"] for step in scratches]
    grey = [any(step.id == "grey" for step in steps) for steps in expected]
    assert 0 < sum(grey) < 6
    assert rows["grey", ""] == [True if there else None for there in grey]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["gfpgann", "portrait.png"], Exit.BAD_JOB, "did you mean 'gfpgan'?"),
        (["nowhere.yaml", "portrait.png"], Exit.BAD_JOB, "nowhere.yaml: cannot be read"),
        (["portrait.png/x.yaml", "portrait.png"], Exit.BAD_JOB, "cannot be read"),
        (["latin.yaml", "portrait.png"], Exit.BAD_JOB, "latin.yaml: byte 8 is no UTF-8"),
        (["huge.yaml", "portrait.png"], Exit.BAD_JOB, "huge.yaml: found more than 256 KiB"),
        (["gfpgan", "nowhere.png"], Exit.BAD_JOB, "nowhere.png: there is no such object"),
        (["gfpgan", "marked.yaml"], Exit.BAD_JOB, "marked.yaml: "),
        (["gfpgan", "."], Exit.BAD_JOB, "expected an object"),
        (["gfpgan", "portrait.png", "--out", "sheet.tif"], Exit.USAGE, "ends in .png or .html"),
        (["gfpgan", "portrait.png", "--out", "nowhere/s.png"], Exit.USAGE, "cannot be written"),
        (["gfpgan", "portrait.png", "--samples", "tiles"], Exit.USAGE, "--samples tiles: expected faces or images"),
        (["gfpgan", "portrait.png", "--template", "arc"], Exit.USAGE, "--template arc: expected ffhq or gpen"),
        (["gfpgan", "portrait.png", "--variants", "0"], Exit.USAGE, "variants"),
        (["gfpgan"], Exit.USAGE, "IMAGE"),
    ],
)
def test_wrong_input_is_named(folder: Path, arguments: list[str], code: Exit, said: str) -> None:
    Path("latin.yaml").write_bytes(b"recipe: \xe4\n")
    Path("huge.yaml").write_text("# " + "x" * 1_200_000)
    result = call("preview", *arguments)
    assert result.exit_code == code
    assert said in re.sub(r"\s+", " ", result.stderr)
    assert "Traceback" not in result.output
    assert not list(folder.glob("*.tif")) and not list(folder.glob("gfpgan.*"))


def test_everything_that_is_wrong_with_a_recipe_is_said_a_line_each(folder: Path) -> None:
    Path("wrong.yaml").write_text(
        "recipe: wrong\nsource: mine\nsteps:\n  - {use: fodl}\n  - {use: jpeg, parameters: {quality: 200}}\n"
    )
    result = call("preview", "wrong.yaml", "portrait.png")
    assert result.exit_code == Exit.BAD_JOB
    lines = result.stderr.splitlines()
    assert lines[0].startswith("wrong.yaml: steps[0].use: unknown degradation 'fodl'; did you mean 'fold'?")
    assert lines[1].startswith("wrong.yaml: steps[1].parameters.quality: found 200")


def test_an_image_too_small_is_named(folder: Path) -> None:
    cv2.imwrite("dot.png", np.zeros((8, 8, 3), np.uint8))
    result = call("preview", "gfpgan", "dot.png")
    assert result.exit_code == Exit.BAD_JOB
    assert "dot.png: " in result.stderr and "8" in result.stderr
