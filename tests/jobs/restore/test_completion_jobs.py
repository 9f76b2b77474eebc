"""Completion jobs: where masks come from, that nothing outside of them changes, and what the records say."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from operators.damage.detector import DamageDetector

from .conftest import encoded, portrait
from .small_models import SIDE, add, add_generator, saved, weights

if TYPE_CHECKING:
    from .conftest import Bench

PHOTO = 110
"""Side of a portrait whose face fits the small model nearly pixel by pixel."""
EAGER = {"name": "eager", "precision": "fp32"}
PLACE = np.s_[46:60, 44:60]
"""A part of the portrait's face."""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("completion") / "cache"
    add_generator(folder, "small-completion", "completion", "--attributes", "smiling, male")
    add_generator(folder, "plain-completion", "completion", attributes=0)
    add(folder, saved(folder, "small-parser", weights("parsenet", parsing_ch=3)), "small-parser")
    return folder


@pytest.fixture
def photos(bench: Bench) -> Bench:
    for folder in ("photos", "masks"):
        (bench.root / folder).mkdir()
    return bench


def hole(shape: tuple[int, int] = (PHOTO, PHOTO), place: Any = PLACE) -> np.ndarray:
    region = np.zeros(shape, np.bool_)
    region[place] = True
    return region


def job(bench: Bench, cache: Path, options: dict[str, Any], name: str = "job", **blocks: Any) -> Path:
    restore = {
        "model": "completion",
        "oversize": "reduce",
        "engine": EAGER,
        "options": {"network": "small-completion", "grow": 0, **options},
    }
    return bench.job(
        name,
        source={"uri": "photos", **blocks.pop("source", {})},
        restore=restore,
        models={"cache": str(cache)},
        **{"score": {"measures": []}, **blocks},
    )


def run(
    bench: Bench, cache: Path, options: dict[str, Any], name: str = "job", expected: int = 0, **blocks: Any
) -> dict[str, Any]:
    result = bench.call("run", job(bench, cache, options, name, **blocks))
    assert result.exit_code == expected, result.output
    return {path.stem: json.loads(path.read_text()) for path in (bench.root / name).glob("*.json")}


def pixels(path: Path) -> np.ndarray:
    found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert found is not None
    return found


def changed(bench: Bench, file: str, name: str = "job") -> np.ndarray:
    before, after = pixels(bench.root / "photos" / file), pixels(bench.root / name / file)
    assert before.dtype == after.dtype
    assert before.shape == after.shape
    return (before != after).any(axis=2)


def write(path: Path, image: np.ndarray) -> None:
    """RGB or RGBA, of 8 or 16 bits."""
    order = [2, 1, 0, 3][: image.shape[2]]
    assert cv2.imwrite(str(path), np.ascontiguousarray(image[..., order]))


def deep(image: np.ndarray) -> np.ndarray:
    """The same in 16 bits, none of whose values is one of 8 bits."""
    return image.astype(np.uint16) * 257 // 2 + np.random.default_rng(0).integers(0, 200, image.shape, np.uint16)


@pytest.mark.parametrize("file", ["face.png", "face.tif"])
def test_only_what_is_masked_changes(photos: Bench, cache: Path, file: str) -> None:
    image = portrait(PHOTO)
    write(photos.root / "photos" / file, deep(image) if file.endswith("tif") else image)
    write(photos.root / "masks" / "face.png", np.repeat(hole()[..., None] * np.uint8(255), 3, axis=2))
    made = run(photos, cache, {"masks": "masks"})[file]
    difference = changed(photos, file)
    assert not difference[~hole()].any()
    assert difference[hole()].mean() > 0.95
    (face,) = made["faces"]
    assert (face["status"], face["mask"]) == ("restored", "hole")
    assert 0.02 < face["missing"] < 0.3
    drawn = (photos.root / "masks" / "face.png").read_bytes()
    assert made["mask_image"]["sha256"] == hashlib.sha256(drawn).hexdigest()
    assert face["restorer"]["name"] == "completion"
    assert face["restorer"]["parameters"]["model"] == "small-completion"
    assert face["restorer"]["parameters"]["attributes"] == {"smiling": 0.5, "male": 0.5}
    assert face["restorer"]["engine"]["engine"] == "eager"


