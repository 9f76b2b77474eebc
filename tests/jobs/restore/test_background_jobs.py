"""Jobs with a background: whole pictures through a small RRDBNet, by the real engines, with and without faces."""

from __future__ import annotations

import html
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from operators.background import scratch
from operators.faces.geometry import invert, scaling, square_corners, transform
from operators.images.decode import decode
from operators.images.probe import probe
from operators.images.raster import Raster

from .conftest import Bench, encoded, grain, portrait
from .small_backgrounds import add_enlarger
from .small_models import add_generator

EAGER = {"name": "eager", "precision": "fp32"}
FACES = {"model": "small-gfpgan", "oversize": "reduce", "engine": EAGER}
KEYS = ("box1/plate.tif", "box1/print.jpg", "box2/miniature.png", "box2/wall.png")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> Bench:
    """Four pictures, three of them with a face, and small models; tests add jobs and change nothing."""
    root = tmp_path_factory.mktemp("background")
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769).update({0xA002: 200, 0xA003: 200})
    picture = Image.fromarray(np.rot90(grain(portrait(200), 6)).copy())
    printed = encoded(picture, format="JPEG", quality=85, dpi=(300, 300), exif=exif.tobytes())
    bench = Bench(root, {key: files[key] for key in KEYS} | {"box1/print.jpg": printed})
    bench.write()
    add_enlarger(root / "models" / "cache", "small-x2")
    add_enlarger(root / "models" / "cache", "small-x4", 2)
    add_generator(root / "models" / "cache", "small-gfpgan")
    return bench


def background_job(bench: Bench, name: str, background: dict[str, Any] | None = None, **blocks: Any) -> Path:
    return bench.job(
        name,
        **{
            "restore": {"model": "none"},
            # The parity gate looks at a whole tile, so that small ones make quick tests.
            "background": {"model": "small-x2", "tile": 96, "engine": EAGER, **(background or {})},
            "models": {"cache": str(bench.root / "models" / "cache")},
            "score": {"measures": []},
            **blocks,
        },
    )


def ran(bench: Bench, name: str, background: dict[str, Any] | None = None, **blocks: Any) -> dict[str, bytes]:
    if not (bench.root / name).exists():
        result = bench.call("run", background_job(bench, name, background, **blocks))
        assert result.exit_code == 0, result.output
    return bench.outputs(name)


@pytest.fixture(scope="module")
def alone(archive: Bench) -> dict[str, bytes]:
    """Without faces."""
    return ran(archive, "alone")


@pytest.fixture(scope="module")
def over(archive: Bench) -> dict[str, bytes]:
    """Faces from the original over it."""
    return ran(archive, "over", restore=FACES)


@pytest.fixture(scope="module")
def inside(archive: Bench) -> dict[str, bytes]:
    """Faces found and restored in it."""
    return ran(archive, "inside", {"faces_from": "background"}, restore=FACES)


