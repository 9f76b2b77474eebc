"""A pairs job from its file to pairs that are checked, through the command line."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from .conftest import Studio


def samples(outputs: dict[str, bytes]) -> dict[str, dict[str, bytes]]:
    """Members of all tars, by pair and extension."""
    found: dict[str, dict[str, bytes]] = {}
    for name, data in outputs.items():
        assert name.endswith(".tar"), name
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            for member in tar.getmembers():
                key, _, extension = member.name.partition(".")
                file = tar.extractfile(member)
                assert file is not None
                found.setdefault(key, {})[extension] = file.read()
    return found


def records(outputs: dict[str, bytes]) -> list[dict[str, Any]]:
    return [json.loads(pair["json"]) for _, pair in sorted(samples(outputs).items())]


def test_the_collection_becomes_pairs(studio: Studio) -> None:
    result = studio.run(studio.job(split={"parts": {"train": 0.6, "val": 0.4}}))
    assert "1 images could not be read" in result.stdout
    made = samples(studio.outputs())
    # Of the portrait and its three copies one is left; beside it are its mirror image, another view and three scenes.
    assert len(made) == 6 * 3
    for pair in made.values():
        record = json.loads(pair["json"])
        assert hashlib.sha256(pair["lq.png"]).hexdigest() == record["degraded"]["sha256"]
        assert hashlib.sha256(pair["gt.png"]).hexdigest() == record["target"]["sha256"]
        shown = cv2.imdecode(np.frombuffer(pair["gt.png"], np.uint8), cv2.IMREAD_COLOR)
        assert shown.shape == (96, 96, 3)
        assert record["versions"]["numpy"] == np.__version__
        source = (studio.root / "photographs" / record["source"]["key"]).read_bytes()
        assert hashlib.sha256(source).hexdigest() == record["source"]["sha256"]
    assert {record["seed"]["variant"] for record in records(studio.outputs())} == {0, 1, 2}
    status = studio.status()
    assert status["kind"] == "pairs"
    assert status["records_ok"] == 18
    assert studio.call("verify", studio.root / "pairs.yaml").exit_code == 0


def test_shards_are_balanced_and_of_one_part(studio: Studio) -> None:
    studio.run(studio.job(split={"parts": {"train": 0.6, "val": 0.4}}, degrade={"variants": 7}))
    table = pq.read_table(studio.run_folder() / "pairs.parquet").to_pylist()
    sizes: dict[str, int] = {}
    for row in table:
        assert row["shard"].startswith(f"{row['split']}-")
        sizes[row["shard"]] = sizes.get(row["shard"], 0) + 1
    for part in ("train", "val"):
        counts = [size for shard, size in sizes.items() if shard.startswith(part)]
        assert max(counts) <= 5
        assert max(counts) - min(counts) <= 1
    assert sorted(studio.outputs()) == sorted(f"{shard}.tar" for shard in sizes)


def test_a_number_of_pairs_is_made_exactly(studio: Studio) -> None:
    job = studio.job()
    job.write_text(job.read_text().replace("variants: 3", "pairs: 20"))
    studio.run(job)
    assert len(samples(studio.outputs())) == 20


def test_copies_are_named(studio: Studio) -> None:
    studio.run(studio.job(samples={"kind": "faces", "size": 64}))
    left_out = studio.selection()["left_out"]
    assert left_out == {"duplicate_exact": 1, "duplicate_near": 2, "no_face": 3}
    rows = pq.read_table(studio.run_folder() / "selection.parquet").to_pylist()
    copies = {row["key"]: row["copy_of"] for row in rows if row["copy_of"]}
    assert set(copies) < {"box1/copy.png", "box1/portrait.png", "box2/same.jpg", "box2/half.jpg"}
    assert copies["box2/half.jpg"] in {"box1/copy.png", "box1/portrait.png"}
    assert "turned" not in str(copies)


def test_faces_are_aligned_and_upright(studio: Studio) -> None:
    studio.run(studio.job(samples={"kind": "faces", "size": 64}, degrade={"variants": 1}))
    for record in records(studio.outputs()):
        left, right, nose, *mouth = record["sample"]["landmarks"]
        assert abs(left[0] - 24) < 3
        assert abs(right[0] - 40) < 3
        assert abs(left[1] - 30) < 3
        assert left[1] < nose[1] < min(point[1] for point in mouth)


def test_tiles_cover_the_image(studio: Studio) -> None:
    studio.run(
        studio.job(
            samples={"kind": "tiles", "size": 128, "step": 100}, degrade={"recipe": "real-esrgan", "variants": 1}
        )
    )
    cat = [record for record in records(studio.outputs()) if record["source"]["key"] == "scenes/cat.png"]
    windows = sorted(tuple(record["sample"]["window"]) for record in cat)
    assert {(left, top) for left, top, _, _ in windows} == {(x, y) for x in (0, 100, 200, 272) for y in (0, 100, 152)}
    assert all(record["degraded"]["width"] == 32 and record["target"]["width"] == 128 for record in cat)


def test_again_there_is_nothing_to_do(studio: Studio) -> None:
    job = studio.job()
    studio.run(job)
    before = studio.outputs()
    result = studio.run(job)
    assert result.stdout.startswith("nothing to do")
    assert studio.outputs() == before


def test_another_recipe_rests_on_the_same_survey(studio: Studio) -> None:
    studio.run(studio.job())
    result = studio.run(studio.job(degrade={"recipe": "gpen"}, output={"existing": "replace"}))
    assert "survey" not in result.stderr
    assert {record["recipe"]["name"] for record in records(studio.outputs())} == {"gpen"}


def test_another_job_is_refused(studio: Studio) -> None:
    studio.run(studio.job())
    result = studio.run(studio.job(degrade={"variants": 4}), expected=7)
    assert "degrade.variants" in result.stderr


def test_new_photographs_come_in_by_replan(studio: Studio) -> None:
    job = studio.job()
    studio.run(job)
    first = len(samples(studio.outputs()))
    data = (studio.root / "photographs/scenes/rocket.jpg").read_bytes()
    image = cv2.flip(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), 0)
    cv2.imwrite(str(studio.root / "photographs/scenes/upside-down.png"), image)
    assert studio.run(job).stdout.startswith("nothing to do")
    result = studio.call("run", job, "--replan")
    assert result.exit_code == 3, result.output
    assert len(samples(studio.outputs())) == first + 3


def test_the_failure_budget_ends_the_survey(studio: Studio) -> None:
    assert studio.call("run", studio.job(run={"max_quarantined": 0})).exit_code == 4


def test_pairs_whose_source_went_are_quarantined_and_come_back_by_retry(studio: Studio) -> None:
    studio.run(studio.job("first"))
    (studio.root / "first").rename(studio.root / "second")
    path = studio.root / "photographs/scenes/coffee.jpg"
    path.rename(studio.root / "coffee.jpg")
    job = studio.job("second", degrade={"recipe": "gpen"}, output={"existing": "version"})
    result = studio.run(job)
    assert "3 in quarantine" in result.stdout
    versions = studio.root / "second/versions/2"
    before = {path.name: path.read_bytes() for path in versions.glob("*.tar")}
    assert len(samples(before)) == 15
    (studio.root / "coffee.jpg").rename(path)
    result = studio.call("retry", job)
    assert result.exit_code == 3, result.output  # the broken image is still there
    after = {path.name: path.read_bytes() for path in versions.glob("*.tar")}
    assert {name: after[name] for name in before} == before
    assert all("-r1-" in name for name in after.keys() - before.keys())
    assert len(samples(after)) == 18
    assert studio.call("verify", job).exit_code == 0


@pytest.mark.parametrize("name", ["webdataset", "folders", "lmdb", "parquet", "aligned", "unpaired"])
def test_every_format_is_made_and_verified(studio: Studio, name: str) -> None:
    job = studio.job(output={"format": name}, split={"parts": {"train": 0.5, "test": 0.5}})
    studio.run(job)
    assert studio.call("verify", job).exit_code == 0
    before = studio.outputs()
    assert before
    studio.run(job)
    assert studio.outputs() == before


def test_nothing_left_is_said_with_reasons(studio: Studio) -> None:
    result = studio.run(studio.job(filter={"min_side": 5000}), expected=5)
    assert "none is left to make pairs of: small_image (9)" in result.stderr


def test_by_how_much_faces_are_too_small_is_said(studio: Studio) -> None:
    result = studio.run(studio.job(samples={"kind": "faces", "size": 2048}), expected=5)
    assert "too_small (5)" in result.stderr or "too_small (6)" in result.stderr
    assert "the largest would have to be enlarged" in result.stderr


def test_a_part_without_samples_is_said_and_counted(studio: Studio) -> None:
    result = studio.run(studio.job(split={"parts": {"train": 1000, "val": 1}}))
    assert "no samples for val" in result.stderr
    assert studio.selection()["splits"]["val"] == {"samples": 0, "groups": 0, "pairs": 0}
    assert studio.call("report", studio.root / "pairs.yaml").exit_code == 0


def test_a_recipe_of_another_name_is_one_difference(studio: Studio) -> None:
    studio.run(studio.job())
    result = studio.run(studio.job(degrade={"recipe": "old-photo"}), expected=7)
    assert "degrade.recipe: was gfpgan, is now old-photo" in result.stderr
    assert "in 1 point" in result.stderr


def test_plan_says_what_a_run_would_come_to(studio: Studio) -> None:
    result = studio.call("plan", studio.job())
    assert result.exit_code == 0
    assert "10 records" in result.stdout
    assert "pairs before filters" in result.stdout
    assert not (studio.root / "pairs").exists()
    said = json.loads(studio.call("plan", studio.job(), "--json", "--sample", "10").stdout)
    assert said["estimate"]["failed"] == 1
    assert said["estimate"]["pairs"] == said["estimate"]["samples"] * 3
