"""`facejobs run` on a small archive: what comes out of it."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
import pyvips
from PIL import Image

if TYPE_CHECKING:
    from .conftest import Bench

GOOD = ("box1/print.jpg", "box1/plate.tif", "box2/miniature.png", "box2/wall.png")
REASONS = {"box2/cut-off.jpg": "truncated", "notes.jpg": "not_an_image", "empty.tif": "empty_file"}


def pixels(data: bytes) -> np.ndarray:
    return pyvips.Image.new_from_buffer(data, "").numpy()


def outside_squares(record: dict[str, Any], shape: tuple[int, ...]) -> np.ndarray:
    """Where no crop's square reaches: (H, W) bool."""
    inside = np.zeros(shape[:2], np.uint8)
    y, x = np.mgrid[: shape[0], : shape[1]]
    for face in record["faces"]:
        matrix, size = np.array(face["affine"]), face["crop_size"]
        u, v = (matrix[row, 0] * x + matrix[row, 1] * y + matrix[row, 2] for row in (0, 1))
        inside |= ((u >= -0.5) & (u <= size - 0.5) & (v >= -0.5) & (v <= size - 0.5)).astype(np.uint8)
    return inside == 0


def test_every_record_is_restored_copied_or_in_quarantine(bench: Bench) -> None:
    job = bench.job()
    result = bench.call("run", job)
    assert result.exit_code == 3, result.output
    status = bench.status(job)
    assert status["state"] == "complete"
    assert (status["units_planned"], status["units_committed"]) == (3, 3)
    assert (status["records_planned"], status["records_ok"], status["records_quarantined"]) == (7, 4, 3)
    outputs = bench.outputs("job")
    assert sorted(outputs) == sorted([*GOOD, *(f"{name}.json" for name in GOOD)])
    quarantine = (next((bench.root / "job/_facejobs/runs").iterdir()) / "quarantine.csv").read_text()
    rows = [line.split(",") for line in quarantine.splitlines()[1:]]
    assert {row[0]: row[2] for row in rows} == REASONS


def test_only_the_squares_of_the_faces_change(bench: Bench, files: dict[str, bytes]) -> None:
    assert bench.call("run", bench.job()).exit_code == 3
    outputs = bench.outputs("job")
    for name in ("box1/plate.tif", "box2/miniature.png"):
        before, after = pixels(files[name]), pixels(outputs[name])
        record = json.loads(outputs[f"{name}.json"])
        assert len(record["faces"]) == 1
        assert record["output"]["changed"]
        assert before.dtype == after.dtype
        outside = outside_squares(record, before.shape)
        assert outside.any()
        assert np.array_equal(before[outside], after[outside])
        assert not np.array_equal(before, after)
    alpha = pixels(outputs["box2/miniature.png"])[..., 3]
    assert (alpha == 200).all()


def test_an_image_without_a_face_is_copied_byte_for_byte(bench: Bench, files: dict[str, bytes]) -> None:
    bench.call("run", bench.job())
    outputs = bench.outputs("job")
    assert outputs["box2/wall.png"] == files["box2/wall.png"]
    record = json.loads(outputs["box2/wall.png.json"])
    assert record["faces"] == []
    assert record["output"]["changed"] is False


def test_the_record_tells_where_everything_came_from(bench: Bench, files: dict[str, bytes]) -> None:
    bench.call("run", bench.job())
    outputs = bench.outputs("job")
    record = json.loads(outputs["box1/print.jpg.json"])
    assert record["source"]["sha256"] == hashlib.sha256(files["box1/print.jpg"]).hexdigest()
    assert record["source"]["uri"].endswith("archive/box1/print.jpg")
    assert record["output"]["sha256"] == hashlib.sha256(outputs["box1/print.jpg"]).hexdigest()
    face = record["faces"][0]
    x0, y0, x1, y1 = face["box"]
    assert 0 <= x0 < x1 <= 200
    assert 0 <= y0 < y1 <= 200
    assert len(face["landmarks"]) == 5
    assert np.array(face["affine"]).shape == (2, 3)
    eyes = np.array(face["landmarks"])[:2] @ np.array(face["affine"])[:, :2].T + np.array(face["affine"])[:, 2]
    expected = np.array([[192.98, 239.95], [318.90, 240.19]]) * face["crop_size"] / 512
    assert np.abs(eyes - expected).max() < 0.08 * face["crop_size"]
    assert face["restorer"]["name"] == "classic"
    assert face["scores"]["identity"] > 0.6
    assert face["gate"] == {"passed": True, "action": "paste", "reasons": []}


def test_the_tables_hold_what_the_records_hold(bench: Bench) -> None:
    bench.call("run", bench.job())
    outputs = bench.outputs("job")
    run = next((bench.root / "job/_facejobs/runs").iterdir())
    images = pq.read_table(run / "images.parquet").to_pylist()
    faces = pq.read_table(run / "faces.parquet").to_pylist()
    assert sorted(row["key"] for row in images) == sorted(GOOD)
    assert sorted(row["key"] for row in faces) == ["box1/plate.tif", "box1/print.jpg", "box2/miniature.png"]
    for row in faces:
        face = json.loads(outputs[f"{row['key']}.json"])["faces"][row["index"]]
        assert row["box"] == face["box"]
        assert row["identity"] == face["scores"]["identity"]
        assert row["niqe_after"] == face["scores"]["after"]["niqe"]
    listed = {row["path"]: row["sha256"] for row in pq.read_table(run / "outputs.parquet").to_pylist()}
    assert listed == {name: hashlib.sha256(data).hexdigest() for name, data in outputs.items()}