def record(outputs: dict[str, bytes], key: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(outputs[f"{key}.json"])
    return found


def raster(data: bytes) -> Raster:
    return decode(data)


def table(bench: Bench, job: str, name: str) -> dict[str, dict[str, Any]]:
    (path,) = (bench.root / job).glob(f"_facejobs/runs/*/{name}.parquet")
    return {row["key"]: row for row in pq.read_table(pa.BufferReader(path.read_bytes())).to_pylist()}


def test_every_picture_is_larger_and_otherwise_what_it_was(archive: Bench, alone: dict[str, bytes]) -> None:
    for key in KEYS:
        source, made = raster(archive.files[key]), raster(alone[key])
        assert (made.width, made.height) == (2 * source.width, 2 * source.height)
        assert (made.space, made.alpha, made.pixels.dtype) == (source.space, source.alpha, source.pixels.dtype)
        assert made.orientation == source.orientation
        # The small network all but repeats pixels.
        repeated = np.repeat(np.repeat(source.pixels, 2, 0), 2, 1).astype(float)
        assert np.abs(made.pixels - repeated).mean() < 0.1 * source.full_scale
    assert len(np.unique(raster(alone["box1/plate.tif"]).pixels & 255)) > 200  # of 16 bits the low ones as well
    assert (raster(alone["box2/miniature.png"]).pixels[..., 3] == 200).all()


def test_the_record_says_what_made_it_and_that_pixels_are_others(archive: Bench, alone: dict[str, bytes]) -> None:
    card = json.loads((archive.root / "models/cache/models/small-x2/model.json").read_text())
    for key in KEYS:
        made = record(alone, key)["background"]
        assert (made["status"], made["reason"], made["pixels_outside_faces"]) == ("made", "", "changed")
        assert (made["model"], made["weights_sha256"]) == ("small-x2", card["sha256"])
        assert (made["width"], made["height"]) == (raster(alone[key]).width, raster(alone[key]).height)
        assert (made["engine"]["engine"], made["engine"]["precision"]) == ("eager", "fp32")
        assert made["tiles"]["tile"] > made["tiles"]["overlap"] > 0
        assert made["parameters"]["strength"] == 1.0 and made["parameters"]["scale"] is None
        assert record(alone, key)["output"]["changed"]
        assert [face["reason"] for face in record(alone, key)["faces"]] == ["no_change"] * (key != "box2/wall.png")
    (executed,) = record(alone, KEYS[0])["engines"]["background"]
    assert executed["used"]["engine"] == "eager"


def test_tables_counts_report_and_mark_say_it_too(archive: Bench, over: dict[str, bytes]) -> None:
    row = table(archive, "over", "images")["box2/miniature.png"]
    assert (row["background"], row["background_model"]) == ("made", "small-x2")
    assert (row["output_width"], row["width"]) == (360, 180)
    assert row["background_engine"].startswith("eager fp32 cpu")
    counts = archive.status(archive.root / "over.yaml")["counts"]
    assert (counts["backgrounds_made"], counts["images_changed"]) == (4, 4)
    assert any(name.startswith("backgrounds_by:eager fp32") and count == 4 for name, count in counts.items())
    report = html.unescape(next((archive.root / "over").glob("_facejobs/runs/*/report.html")).read_text())
    assert "What executed the background's network" in report and "Whole pictures made anew" in report
    assert record(over, KEYS[0])["background"]["weights_sha256"] in report
    shown = Image.open(io.BytesIO(over["box1/print.jpg"])).getexif()[0x000B]
    assert (
        "whole picture made anew at 400 x 400 from 200 x 200 pixels by small-x2; 1 face restored by small-gfpgan"
        in shown
    )
    for path in (archive.root / "over").glob("_facejobs/runs/*/samples/*-image.json"):
        about = json.loads(path.read_text())
        pair = [path.with_name(f"{path.stem}-{side}.jpg").read_bytes() for side in ("before", "after")]
        sides = [Image.open(io.BytesIO(data)).size for data in pair]
        assert sides == [(about["width"], about["height"])] * 2


def test_metadata_speaks_of_the_new_size_on_the_same_sheet(alone: dict[str, bytes]) -> None:
    data = alone["box1/print.jpg"]
    assert probe(data).dpi == (600, 600)
    block = Image.open(io.BytesIO(data)).getexif()
    assert block[0x0112] == 6
    assert (block.get_ifd(0x8769)[0xA002], block.get_ifd(0x8769)[0xA003]) == (400, 400)


def squares(outputs: dict[str, bytes], key: str, width: int, height: int, times: int) -> np.ndarray:
    """Which pixels of the result lie in the square of a restored face."""
    marked = np.zeros((height, width), np.bool_)
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    for face in record(outputs, key)["faces"]:
        to_crop = np.array(face["affine"]) @ np.vstack([invert(scaling(times)), [0, 0, 1]])
        across, down = (row[0] * x + row[1] * y + row[2] for row in to_crop)
        size = face["crop_size"]
        marked |= (across > -0.5) & (across < size - 0.5) & (down > -0.5) & (down < size - 0.5)
    return marked


def test_faces_are_pasted_where_they_are_at_the_new_scale(alone: dict[str, bytes], over: dict[str, bytes]) -> None:
    for key in ("box1/plate.tif", "box2/miniature.png"):
        before, after = (raster(each[key]).pixels.astype(int) for each in (alone, over))
        different = (before != after).any(axis=2)
        square = squares(over, key, after.shape[1], after.shape[0], 2)
        assert not different[~square].any()
        assert different[square].mean() > 0.2
        # The oval's middle is the square's own, to a fraction of a pixel of the source.
        face = record(over, key)["faces"][0]
        size = face["crop_size"]
        landmarks = transform(np.array(face["landmarks"]), scaling(2))
        inner = invert(np.array(face["affine"]))
        middle = transform(transform(square_corners(size), inner), scaling(2)).mean(axis=0)
        rows, columns = np.nonzero(different)
        assert np.abs(np.array([columns.mean(), rows.mean()]) - landmarks[2]).max() < 0.2 * np.ptp(landmarks[:, 0]) + 12
        assert square[round(middle[1]), round(middle[0])]
        assert different[round(landmarks[2, 1]), round(landmarks[2, 0])]


def test_faces_of_the_original_are_those_of_a_job_without_a_background(archive: Bench, over: dict[str, bytes]) -> None:
    cache = {"cache": str(archive.root / "models" / "cache")}
    assert archive.call("run", archive.job("faces", restore=FACES, models=cache, score={"measures": []})).exit_code == 0
    plain = archive.outputs("faces")
    for key in KEYS:
        assert "background" not in record(plain, key)
        assert record(plain, key)["faces"] == record(over, key)["faces"]
    assert "background" not in table(archive, "faces", "images")["box1/print.jpg"]
    header = json.loads(next((archive.root / "faces").glob("_facejobs/runs/*/run.json")).read_text())
    assert "background" not in header["identity"] and "background" not in header["identity"]["job"]


def test_faces_found_in_the_result_are_told_in_pixels_of_the_source(
    over: dict[str, bytes], inside: dict[str, bytes]
) -> None:
    for key in KEYS[:3]:
        (one,), (other,) = record(over, key)["faces"], record(inside, key)["faces"]
        assert np.abs(np.subtract(one["landmarks"], other["landmarks"])).max() < 4
        assert np.abs(np.subtract(one["box"], other["box"])).max() < 10
        assert other["reduction"] == pytest.approx(one["reduction"], rel=0.1)
        assert record(inside, key)["background"]["faces_from"] == "background"
        assert inside[key] != over[key]
    assert record(inside, "box2/wall.png")["faces"] == []
    assert inside["box2/wall.png"] == over["box2/wall.png"]


@pytest.mark.parametrize(
    ("faces_from", "run"),
    [
        ("original", {"threads": 3, "unit_records": 1}),
        ("background", {"threads": 3, "unit_records": 1}),
        ("background", {"isolate": True}),
        pytest.param("original", {"runner": "ray", "unit_records": 2}, marks=pytest.mark.ray),
        pytest.param("background", {"runner": "ray", "unit_records": 2}, marks=pytest.mark.ray),
    ],
    ids=["original-threads", "background-threads", "background-watched", "original-ray", "background-ray"],
)
def test_whatever_runs_it_changes_no_byte(
    archive: Bench, over: dict[str, bytes], inside: dict[str, bytes], run: dict[str, Any], faces_from: str
) -> None:
    name = f"{faces_from}-{'-'.join(run)}"
    made = ran(archive, name, {"faces_from": faces_from}, restore=FACES, run=run)
    assert made == (over if faces_from == "original" else inside)


@pytest.mark.parametrize("faces_from", ["original", "background"])
def test_what_is_let_go_of_and_kept_on_disk_changes_no_byte(
    archive: Bench,
    over: dict[str, bytes],
    inside: dict[str, bytes],
    faces_from: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on_disk = []

    def room(shape: tuple[int, ...], dtype: type[np.generic], most: int) -> np.ndarray:
        on_disk.append(scratch.room(shape, dtype, 0))
        return on_disk[-1]

    monkeypatch.setattr("pipeline.worker.ITEM_BYTES", 0)
    monkeypatch.setattr("operators.background.treat.room", room)
    made = ran(archive, f"{faces_from}-let-go", {"faces_from": faces_from}, restore=FACES)
    assert [type(each) for each in on_disk] == [np.memmap] * 4
    assert made == (over if faces_from == "original" else inside)


def test_tiles_leave_no_trace(archive: Bench, alone: dict[str, bytes]) -> None:
    made = ran(archive, "tiles", {"tile": 240})
    for key in ("box1/plate.tif", "box2/wall.png"):
        assert np.abs(raster(made[key]).pixels.astype(int) - raster(alone[key]).pixels).max() <= 1


def test_a_scale_below_the_networks_reduces(archive: Bench) -> None:
    made = ran(archive, "reduced", {"model": "small-x4", "scale": 1.5}, restore=FACES)
    for key in KEYS:
        source, result = raster(archive.files[key]), raster(made[key])
        assert (result.width, result.height) == (round(1.5 * source.width), round(1.5 * source.height))
        assert result.pixels.dtype == source.pixels.dtype
    assert record(made, "box2/miniature.png")["faces"][0]["status"] == "restored"


def test_a_grey_file_takes_colours_where_it_may(archive: Bench, alone: dict[str, bytes]) -> None:
    made = ran(archive, "coloured", {"keep_tone": False})
    grey, coloured = raster(alone["box1/plate.tif"]), raster(made["box1/plate.tif"])
    assert (grey.space, coloured.space) == ("gray", "rgb")
    assert coloured.pixels.dtype == np.uint16
    assert np.ptp(coloured.pixels.astype(int), axis=2).max() > 100
    assert not record(made, "box1/plate.tif")["background"]["tone_kept"]


def test_the_same_picture_is_copied_and_said_to_be_left(archive: Bench) -> None:
    made = ran(archive, "same", {"scale": 1.0, "strength": 0.0})
    for key in KEYS:
        assert made[key] == archive.files[key]
        found = record(made, key)
        assert (found["background"]["status"], found["background"]["reason"]) == ("left", "no_change")
        assert found["background"]["pixels_outside_faces"] == "original"
        assert not found["output"]["changed"]


def test_a_picture_past_the_bound_is_left_and_its_faces_are_not(archive: Bench) -> None:
    made = ran(archive, "bounded", {"max_result_pixels": 4 * 190 * 190}, restore=FACES)
    statuses = {key: record(made, key)["background"]["reason"] for key in KEYS}
    assert statuses == {KEYS[0]: "too_large", KEYS[1]: "too_large", KEYS[2]: "", KEYS[3]: ""}
    plate = raster(made["box1/plate.tif"])
    assert (plate.width, plate.height) == (240, 240)
    assert record(made, "box1/plate.tif")["faces"][0]["status"] == "restored"
    row = table(archive, "bounded", "images")["box1/plate.tif"]
    assert (row["background"], row["background_reason"], row["output_width"]) == ("left", "too_large", 240)
    counts = archive.status(archive.root / "bounded.yaml")["counts"]
    assert (counts["backgrounds_left"], counts["backgrounds_left:too_large"]) == (2, 2)


def test_a_side_that_the_format_cannot_have_leaves_the_picture(archive: Bench) -> None:
    folder = archive.root / "wide"
    folder.mkdir()
    strip = Image.fromarray(np.full((40, 8200, 3), 90, np.uint8))
    (folder / "strip.webp").write_bytes(encoded(strip, format="WEBP", lossless=True))
    made = ran(archive, "long", {"max_result_pixels": 10**9}, source={"uri": "wide"})
    assert record(made, "strip.webp")["background"]["reason"] == "format_limit"
    assert made["strip.webp"] == (folder / "strip.webp").read_bytes()


def test_a_done_run_needs_no_weights_to_be_told(archive: Bench, alone: dict[str, bytes]) -> None:
    nothing = str(archive.root / "nothing")
    told = archive.call("run", background_job(archive, "alone", models={"cache": nothing, "source": nothing}))
    assert told.exit_code == 0 and "nothing to do" in told.stdout
    background_job(archive, "alone")


def test_another_network_is_another_run_and_strictness_is_not(archive: Bench, alone: dict[str, bytes]) -> None:
    strict = background_job(archive, "alone", {"engine": {**EAGER, "strict": True}})
    assert "nothing to do" in archive.call("run", strict).stdout
    other = background_job(archive, "alone", {"strength": 0.5})
    refused = archive.call("run", other)
    assert refused.exit_code != 0 and "background.strength" in refused.stderr
    background_job(archive, "alone")


def test_a_plan_tries_the_network(archive: Bench) -> None:
    result = archive.call("plan", background_job(archive, "planned", run={"runner": "ray"}), "--json")
    assert result.exit_code == 0, result.output
    estimate = json.loads(result.stdout)["estimate"]
    assert (estimate["sampled"], estimate["failed"]) == (4, 0)
    (only,) = estimate["machine"]["passes"]
    assert only["placement"] == "fused"


def test_a_published_network_that_is_not_there_says_how_to_get_it(archive: Bench) -> None:
    empty = {"cache": str(archive.root / "empty" / "cache")}
    job = background_job(archive, "published", {"model": "realesrgan-x2plus"}, models=empty)
    validated = archive.call("validate", job)
    assert validated.exit_code == 0
    assert "note: the weights of realesrgan-x2plus are not in this machine's cache" in validated.stdout
    result = archive.call("run", job)
    assert result.exit_code == 5
    for hint in ("facejobs models pull realesrgan-x2plus", "models.source"):
        assert hint in result.stderr
    assert not (archive.root / "published").exists()
