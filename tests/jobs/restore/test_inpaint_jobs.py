"""The tasks that GPEN has beside restoring: parts made anew by masks and by strokes, colour, faces from maps."""

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

from .conftest import encoded, portrait
from .small_models import SIDE, add_generator
from .test_generator_jobs import generator_job, pixels

if TYPE_CHECKING:
    from .conftest import Bench

PHOTO = 110
"""Side of a portrait whose face fits the small model nearly pixel by pixel."""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tasks") / "cache"
    for task in ("inpaint", "colorize", "seg2face"):
        add_generator(folder, f"small-{task}", "gpen", "--task", task, "--licence", "ours")
    return folder


@pytest.fixture
def photos(bench: Bench) -> Bench:
    (bench.root / "photos").mkdir()
    return bench


def run(bench: Bench, cache: Path, task: str, expected: int = 0, **blocks: Any) -> dict[str, Any]:
    restore = {"model": f"small-{task}", **blocks.pop("restore", {})}
    job = generator_job(bench, cache, task, source={"uri": "photos"}, restore=restore, **blocks)
    result = bench.call("run", job)
    assert result.exit_code == expected, result.output
    folder = bench.root / task
    return {path.name.removesuffix(".json"): json.loads(path.read_text()) for path in folder.rglob("*.png.json")}


def difference(bench: Bench, task: str, name: str) -> np.ndarray:
    before, after = ((bench.root / where / name).read_bytes() for where in ("photos", task))
    return (pixels(before) != pixels(after)).any(axis=2)