def test_a_jpeg_changes_in_the_blocks_of_the_hole_alone(photos: Bench, cache: Path) -> None:
    data = encoded(Image.fromarray(portrait(2 * PHOTO)), format="JPEG", quality=90)
    (photos.root / "photos" / "face.jpg").write_bytes(data)
    region = np.kron(hole(), np.ones((2, 2))) > 0
    drawn = encoded(Image.fromarray(region * np.uint8(255)), format="PNG")
    (photos.root / "masks" / "face.png").write_bytes(drawn)
    run(photos, cache, {"masks": "masks"})
    difference = changed(photos, "face.jpg")
    assert difference[region].mean() > 0.95
    # A block is 8 pixels, of halved colour 16, and colour is smoothed over one more.
    assert not difference[cv2.dilate(region.astype(np.uint8), np.ones((37, 37), np.uint8)) == 0].any()


@pytest.mark.parametrize("orientation", range(2, 9))
def test_masks_are_laid_over_the_picture_as_it_is_shown(photos: Bench, cache: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    wide = np.pad(portrait(PHOTO), ((0, 0), (0, 7), (0, 0)), mode="edge")
    stored = Image.fromarray(wide).transpose(undo)
    (photos.root / "photos" / "face.png").write_bytes(encoded(stored, format="PNG", exif=exif))
    region = hole(wide.shape[:2])
    drawn = encoded(Image.fromarray(region * np.uint8(255)), format="PNG")
    (photos.root / "masks" / "face.png").write_bytes(drawn)
    run(photos, cache, {"masks": "masks"})
    as_stored = np.asarray(Image.fromarray(region).transpose(undo))
    before, after = (np.asarray(Image.open(photos.root / where / "face.png")) for where in ("photos", "job"))
    difference = (before != after).any(axis=2)
    assert not difference[~as_stored].any()
    assert difference[as_stored].mean() > 0.95


@pytest.mark.parametrize("depth", [8, 16])
def test_what_is_transparent_is_filled_and_shown(photos: Bench, cache: Path, depth: int) -> None:
    image = portrait(PHOTO) if depth == 8 else deep(portrait(PHOTO))
    full = 2**depth - 1
    opacity = np.where(hole(), full * 2 // 5, full * 3 // 5).astype(image.dtype)
    write(photos.root / "photos" / "face.png", np.dstack([image, opacity]))
    run(photos, cache, {"holes": "alpha"})
    difference = changed(photos, "face.png")
    assert np.array_equal(difference, hole())
    after = pixels(photos.root / "job" / "face.png")
    assert (after[hole()][:, 3] == full).all()
    assert (after[~hole()][:, 3] == full * 3 // 5).all()


def test_a_key_colour_marks_what_is_missing(photos: Bench, cache: Path) -> None:
    image = portrait(PHOTO)
    image[PLACE] = (250, 2, 255)
    image[PLACE][:, 0] = (240, 0, 255)
    write(photos.root / "photos" / "face.tif", image)
    write(photos.root / "photos" / "plain.tif", portrait(PHOTO))
    made = run(photos, cache, {"holes": "colour", "colour": "#FF00FF", "tolerance": 0.03})
    region = hole()
    region[PLACE][:, 0] = False
    difference = changed(photos, "face.tif")
    assert not difference[~region].any()
    assert difference[region].mean() > 0.95
    assert (photos.root / "job" / "plain.tif").read_bytes() == (photos.root / "photos" / "plain.tif").read_bytes()
    (kept,) = made["plain.tif"]["faces"]
    assert (kept["status"], kept["reason"], kept["missing"]) == ("kept", "no_change", 0.0)


@pytest.mark.parametrize("side", [PHOTO, 3 * PHOTO, PHOTO // 2])
def test_nothing_of_what_was_there_is_left_or_seen(photos: Bench, cache: Path, side: int) -> None:
    region = hole((side, side), tuple(np.s_[n.start * side // PHOTO : n.stop * side // PHOTO] for n in PLACE))
    drawn = encoded(Image.fromarray(region * np.uint8(255)), format="PNG")
    for name, colour in (("a", (255, 0, 255)), ("b", (0, 200, 0))):
        image = portrait(side)
        image[region] = colour
        write(photos.root / "photos" / f"{name}.png", image)
        (photos.root / "masks" / f"{name}.png").write_bytes(drawn)
    run(photos, cache, {"masks": "masks"}, detect={"aligned": True})
    first, second = (pixels(photos.root / "job" / f"{name}.png").astype(int) for name in "ab")
    assert np.abs(first - second).max() <= 2
    assert np.abs(first[region] - (255, 0, 255)).max(axis=1).min() > 20


def test_holes_grow_and_specks_are_left_alone(photos: Bench, cache: Path) -> None:
    image = portrait(3 * PHOTO)
    region = np.zeros(image.shape[:2], np.bool_)
    region[120:170, 130:170] = True
    region[90:93, 120:123] = True
    image[region] = (0, 255, 0)
    write(photos.root / "photos" / "face.png", image)
    options = {"holes": "colour", "colour": "#00ff00", "grow": 2, "specks": 9}
    made = run(photos, cache, options)["face.png"]
    region[90:93, 120:123] = False
    away = ndimage.distance_transform_edt(~region)
    difference = changed(photos, "face.png")
    reach = 2 * made["faces"][0]["reduction"]
    assert reach > 4
    assert not difference[away > reach].any()
    assert difference[away <= reach].mean() > 0.9


def test_a_face_without_a_hole_is_left_alone_beside_one_that_has_it(photos: Bench, cache: Path) -> None:
    both = np.concatenate([portrait(160), portrait(160)], axis=1)
    both[58:84, 222:246] = (255, 0, 255)
    write(photos.root / "photos" / "pair.png", both)
    made = run(photos, cache, {"holes": "colour", "colour": "#ff00ff"})["pair.png"]
    by_side = sorted(made["faces"], key=lambda face: face["box"][0])
    assert [face["status"] for face in by_side] == ["kept", "restored"]
    assert by_side[0]["reason"] == "no_change"
    assert np.array_equal(changed(photos, "pair.png"), (both == (255, 0, 255)).all(axis=2))


def test_what_hides_a_face_is_seen_by_a_network(photos: Bench, cache: Path) -> None:
    write(photos.root / "photos" / "face.png", portrait(PHOTO))
    options = {"holes": "occlusion", "occlusion": "small-parser"}
    seen = run(photos, cache, {**options, "classes": [0, 1, 2], "certainty": 0.99})["face.png"]
    assert seen["engines"]["occlusion"][0]["used"]["engine"] == "eager"
    (face,) = seen["faces"]
    # Some class it is, so all of the square is made anew, and nothing beside it.
    assert (face["status"], face["missing"]) == ("restored", 1.0)
    difference = changed(photos, "face.png")
    assert 0.9 * 62**2 < difference.sum() < 66**2
    none = run(photos, cache, {**options, "classes": [1], "certainty": 1.0}, "none")["face.png"]
    assert none["faces"][0]["reason"] == "no_change"
    assert not changed(photos, "face.png", "none").any()


def test_damage_is_seen_and_filled(photos: Bench, cache: Path) -> None:
    image = portrait(PHOTO)
    cv2.line(image, (30, 24), (78, 62), (250, 250, 250), 3)
    write(photos.root / "photos" / "face.png", image)
    options = {"holes": "damage", "damage": ["scratch", "tear"], "certainty": 0.05}
    made = run(photos, cache, options)["face.png"]
    (face,) = made["faces"]
    (executed,) = made["engines"]["damage"]
    assert (executed["used"]["engine"], executed["used"]["precision"]) == ("eager", "fp32")
    header = json.loads(next((photos.root / "job").glob("_facejobs/runs/*/run.json")).read_text())
    assert header["identity"]["damage"] == json.loads(json.dumps(DamageDetector().info)), (
        "another detector, another run"
    )
    run(photos, cache, {"holes": "alpha"}, "alpha")
    header = json.loads(next((photos.root / "alpha").glob("_facejobs/runs/*/run.json")).read_text())
    assert "damage" not in header["identity"]
    difference = changed(photos, "face.png")
    corners = np.array([[-0.5, -0.5], [SIDE - 0.5, -0.5], [SIDE - 0.5, SIDE - 0.5], [-0.5, SIDE - 0.5]])
    affine = np.array(face["affine"])
    square = np.zeros(difference.shape, np.uint8)
    outline = (corners - affine[:, 2]) @ np.linalg.inv(affine[:, :2]).T
    cv2.fillConvexPoly(square, np.rint(outline).astype(np.int32), 1)
    assert not difference[cv2.dilate(square, np.ones((3, 3), np.uint8)) == 0].any()
    assert (face["missing"] > 0) is bool(difference.any())


def test_attributes_come_from_the_job_and_from_the_catalogue(photos: Bench, cache: Path) -> None:
    image = portrait(PHOTO)
    image[PLACE] = (255, 0, 255)
    for name in ("a", "b", "c"):
        write(photos.root / "photos" / f"{name}.png", image)
    rows = ["uri,mood", "photos/a.png,1", "photos/b.png,no", "photos/c.png,"]
    (photos.root / "list.csv").write_text("\n".join(rows) + "\n")
    options = {
        "holes": "colour",
        "colour": "#ff00ff",
        "attributes": {"male": 1.0, "smiling": 1.0},
        "catalogue": {"smiling": "mood"},
    }
    source = {"kind": "manifest", "uri": "list.csv"}
    result = photos.call("run", job(photos, cache, options, source=source))
    assert result.exit_code == 0, result.output
    files = {path.name: path for path in (photos.root / "job").rglob("*.png")}
    after = {name: pixels(path) for name, path in files.items()}
    assert np.array_equal(after["a.png"], after["c.png"])
    differs = (after["a.png"] != after["b.png"]).any(axis=2)
    assert differs.any()
    assert not differs[~hole()].any()
    record = json.loads(files["b.png"].with_name("b.png.json").read_text())
    assert record["attributes"] == {"smiling": 0.0}
    assert record["faces"][0]["restorer"]["parameters"]["attributes"] == {"smiling": 1.0, "male": 1.0}


def test_a_catalogue_that_says_something_else_sends_its_picture_to_quarantine(photos: Bench, cache: Path) -> None:
    write(photos.root / "photos" / "a.png", portrait(PHOTO))
    (photos.root / "list.csv").write_text("uri,mood\nphotos/a.png,merry\n")
    options = {"holes": "alpha", "catalogue": {"smiling": "mood"}}
    result = photos.call("run", job(photos, cache, options, source={"kind": "manifest", "uri": "list.csv"}))
    assert result.exit_code == 3, result.output
    listing = next((photos.root / "job").glob("_facejobs/runs/*/quarantine.csv")).read_text()
    (row,) = csv.DictReader(io.StringIO(listing))
    assert (row["code"], row["stage"]) == ("bad_attribute", "examine")
    assert "'merry'" in row["message"]
    assert "'mood'" in row["message"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"holes": "alpha", "attributes": {"bald": 1.0}}, "has no attribute 'bald'; it has 'smiling' or 'male'"),
        ({"holes": "alpha", "catalogue": {"old": "age"}}, "has no attribute 'old'"),
        ({"holes": "alpha", "network": "small-parser"}, "is a network parsenet, and completion is needed"),
        ({"holes": "alpha", "network": "plain-compleat"}, "did you mean 'plain-completion'?"),
        (
            {"holes": "alpha", "network": "plain-completion", "attributes": {"smiling": 1.0}},
            "has no attribute 'smiling'; it has none",
        ),
        (
            {"holes": "occlusion", "occlusion": "plain-completion", "classes": [1]},
            "is a network completion, and parsenet is needed",
        ),
    ],
)
def test_models_and_attributes_that_do_not_fit_are_refused(
    photos: Bench, cache: Path, options: dict[str, Any], said: str
) -> None:
    file = job(photos, cache, options)
    for command in ("validate", "run"):
        result = photos.call(command, file)
        assert result.exit_code == 5, result.output
        assert said in result.output


@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_folder_of_masks_that_is_not_there_or_empty_is_refused(photos: Bench, cache: Path, command: str) -> None:
    write(photos.root / "photos" / "face.png", portrait(PHOTO))
    (photos.root / "masks" / "read me.txt").touch()
    for folder in ("maks", "masks"):
        result = photos.call(command, job(photos, cache, {"masks": folder}))
        assert result.exit_code == 5, result.output
        assert "restore.options.masks: " in result.output and f"/{folder}: holds no mask" in result.output
    assert not (photos.root / "job").exists()


def test_the_likeness_of_a_face_that_was_mostly_missing_is_not_judged(photos: Bench, cache: Path) -> None:
    small, large = portrait(PHOTO), portrait(PHOTO)
    small[48:51, 46:52] = (255, 0, 255)
    large[30:80, 30:80] = (255, 0, 255)
    for name, image in (("small", small), ("large", large)):
        write(photos.root / "photos" / f"{name}.png", cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST))
    gate = {"min_identity": 1.0, "max_confidence_drop": None}
    blocks = {"score": {"measures": ["identity"], "gate": gate}, "detect": {"aligned": True}}
    made = run(photos, cache, {"holes": "colour", "colour": "#ff00ff"}, **blocks)
    (slight,), (heavy,) = made["small.png"]["faces"], made["large.png"]["faces"]
    assert slight["missing"] < 0.1 < heavy["missing"]
    assert (slight["status"], slight["reason"]) == ("kept", "gate")
    assert heavy["status"] == "restored"
    assert heavy["scores"]["identity"] < 1.0


def test_staged_workers_give_the_same_bytes(photos: Bench, cache: Path) -> None:
    image = portrait(PHOTO)
    image[PLACE] = (255, 0, 255)
    write(photos.root / "photos" / "a.png", image)
    write(photos.root / "photos" / "b.png", portrait(PHOTO))
    options = {"holes": "colour", "colour": "#ff00ff", "grow": 1.5}
    run(photos, cache, options, "fused")
    run(photos, cache, options, "apart", run={"placement": "staged", "unit_records": 1})
    assert photos.outputs("fused") == photos.outputs("apart")
