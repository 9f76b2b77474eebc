"""Jobs whose restorer is a network with weights: small ones, through the real engines, on every runner."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from .conftest import encoded, portrait
from .small_models import NOWHERE, SIDE, SKIN, add_generator, add_parser

if TYPE_CHECKING:
    from .conftest import Bench

EAGER = {"name": "eager", "precision": "fp32"}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with small models, which tests do not change."""
    folder = tmp_path_factory.mktemp("models") / "cache"
    add_generator(folder, "small-gfpgan")
    add_generator(folder, "small-gpen", "gpen", "--noncommercial", "--licence", "for study only", out_size=2 * SIDE)
    return folder


def generator_job(bench: Bench, cache: Path, name: str = "job", **blocks: Any) -> Path:
    """A job whose gate lets every face pass: what a random network makes is no face."""
    restore = {"model": "small-gfpgan", "oversize": "reduce", "engine": EAGER, **blocks.pop("restore", {})}
    models = {"cache": str(cache), **blocks.pop("models", {})}
    return bench.job(name, **{"restore": restore, "models": models, "score": {"measures": []}, **blocks})


def record(bench: Bench, job: str, key: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((bench.root / job / f"{key}.json").read_text())
    return found


def table(bench: Bench, job: str, name: str) -> list[dict[str, Any]]:
    (path,) = (bench.root / job).glob(f"_facejobs/runs/*/{name}.parquet")
    rows: list[dict[str, Any]] = pq.read_table(pa.BufferReader(path.read_bytes())).to_pylist()
    return rows


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(np.int16)


@pytest.fixture
def reference(bench: Bench, cache: Path) -> dict[str, bytes]:
    result = bench.call("run", generator_job(bench, cache, "reference"))
    assert result.exit_code == 3, result.output
    return bench.outputs("reference")


def test_faces_are_restored_and_every_record_says_by_what(
    bench: Bench, cache: Path, reference: dict[str, bytes]
) -> None:
    made = record(bench, "reference", "box2/miniature.png")
    (face,) = made["faces"]
    card = json.loads((cache / "models/small-gfpgan/model.json").read_text())
    assert (face["status"], face["crop_size"], face["mask"]) == ("restored", SIDE, "landmarks")
    restorer = face["restorer"]
    assert (restorer["name"], restorer["weights_sha256"]) == ("small-gfpgan", card["sha256"])
    assert (restorer["engine"]["engine"], restorer["engine"]["precision"]) == ("eager", "fp32")
    (executed,) = made["engines"]["restorer"]
    assert executed["asked"]["engine"] == "eager"
    assert executed["used"]["device"].startswith("cpu")
    before, after = pixels(bench.files["box2/miniature.png"]), pixels(reference["box2/miniature.png"])
    assert np.abs(before - after).max() > 20
    rows = [row for row in table(bench, "reference", "faces") if row["status"] == "restored"]
    assert {(row["restorer"], row["mask"], row["engine"], row["precision"]) for row in rows} == {
        ("small-gfpgan", "landmarks", "eager", "fp32")
    }
    counts = bench.status(bench.root / "reference.yaml")["counts"]
    (name,) = (name for name in counts if name.startswith("faces_by:eager fp32 cpu"))
    assert counts[name] == len(rows) == 3
    header = json.loads(next((bench.root / "reference").glob("_facejobs/runs/*/run.json")).read_text())
    assert header["identity"]["restorer"]["weights_sha256"] == card["sha256"]
    report = next((bench.root / "reference").glob("_facejobs/runs/*/report.html")).read_text()
    assert "What executed the restorer" in report
    assert "eager fp32 cpu" in report


def test_strictness_alone_changes_no_byte_and_no_run(bench: Bench, cache: Path, reference: dict[str, bytes]) -> None:
    strict = generator_job(bench, cache, "reference", restore={"engine": {**EAGER, "strict": True}})
    assert "nothing to do" in bench.call("run", strict).stdout
    other = generator_job(bench, cache, "other", restore={"engine": {**EAGER, "strict": True}})
    assert bench.call("run", other).exit_code == 3
    assert bench.outputs("other") == reference


@pytest.mark.parametrize(
    "run", [{}, {"runner": "ray"}, {"runner": "ray", "placement": "staged", "workers": 1}], ids=str
)
def test_a_plan_tries_the_real_network(bench: Bench, cache: Path, run: dict[str, Any]) -> None:
    result = bench.call("plan", generator_job(bench, cache, run=run), "--json")
    assert result.exit_code == 0, result.output
    estimate = json.loads(result.stdout)["estimate"]
    assert (estimate["sampled"], estimate["failed"]) == (7, 3)
    assert estimate["seconds_per_record"] > 0
    assert estimate["hours"] > 0
    assert estimate["workers"] >= 1
    assert not (bench.root / "job").exists()


@pytest.mark.parametrize(
    "run",
    [
        {"placement": "staged"},
        {"threads": 3, "unit_records": 1},
        pytest.param({"runner": "ray", "placement": "auto"}, marks=pytest.mark.ray),
        pytest.param({"runner": "ray", "placement": "staged", "unit_records": 2}, marks=pytest.mark.ray),
    ],
    ids=["local-staged", "local-threads", "ray-auto", "ray-staged"],
)
def test_whatever_runs_it_changes_no_byte(
    bench: Bench, cache: Path, reference: dict[str, bytes], run: dict[str, Any]
) -> None:
    result = bench.call("run", generator_job(bench, cache, "other", run=run))
    assert result.exit_code == 3, result.output
    assert bench.outputs("other") == reference


def test_the_fastest_engine_is_taken_and_compiled_once(bench: Bench, cache: Path) -> None:
    for name in ("one", "two"):
        result = bench.call("run", generator_job(bench, cache, name, restore={"engine": {"precision": "fp32"}}))
        assert result.exit_code == 3, result.output
    assert bench.outputs("one") == bench.outputs("two")
    (executed,) = record(bench, "one", "box2/miniature.png")["engines"]["restorer"]
    assert executed["asked"]["engine"] == "auto"
    assert executed["used"]["engine"] == "openvino"
    compiled = list((cache / "engines").glob("*.engine"))
    assert len({path.name for path in compiled}) == len(compiled) >= 1


def test_a_larger_result_than_the_crop_is_pasted_and_scored(bench: Bench, cache: Path) -> None:
    job = generator_job(
        bench,
        cache,
        restore={"model": "small-gpen", "options": {"fidelity": 0.5}},
        models={"accept_noncommercial": ["small-gpen"]},
        score={"measures": ["sharpness", "niqe"], "gate": {"min_sharpness_ratio": None, "max_niqe_rise": None}},
    )
    result = bench.call("run", job)
    assert result.exit_code == 3, result.output
    (face,) = record(bench, "job", "box2/miniature.png")["faces"]
    assert face["status"] == "restored"
    assert face["scores"]["after"] != face["scores"]["before"]
    pairs = [path.read_bytes() for path in (bench.root / "job").glob("_facejobs/runs/*/samples/*-face-*.jpg")]
    assert {pixels(data).shape for data in pairs} == {(2 * SIDE, 2 * SIDE, 3)}


def test_strength_and_fidelity_lead_back_to_the_face_as_it_came(bench: Bench, cache: Path) -> None:
    key = "box2/miniature.png"
    moved = {}
    for name, restore in (
        ("full", {}),
        ("half", {"strength": 0.5}),
        ("near", {"options": {"fidelity": 0.9}}),
        ("same", {"options": {"fidelity": 1.0}}),
    ):
        assert bench.call("run", generator_job(bench, cache, name, restore=restore)).exit_code == 3
        moved[name] = np.abs(pixels(bench.outputs(name)[key]) - pixels(bench.files[key])).mean()
    assert moved["full"] > moved["half"] > moved["near"] > moved["same"] == 0
    (face,) = record(bench, "same", key)["faces"]
    assert (face["status"], face["reason"]) == ("kept", "no_change")


def chroma(data: bytes) -> np.ndarray:
    return cv2.cvtColor(pixels(data).astype(np.float32) / 255, cv2.COLOR_RGB2Lab)[..., 1:]


def test_a_sepia_print_keeps_its_tone_unless_the_job_wants_colour(bench: Bench, cache: Path) -> None:
    luma = cv2.cvtColor(portrait(240), cv2.COLOR_RGB2GRAY)[..., None] / 255.0
    sepia = np.rint(255 * np.clip(luma * [1.0, 0.86, 0.68], 0, 1)).astype(np.uint8)
    data = encoded(Image.fromarray(sepia), format="PNG")
    (bench.root / "archive" / "sepia.png").write_bytes(data)
    far = {}
    for name, keep in (("kept", True), ("coloured", False)):
        job = generator_job(bench, cache, name, restore={"options": {"keep_tone": keep}})
        assert bench.call("run", job).exit_code == 3
        made = bench.outputs(name)["sepia.png"]
        assert (pixels(made) != pixels(data)).any()
        # How far the colour at each lightness is from the print's own.
        spread = [chroma(made)[np.abs(pixels(made)[..., 1] - level) < 4].std(axis=0).max() for level in (60, 110, 160)]
        far[name] = max(spread)
    assert far["kept"] < 1.5
    assert far["coloured"] > 4


@pytest.mark.parametrize("sees", [SKIN, NOWHERE], ids=["a face", "nothing"])
def test_the_shape_of_a_face_is_used_when_its_model_is_there(bench: Bench, tmp_path: Path, sees: int) -> None:
    own = tmp_path / "own" / "cache"
    add_generator(own, "small-gfpgan")
    assert bench.call("run", generator_job(bench, own, "oval")).exit_code == 3
    sha256 = add_parser(own, sees)
    assert bench.call("run", generator_job(bench, own, "asked", restore={"mask": "parsing"})).exit_code == 3
    assert bench.call("run", generator_job(bench, own, "found", run={"placement": "staged"})).exit_code == 3
    assert bench.call("run", generator_job(bench, own, "not", restore={"mask": "landmarks"})).exit_code == 3
    key = "box2/miniature.png"
    shape = "parsing" if sees == SKIN else "landmarks"
    assert [record(bench, name, key)["faces"][0]["mask"] for name in ("oval", "asked", "found", "not")] == [
        "landmarks",
        shape,
        shape,
        "landmarks",
    ]
    outputs = {name: bench.outputs(name)[key] for name in ("oval", "asked", "found", "not")}
    assert outputs["asked"] == outputs["found"]
    assert outputs["oval"] == outputs["not"]
    assert (outputs["asked"] == outputs["oval"]) == (sees == NOWHERE)
    if sees == SKIN:
        changed = {name: (pixels(data) != pixels(bench.files[key])).any(axis=2).sum() for name, data in outputs.items()}
        assert changed["asked"] > 1.2 * changed["oval"]
    (executed,) = record(bench, "asked", key)["engines"]["parsing"]
    assert executed["used"]["engine"] == "eager"
    header = json.loads(next((bench.root / "asked").glob("_facejobs/runs/*/run.json")).read_text())
    assert header["identity"]["models"]["parsenet"] == sha256


def test_a_run_that_began_without_the_shapes_goes_on_without_them(bench: Bench, tmp_path: Path) -> None:
    own = tmp_path / "own" / "cache"
    add_generator(own, "small-gfpgan")
    job = generator_job(bench, own)
    assert bench.call("run", job).exit_code == 3
    add_parser(own, SKIN)
    again = bench.call("run", job)
    assert again.exit_code == 3
    assert "nothing to do" in again.stdout
    assert "another job" not in bench.call("status", job).stderr
    assert bench.call("retry", job).exit_code == 3


def test_parsing_can_be_asked_for_without_a_generator(bench: Bench, tmp_path: Path) -> None:
    own = tmp_path / "own" / "cache"
    job = bench.job("classic", restore={"mask": "parsing"}, models={"cache": str(own)})
    result = bench.call("run", job)
    assert result.exit_code == 5
    assert "facejobs models pull parsenet" in result.stderr
    add_parser(own, SKIN)
    assert bench.call("run", job).exit_code == 3
    assert record(bench, "classic", "box2/miniature.png")["faces"][0]["mask"] == "parsing"


def test_classic_jobs_load_no_network_library(bench: Bench) -> None:
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom jobs.main import app\n"
        f"result = CliRunner().invoke(app, ['run', {str(bench.job())!r}])\n"
        "assert result.exit_code == 3, result.output\n"
        "print([name for name in ('torch', 'openvino', 'onnxscript', 'tensorrt') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.stdout.strip() == "[]", result.stderr