@pytest.mark.parametrize("orientation", [1, 6, 7])
def test_masks_say_what_is_made_anew_and_nothing_else_changes(photos: Bench, cache: Path, orientation: int) -> None:
    upright = portrait(PHOTO)
    stored = {1: upright, 6: np.rot90(upright), 7: np.rot90(upright, 2).swapaxes(0, 1)}[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(np.ascontiguousarray(stored))
    (photos.root / "photos" / "box").mkdir()
    (photos.root / "photos" / "box" / "torn.png").write_bytes(encoded(image, format="PNG", exif=exif))
    (photos.root / "photos" / "whole.png").write_bytes(encoded(Image.fromarray(upright), format="PNG"))
    hole = np.zeros((PHOTO, PHOTO), np.uint8)
    hole[45:65, 40:52] = 255
    (photos.root / "masks" / "box").mkdir(parents=True)
    (photos.root / "masks" / "box" / "torn.png").write_bytes(encoded(Image.fromarray(hole), format="PNG"))
    made = run(photos, cache, "inpaint", restore={"options": {"masks": "masks"}})
    (face,) = made["torn.png"]["faces"]
    assert (face["status"], face["mask"]) == ("restored", "hole")
    drawn = (photos.root / "masks" / "box" / "torn.png").read_bytes()
    noted = made["torn.png"]["mask_image"]
    assert noted["sha256"] == hashlib.sha256(drawn).hexdigest()
    assert noted["uri"].endswith("masks/box/torn.png")
    assert made["whole.png"]["mask_image"] is None
    (kept,) = made["whole.png"]["faces"]
    assert (kept["status"], kept["reason"]) == ("kept", "no_change")
    changed = difference(photos, "inpaint", "box/torn.png")
    turned = {1: changed, 6: np.rot90(changed, -1), 7: np.rot90(changed.swapaxes(0, 1), 2)}[orientation]
    wide = cv2.dilate(hole, np.ones((7, 7), np.uint8)) > 0
    assert not turned[~wide].any()
    assert turned[hole > 0].mean() > 0.5


def test_strokes_are_found_where_there_is_no_mask(photos: Bench, cache: Path) -> None:
    torn = portrait(2 * PHOTO)
    cv2.line(torn, (60, 120), (130, 95), (255, 255, 255), 7)
    (photos.root / "photos" / "torn.png").write_bytes(encoded(Image.fromarray(torn), format="PNG"))
    made = run(photos, cache, "inpaint")
    (face,) = made["torn.png"]["faces"]
    assert (face["status"], face["mask"]) == ("restored", "hole")
    changed = difference(photos, "inpaint", "torn.png")
    stroke = (torn == 255).all(axis=2)
    assert changed[stroke].mean() > 0.8
    assert changed.mean() < 4 * stroke.mean()


def test_a_mask_of_another_size_sends_its_picture_to_quarantine(photos: Bench, cache: Path) -> None:
    (photos.root / "photos" / "torn.png").write_bytes(encoded(Image.fromarray(portrait(PHOTO)), format="PNG"))
    (photos.root / "masks").mkdir()
    small = Image.fromarray(np.full((PHOTO, PHOTO - 1), 255, np.uint8))
    (photos.root / "masks" / "torn.png").write_bytes(encoded(small, format="PNG"))
    run(photos, cache, "inpaint", expected=3, restore={"options": {"masks": "masks"}})
    listing = next((photos.root / "inpaint").glob("_facejobs/runs/*/quarantine.csv")).read_text()
    (row,) = csv.DictReader(io.StringIO(listing))
    assert (row["code"], row["stage"]) == ("bad_mask", "examine")
    assert f"expected {PHOTO} x {PHOTO}" in row["message"]


def test_a_mask_that_is_no_picture_is_named(photos: Bench, cache: Path) -> None:
    (photos.root / "photos" / "torn.png").write_bytes(encoded(Image.fromarray(portrait(PHOTO)), format="PNG"))
    (photos.root / "masks").mkdir()
    (photos.root / "masks" / "torn.png").write_bytes(b"nonsense")
    run(photos, cache, "inpaint", expected=3, restore={"options": {"masks": "masks"}})
    listing = next((photos.root / "inpaint").glob("_facejobs/runs/*/quarantine.csv")).read_text()
    (row,) = csv.DictReader(io.StringIO(listing))
    assert (row["code"], row["stage"]) == ("bad_mask", "examine")
    assert "the mask 'torn.png' cannot be decoded: no known image format" in row["message"]


def test_colour_is_added_and_the_light_kept(photos: Bench, cache: Path) -> None:
    gray = np.repeat(cv2.cvtColor(portrait(PHOTO), cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    (photos.root / "photos" / "gray.png").write_bytes(encoded(Image.fromarray(gray), format="PNG"))
    made = run(photos, cache, "colorize")
    assert made["gray.png"]["faces"][0]["status"] == "restored"
    after = pixels((photos.root / "colorize" / "gray.png").read_bytes())
    before = pixels((photos.root / "photos" / "gray.png").read_bytes())
    light = np.array([0.299, 0.587, 0.114])
    assert np.ptp(after, axis=2).max() > 40
    moved = np.abs(after @ light - before @ light)
    assert moved.mean() < 0.2 * np.ptp(after, axis=2).mean()


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG"])
def test_a_gray_file_becomes_rgb_where_colour_is_asked_for(photos: Bench, cache: Path, kind: str) -> None:
    gray = cv2.cvtColor(portrait(PHOTO), cv2.COLOR_RGB2GRAY)
    name = f"plate.{kind.lower()}"
    (photos.root / "photos" / name).write_bytes(encoded(Image.fromarray(gray), format=kind))
    run(photos, cache, "colorize")
    after = pixels((photos.root / "colorize" / name).read_bytes())
    assert np.ptp(after, axis=2).max() > 40
    moved = difference(photos, "colorize", name)
    assert 0 < moved.mean() < 1
    assert (np.ptp(after, axis=2)[~moved] == 0).all()


def test_a_face_is_drawn_from_an_aligned_map(photos: Bench, cache: Path) -> None:
    drawn = np.zeros((SIDE, SIDE, 3), np.uint8)
    cv2.ellipse(drawn, (SIDE // 2, SIDE // 2), (18, 26), 0, 0, 360, (204, 0, 0), -1)
    (photos.root / "photos" / "map.png").write_bytes(encoded(Image.fromarray(drawn), format="PNG"))
    made = run(photos, cache, "seg2face", detect={"aligned": True})
    (face,) = made["map.png"]["faces"]
    assert (face["status"], face["mask"]) == ("restored", "whole")
    assert difference(photos, "seg2face", "map.png").mean() > 0.95
