"""Jobs that search for faces: tasks, records, edits and models, in one process and in watched ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image

from operators.inversion.boundaries import Boundary, write_boundary
from operators.networks import build

from .conftest import encoded, portrait
from .small_models import add, saved
from .test_generator_jobs import pixels

if TYPE_CHECKING:
    from .conftest import Bench

SIDE, WIDTH = 16, 12
PGGAN = {"resolution": SIDE, "z_space_dim": WIDTH, "image_channels": 3, "fused_scale": False, "lod": 0.0}
QUICK = {"prior": "small-pggan", "codes": 2, "layer": 2, "iterations": 5, "features": "none"}


def add_prior(cache: Path, name: str = "small-pggan") -> str:
    torch.manual_seed(2)
    state = build("pggan", {**PGGAN, "fmaps_base": 128, "fmaps_max": 16}).state_dict()
    return add(cache, saved(cache, name, state), name, "--licence", "ours")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("priors") / "cache"
    add_prior(folder)
    return folder


@pytest.fixture
def crops(bench: Bench) -> Bench:
    """Three aligned faces, each a little other than the one before."""
    write_crops(bench, 3)
    return bench


def write_crops(bench: Bench, count: int) -> None:
    folder = bench.root / "crops"
    folder.mkdir()
    for index in range(count):
        face = np.roll(portrait(SIDE), index, axis=1)
        (folder / f"{index:02d}.png").write_bytes(encoded(Image.fromarray(face), format="PNG"))


def inversion_job(bench: Bench, cache: Path, name: str, options: dict[str, Any] | None = None, **blocks: Any) -> Path:
    restore = {"model": "inversion", "options": {**QUICK, **(options or {})}, "engine": {"device": "cpu"}}
    return bench.job(
        name,
        source={"uri": "crops"},
        detect={"aligned": True},
        restore={**restore, **blocks.pop("restore", {})},
        models={"cache": str(cache)},
        score={"measures": []},
        **blocks,
    )


def run(bench: Bench, job: Path) -> dict[str, Any]:
    result = bench.call("run", job)
    assert result.exit_code == 0, result.output
    folder = bench.root / job.stem
    return {path.name.removesuffix(".json"): json.loads(path.read_text()) for path in folder.rglob("*.png.json")}


def test_records_say_how_each_search_ended(crops: Bench, cache: Path) -> None:
    records = run(crops, inversion_job(crops, cache, "found"))
    assert sorted(records) == ["00.png", "01.png", "02.png"]
    for record in records.values():
        (face,) = record["faces"]
        assert face["status"] == "restored"
        assert set(face["search"]) == {"iterations", "ended", "loss", "observation_psnr"}
        assert face["search"]["iterations"] == 5
        assert face["search"]["ended"] == "iterations"
        assert face["restorer"]["name"] == "inversion"
        assert face["restorer"]["parameters"]["prior"] == "small-pggan"
        assert face["restorer"]["parameters"]["space"] == "z"
        assert face["restorer"]["engine"]["engine"] == "eager"
    assert len({json.dumps(record["faces"][0]["search"]) for record in records.values()}) == 3
    assert not list((crops.root / "found").glob("_facejobs/runs/*/progress/**/*.*"))


def test_watched_workers_and_others_give_the_same_bytes(crops: Bench, cache: Path) -> None:
    run(crops, inversion_job(crops, cache, "plain"))
    run(crops, inversion_job(crops, cache, "watched", run={"isolate": True, "unit_records": 2}))
    assert crops.outputs("plain") == crops.outputs("watched")
    assert not [path for path in _only(crops, "watched").rglob("*") if path.is_file()]


def _only(bench: Bench, name: str) -> Path:
    (run_folder,) = (bench.root / name).glob("_facejobs/runs/*")
    return run_folder / "progress"


def test_masks_say_what_is_made_anew(crops: Bench, cache: Path) -> None:
    (crops.root / "masks").mkdir()
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[5:11, 4:12] = 255
    (crops.root / "masks" / "00.png").write_bytes(encoded(Image.fromarray(mask), format="PNG"))
    records = run(crops, inversion_job(crops, cache, "filled", {"task": "inpaint", "masks": "masks"}))
    before, after = (pixels((crops.root / where / "00.png").read_bytes()) for where in ("crops", "filled"))
    changed = (before != after).any(axis=2)
    assert changed[mask > 0].any()
    assert not changed[mask == 0].any()
    assert records["01.png"]["faces"][0]["status"] == "kept"
    assert records["00.png"]["mask_image"]["sha256"]
    assert (crops.root / "filled" / "01.png").read_bytes() == (crops.root / "crops" / "01.png").read_bytes()


def test_grey_pictures_get_colours_and_keep_their_light(crops: Bench, cache: Path) -> None:
    grey = Image.fromarray(portrait(SIDE)).convert("L")
    (crops.root / "crops" / "grey.png").write_bytes(encoded(grey, format="PNG"))
    run(crops, inversion_job(crops, cache, "coloured", {"task": "colorize"}))
    after = pixels((crops.root / "coloured" / "grey.png").read_bytes())
    assert np.ptp(after, axis=2).max() > 5
    luma = after @ np.array([0.299, 0.587, 0.114])
    assert np.abs(luma - np.asarray(grey)).max() <= 2.0
    run(crops, inversion_job(crops, cache, "same-tone"))
    with Image.open(crops.root / "same-tone" / "grey.png") as kept:
        assert kept.mode == "L"


def test_boundaries_from_files(crops: Bench, cache: Path) -> None:
    vector = np.zeros(WIDTH, np.float32)
    vector[1] = 1.0
    write_boundary(crops.root / "older.safetensors", Boundary("age", "z", vector))
    edits = [{"file": "older.safetensors", "strength": 3.0}]
    records = run(crops, inversion_job(crops, cache, "older", {"edits": edits}))
    (edit,) = records["00.png"]["faces"][0]["restorer"]["parameters"]["edits"]
    assert (edit["name"], edit["strength"]) == ("age", 3.0)
    run(crops, inversion_job(crops, cache, "as-found"))
    assert (crops.root / "older" / "00.png").read_bytes() != (crops.root / "as-found" / "00.png").read_bytes()
    (crops.root / "older.safetensors").write_bytes(b"no vector")
    result = crops.call("run", inversion_job(crops, cache, "spoilt", {"edits": edits}))
    assert result.exit_code == 5
    assert "restore.options.edits[0].file" in result.output
    write_boundary(crops.root / "older.safetensors", Boundary("age", "w", vector))
    result = crops.call("run", inversion_job(crops, cache, "elsewhere", {"edits": edits}))
    assert result.exit_code == 5
    assert "restore.options.edits[0].file" in result.output
    assert "is in w, and the codes are in z" in result.output
    assert not (crops.root / "elsewhere").exists()


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"task": "inpaint"}, "masks"),
        ({"masks": "."}, "masks"),
        ({"factor": 8.0}, "factor"),
        ({"task": "recipe"}, "recipe"),
        ({"task": "recipe", "recipe": [{"use": "blur"}]}, "sigma"),
        ({"task": "recipe", "recipe": [{"use": "grey", "sigma": 1.0}]}, "sigma"),
        ({"task": "recipe", "recipe": [{"use": "resize", "factor": 0.5}]}, "factor"),
        ({"task": "recipe", "recipe": [{"use": "contrast", "factor": 20.0}]}, "factor"),
        ({"noise_level": 0.1}, "noise_level"),
        ({"noise": "gaussian", "noise_level": 3.0}, "noise_level"),
        ({"space": "w"}, "space"),
        ({"truncation": 0.5}, "options.truncation"),
        ({"space": "w", "sphere": True}, "sphere"),
        ({"features": "small-pggan"}, "features"),
        ({"edits": [{"file": "nowhere.npy", "strength": 1.0}]}, "file"),
    ],
)
def test_what_cannot_be_is_said_at_its_key(crops: Bench, cache: Path, options: dict[str, Any], key: str) -> None:
    result = crops.call("run", inversion_job(crops, cache, "wrong", options))
    assert result.exit_code == 5
    assert key in result.output
    assert "Traceback" not in result.output


def test_features_are_those_of_a_vgg_where_there_is_one(crops: Bench, tmp_path: Path) -> None:
    own = tmp_path / "own-cache"
    add_prior(own)
    options = {"features": "auto", "iterations": 1}
    records = run(crops, inversion_job(crops, own, "substitute", options))
    parameters = records["00.png"]["faces"][0]["restorer"]["parameters"]
    assert (parameters["features"], parameters["features_sha256"]) == ("sface", None)
    state = build("vgg16", {"widths": [4, 4, 4, 4, 4], "hidden": 8, "classes": 5}).state_dict()
    sha256 = add(own, saved(own, "vgg16", state), "vgg16", "--licence", "ours")
    records = run(crops, inversion_job(crops, own, "published", options))
    parameters = records["00.png"]["faces"][0]["restorer"]["parameters"]
    assert (parameters["features"], parameters["features_sha256"]) == ("vgg16", sha256)
    # A run that began without it goes on without it.
    assert crops.call("run", crops.root / "substitute.yaml").exit_code == 0


def test_engines_that_compute_no_gradients_are_refused(crops: Bench, cache: Path) -> None:
    for engine in ({"name": "openvino"}, {"precision": "bf16"}):
        job = inversion_job(crops, cache, "engine", restore={"engine": {"device": "cpu", **engine}})
        result = crops.call("validate", job)
        assert result.exit_code == 5
        assert next(iter(engine)) in result.output