def test_verify_names_the_flipped_byte(bench: Bench) -> None:
    job = bench.job()
    bench.call("run", job)
    assert bench.call("verify", job).exit_code == 0
    assert bench.call("verify", bench.root / "job").exit_code == 0
    path = bench.root / "job/box1/plate.tif"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    result = bench.call("verify", job)
    assert result.exit_code == 8
    assert "changed: box1/plate.tif" in result.stdout
    assert json.loads(bench.call("verify", job, "--json").stdout)["changed"] == ["box1/plate.tif"]


def test_the_budget_is_an_exit_code_of_its_own_and_can_be_raised(bench: Bench) -> None:
    job = bench.job(run={"max_quarantined": 1})
    result = bench.call("run", job)
    assert result.exit_code == 4
    assert "max_quarantined" in result.output
    assert bench.status(job)["state"] == "incomplete"
    assert bench.call("run", bench.job(run={"max_quarantined": "60%"})).exit_code == 3


def test_retry_brings_mended_records_out_of_quarantine(bench: Bench) -> None:
    job = bench.job()
    bench.call("run", job)
    (bench.root / "archive/empty.tif").write_bytes((bench.root / "archive/box1/plate.tif").read_bytes())
    assert bench.call("retry", job, "--code", "not_an_image").exit_code == 3
    assert bench.status(job)["records_quarantined"] == 3
    assert bench.call("retry", job, "--code", "empty_file").exit_code == 3
    status = bench.status(job)
    assert (status["records_planned"], status["records_ok"], status["records_quarantined"]) == (7, 5, 2)
    assert "empty.tif" in bench.outputs("job")
    assert bench.call("verify", job).exit_code == 0
    assert "nothing to do" in bench.call("run", job).stdout


@pytest.mark.parametrize("target", ["png", "tiff", "jpeg"])
def test_a_named_format_converts_what_it_can_hold(bench: Bench, target: str) -> None:
    job = bench.job(output={"format": target})
    bench.call("run", job)
    status = bench.status(job)
    outputs = bench.outputs("job")
    extension = {"png": "png", "tiff": "tif", "jpeg": "jpg"}[target]
    assert f"box1/print.{extension}" in outputs
    kind = Image.open(io.BytesIO(outputs[f"box1/print.{extension}"])).format
    assert kind == {"png": "PNG", "tiff": "TIFF", "jpeg": "JPEG"}[target]
    if target == "jpeg":  # neither 16 bits nor alpha fit into a JPEG: refused by name, not silently dropped
        assert status["quarantined_by_code"]["unsupported_target"] == 2
        assert status["records_ok"] == 2
    else:
        assert status["records_ok"] == 4


def test_strength_nought_changes_nothing(bench: Bench, files: dict[str, bytes]) -> None:
    bench.call("run", bench.job(restore={"strength": 0.0}))
    outputs = bench.outputs("job")
    for name in GOOD:
        assert outputs[name] == files[name]
        record = json.loads(outputs[f"{name}.json"])
        assert not record["output"]["changed"]
        assert all((face["status"], face["reason"]) == ("kept", "no_change") for face in record["faces"])


def test_the_gate_keeps_what_fails_and_says_why(bench: Bench, files: dict[str, bytes]) -> None:
    gate = {"min_identity": 1.0, "on_fail": "keep_original"}
    bench.call("run", bench.job(score={"gate": gate}))
    outputs = bench.outputs("job")
    record = json.loads(outputs["box2/miniature.png.json"])
    assert record["faces"][0]["status"] == "kept"
    assert record["faces"][0]["reason"] == "gate"
    assert "identity" in record["faces"][0]["gate"]["reasons"][0]
    assert outputs["box2/miniature.png"] == files["box2/miniature.png"]
    quarantine = bench.job("strict", score={"gate": {**gate, "on_fail": "quarantine"}})
    bench.call("run", quarantine)
    assert bench.status(quarantine)["quarantined_by_code"]["gate_failed"] == 3


def test_a_large_face_is_left_alone_unless_the_job_says_otherwise(bench: Bench) -> None:
    large = cv2.resize(cv2.imread(str(bench.root / "archive/box1/print.jpg")), None, fx=20, fy=20)
    for path in (bench.root / "archive").rglob("*"):
        if path.is_file():
            path.unlink()
    cv2.imwrite(str(bench.root / "archive/large.jpg"), large)
    bench.call("run", bench.job("kept", restore={"max_reduction": 1.0}))
    face = json.loads(bench.outputs("kept")["large.jpg.json"])["faces"][0]
    assert (face["status"], face["reason"]) == ("kept", "larger_than_model")
    bench.call("run", bench.job("reduced", restore={"oversize": "reduce"}))
    face = json.loads(bench.outputs("reduced")["large.jpg.json"])["faces"][0]
    assert face["reason"] != "larger_than_model"
    assert face["crop_size"] == 2048
    assert face["reduction"] > 1.0


def test_source_files_are_only_read(bench: Bench) -> None:
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in _files(bench.root / "archive")}
    bench.call("run", bench.job())
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in _files(bench.root / "archive")} == before


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
