"""The same job gives the same bytes whatever runs it, and the same images wherever they come from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fsspec
import pytest
import yaml

from .conftest import CONTAINERS

if TYPE_CHECKING:
    from tests.conftest import S3Server

    from .conftest import Bench


def images(outputs: Mapping[str, bytes]) -> dict[str, bytes]:
    return {name: data for name, data in outputs.items() if not name.endswith(".json")}


@pytest.fixture
def reference(bench: Bench) -> dict[str, bytes]:
    assert bench.call("run", bench.job("reference")).exit_code == 3
    return bench.outputs("reference")


@pytest.mark.parametrize(
    "run",
    [
        {"placement": "staged"},
        {"threads": 3, "unit_records": 2},
        pytest.param({"runner": "ray", "placement": "fused"}, marks=pytest.mark.ray),
        pytest.param({"runner": "ray", "placement": "staged", "unit_records": 2}, marks=pytest.mark.ray),
    ],
    ids=["local-staged", "local-threads", "ray-fused", "ray-staged"],
)
def test_runner_placement_threads_and_units_change_no_byte(
    bench: Bench, reference: dict[str, bytes], run: dict[str, Any]
) -> None:
    result = bench.call("run", bench.job("other", run=run))
    assert result.exit_code == 3, result.output
    assert bench.outputs("other") == reference


@pytest.mark.parametrize("kind", ["webdataset", "parquet"])
def test_a_container_gives_the_same_images(bench: Bench, reference: dict[str, bytes], kind: str) -> None:
    shards = bench.root / kind
    shards.mkdir()
    suffix = {"webdataset": "tar", "parquet": "parquet"}[kind]
    (shards / f"shard-0.{suffix}").write_bytes(CONTAINERS[kind](bench.files))
    job = bench.job("other", source={"kind": kind, "uri": kind})
    assert bench.call("run", job).exit_code == 3
    assert images(bench.outputs("other")) == images(reference)
    assert bench.status(job)["records_quarantined"] == 3


def test_a_catalogue_gives_the_same_images_and_its_columns(bench: Bench, reference: dict[str, bytes]) -> None:
    lines = ["uri,shelf", *(f"archive/{name},A-{number:03d}" for number, name in enumerate(sorted(bench.files)))]
    (bench.root / "catalogue.csv").write_text("\n".join(lines) + "\n")
    job = bench.job("other", source={"kind": "manifest", "uri": "catalogue.csv"})
    assert bench.call("run", job).exit_code == 3, bench.call("run", job).output
    outputs = {name.removeprefix("archive/"): data for name, data in bench.outputs("other").items()}
    assert images(outputs) == images(reference)
    assert yaml.safe_load(outputs["box1/print.jpg.json"])["metadata"] == {"shelf": "A-001"}


@pytest.mark.s3
@pytest.mark.parametrize("kind", ["files", "webdataset", "parquet"])
def test_an_s3_server_gives_the_same_images_and_hides_its_keys(
    bench: Bench, reference: dict[str, bytes], s3: S3Server, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = s3.bucket("museum")
    if kind == "files":
        for name, data in bench.files.items():
            s3.fs.pipe_file(f"{bucket}/scans/{name}", data)
    else:
        suffix = {"webdataset": "tar", "parquet": "parquet"}[kind]
        s3.fs.pipe_file(f"{bucket}/scans/shard-0.{suffix}", CONTAINERS[kind](bench.files))
    monkeypatch.setenv("MUSEUM_KEY", s3.key)
    monkeypatch.setenv("MUSEUM_SECRET", s3.secret)
    options = {**s3.options, "key": "${MUSEUM_KEY}", "secret": "${MUSEUM_SECRET}"}
    job = bench.job(
        "other",
        source={"kind": kind, "uri": f"{bucket}/scans/", "storage_options": options},
        output={"uri": f"{bucket}/restored/", "storage_options": options},
    )
    result = bench.call("run", job)
    assert result.exit_code == 3, result.output
    root = f"{bucket.removeprefix('s3://')}/restored/"
    found = {path.removeprefix(root): s3.fs.cat_file(path) for path in s3.fs.find(root)}
    ours = {name: data for name, data in found.items() if not name.startswith("_facejobs/")}
    assert images(ours) == images(reference)
    assert bench.call("verify", job).exit_code == 0
    assert "nothing to do" in bench.call("run", job).stdout
    texts = [result.output.encode(), *(data for name, data in found.items() if name.startswith("_facejobs/"))]
    assert not any(secret.encode() in text for secret in (s3.secret, s3.key) for text in texts)


@pytest.mark.s3
def test_wrong_credentials_are_storage_trouble(bench: Bench, s3: S3Server) -> None:
    bucket = s3.bucket("museum")
    options = {**s3.options, "secret": "wrong-secret"}
    result = bench.call("run", bench.job("other", output={"uri": f"{bucket}/restored/", "storage_options": options}))
    assert result.exit_code == 6
    assert "wrong-secret" not in result.output


def test_memory_is_a_storage_like_any_other(bench: Bench, reference: dict[str, bytes]) -> None:
    job = bench.job("other", output={"uri": "memory://restored"})
    assert bench.call("run", job).exit_code == 3
    fs = fsspec.filesystem("memory")
    found = {path.removeprefix("/restored/"): fs.cat_file(path) for path in fs.find("/restored")}
    assert images({name: data for name, data in found.items() if not name.startswith("_facejobs/")}) == images(
        reference
    )


@pytest.mark.parametrize("layout", ["webdataset", "parquet"])
def test_shards_are_the_same_on_every_runner(bench: Bench, layout: str) -> None:
    for name, run in (("one", {}), ("two", {"placement": "staged", "threads": 2})):
        assert bench.call("run", bench.job(name, output={"layout": layout}, run=run)).exit_code == 3
    assert bench.outputs("one") == bench.outputs("two")
    assert len(bench.outputs("one")) == 2  # of three units, one has nothing but a quarantined record


def test_outputs_do_not_depend_on_the_folder_they_go_to(bench: Bench, reference: dict[str, bytes]) -> None:
    bench.call("run", bench.job("elsewhere"))
    assert bench.outputs("elsewhere") == reference
    assert Path(bench.root / "reference/_facejobs").is_dir()
