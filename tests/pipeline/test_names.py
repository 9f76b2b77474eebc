"""Keys, output names and their collisions."""

from __future__ import annotations

import posixpath
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.errors import RecordError
from pipeline.names import DEFAULT_TEMPLATE, check_key, check_template, fold, output_name


@pytest.mark.parametrize(
    "key",
    [
        "a.jpg",
        "box 1/plate-07.tif",
        "007",
        "Grüße/été.png",
        "a/b.v2.jpg",
        "...jpg",
        "x" * 255,
        "日本/写真.jp2",
        "a b/ c",
    ],
)
def test_safe_keys(key: str) -> None:
    assert check_key(key) == ""


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("", "empty"),
        ("/etc/passwd", "absolute"),
        ("C:/x.jpg", "drive"),
        ("c:x.jpg", "drive"),
        ("a\\b.jpg", "backslash"),
        ("..", r"`\.\.`"),
        ("../a.jpg", r"`\.\.`"),
        ("a/../../b.jpg", r"`\.\.`"),
        ("./a.jpg", r"`\.`"),
        ("a//b.jpg", "empty part"),
        ("a/", "empty part"),
        ("a\nb.jpg", "control"),
        ("a\x00.jpg", "control"),
        ("a\x85.jpg", "control"),
        ("a\udcff.jpg", "Unicode"),
        ("ä" * 128 + ".jpg", "255"),
        ("/".join(["abcdefgh"] * 120), "1024"),
        ("_facejobs/current.json", "ledger"),
        ("_FaceJobs/current.json", "ledger"),
    ],
)
def test_unsafe_keys(key: str, said: str) -> None:
    problem = check_key(key)
    assert problem.startswith("bad_key: ")
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(problem)


@pytest.mark.parametrize(
    ("key", "template", "extension", "name"),
    [
        ("box/a.tif", DEFAULT_TEMPLATE, ".jpg", "box/a.jpg"),
        ("a.tif", DEFAULT_TEMPLATE, "jpg", "a.jpg"),
        ("box/a.v2.tif", DEFAULT_TEMPLATE, ".png", "box/a.v2.png"),
        ("box/007", DEFAULT_TEMPLATE, "tif", "box/007.tif"),
        ("box/007", DEFAULT_TEMPLATE, "", "box/007"),
        ("box/a.tif", "{parent}/{stem}_restored.{ext}", ".tif", "box/a_restored.tif"),
        ("box/a.tif", "flat/{key}.{ext}", ".png", "flat/box/a.tif.png"),
        ("a/{stem}.tif", "{parent}/{stem}.{ext}", ".png", "a/{stem}.png"),
        ("a.tif", "{{x}}{stem}.{ext}", ".png", "{x}a.png"),
    ],
)
def test_output_names(key: str, template: str, extension: str, name: str) -> None:
    assert output_name(key, template, extension) == name


@pytest.mark.parametrize(
    "template",
    [
        "{parent}.{ext}",
        "{stem",
        "{stem!r}",
        "{stem:>10}",
        "{stem.__class__}",
        "{key[0]}",
        "{}",
        "{0}",
        "{name}",
        "fixed",
    ],
)
def test_templates_that_cannot_be_used(template: str) -> None:
    assert check_template(template)
    with pytest.raises(ValueError, match="name template"):
        output_name("a.jpg", template, ".jpg")


def test_the_default_template_can_be_used() -> None:
    assert check_template(DEFAULT_TEMPLATE) == ""


@pytest.mark.parametrize("template", ["../{stem}.{ext}", "_facejobs/{stem}.{ext}", "C:/{key}"])
def test_a_template_cannot_lead_out(template: str) -> None:
    with pytest.raises(RecordError) as caught:
        output_name("a.jpg", template, ".jpg")
    assert caught.value.code == "bad_name"


def test_room_is_left_for_the_record_beside_the_image() -> None:
    key = "x" * 251 + ".jpg"
    assert check_key(key) == ""
    with pytest.raises(RecordError, match="250 bytes"):
        output_name(key, DEFAULT_TEMPLATE, ".jpg")


PARTS = st.sampled_from(
    ["..", ".", "", "a", "b.jpg", "...jpg", "/", "\\", "C:", "{key}", "~", "_facejobs", "\x00", "é"]
)
KEYS = st.lists(PARTS | st.text(max_size=8), max_size=6).map("/".join) | st.text()
TEMPLATES = st.sampled_from(
    [DEFAULT_TEMPLATE, "{stem}", "{key}", "{stem}{ext}", "{parent}{stem}", "{parent}/../{stem}", "x/{key}/{stem}"]
)


@given(KEYS, TEMPLATES, st.sampled_from(["", ".jpg", "png", "..", "/../x"]))
@example("...jpg", "{stem}", "")
def test_no_output_leaves_the_root(key: str, template: str, extension: str) -> None:
    if check_key(key):
        return
    try:
        name = output_name(key, template, extension)
    except RecordError as error:
        assert error.code == "bad_name"
        return
    assert check_key(name) == ""
    full = posixpath.normpath(posixpath.join("/root/out", name))
    assert full == f"/root/out/{name}"
    assert not name.casefold().startswith("_facejobs/")


@given(st.text())
def test_folding_once_is_enough(name: str) -> None:
    assert fold(fold(name)) == fold(name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A.JPG", "a.jpg"),
        ("Straße", "STRASSE"),
        ("é.tif", unicodedata.normalize("NFD", "é.tif")),
        ("É", unicodedata.normalize("NFD", "é")),
    ],
)
def test_names_that_collide(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_names_that_do_not_collide() -> None:
    assert fold("a.jpg") != fold("b.jpg")
