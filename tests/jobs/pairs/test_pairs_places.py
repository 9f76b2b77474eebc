"""Pairs from and to other places: an S3 server, tars, a catalogue; no secret in what is written."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from tests.conftest import S3Server

    from .conftest import Studio


def pictures(rows: list[dict[str, object]]) -> list[tuple[object, ...]]:
    return sorted((row["sample_key"], row["variant"], row["degraded_sha256"], row["target_sha256"]) for row in rows)


def table(studio: Studio, name: str = "pairs") -> list[dict[str, object]]:
    found: list[dict[str, object]] = pq.read_table(studio.run_folder(name) / "pairs.parquet").to_pylist()
    return found


@pytest.mark.s3
@pytest.mark.parametrize("format_", ["lmdb", "webdataset"])
def test_an_s3_server_gives_the_same_pairs(
    studio: Studio, s3: S3Server, format_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio.run(studio.job("here", output={"format": format_}))
    bucket = s3.bucket("studio")
    for name, data in studio.photographs.items():
        s3.fs.pipe_file(f"{bucket}/photographs/{name}", data)
    monkeypatch.setenv("STUDIO_KEY", s3.key)
    monkeypatch.setenv("STUDIO_SECRET", s3.secret)
    options = {**s3.options, "key": "${STUDIO_KEY}", "secret": "${STUDIO_SECRET}"}
    job = studio.job(
        "there",
        source={"uri": f"{bucket}/photographs/", "storage_options": options},
        output={"uri": f"{bucket}/pairs/", "storage_options": options, "format": format_},
    )
    result = studio.run(job)
    root = f"{bucket.removeprefix('s3://')}/pairs/"
    found = {path.removeprefix(root): s3.fs.cat_file(path) for path in s3.fs.find(root)}
    tables = [
        data for name, data in found.items() if name.startswith("_facejobs/runs") and name.endswith("/pairs.parquet")
    ]
    rows = [row for data in tables for row in pq.read_table(io.BytesIO(data)).to_pylist()]
    assert pictures(rows) == pictures(table(studio, "here"))
    here = studio.outputs("here")
    assert sorted(name for name in found if not name.startswith("_facejobs/")) == sorted(here)
    assert studio.call("verify", job).exit_code == 0
    texts = [result.output.encode(), *(data for name, data in found.items())]
    assert not any(secret.encode() in text for secret in (s3.secret, s3.key) for text in texts)


def test_tars_give_the_same_pairs(studio: Studio) -> None:
    studio.run(studio.job("files"))
    (studio.root / "tars").mkdir()
    with tarfile.open(studio.root / "tars/shard-0.tar", "w") as tar:
        for name in sorted(studio.photographs):
            tar.add(studio.root / "photographs" / name, arcname=name)
    studio.run(studio.job("tars-pairs", source={"kind": "webdataset", "uri": "tars"}))
    assert pictures(table(studio, "tars-pairs")) == pictures(table(studio, "files"))


def test_a_catalogue_says_who_stays_together(studio: Studio) -> None:
    sitters = {name: "cat" if "cat" in name or "coffee" in name else name for name in studio.photographs}
    with (studio.root / "catalogue.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["uri", "sitter"])
        rows.writerows((f"photographs/{name}", sitter) for name, sitter in sitters.items())
    studio.run(
        studio.job(
            source={"kind": "manifest", "uri": "catalogue.csv"},
            split={"parts": {"train": 0.5, "val": 0.5}, "by": "column", "column": "sitter"},
        )
    )
    found = table(studio)
    groups = {str(row["source_key"]).rpartition("/")[2]: (row["group"], row["split"]) for row in found}
    assert groups["cat.png"] == groups["coffee.jpg"]
    assert len({group for group, _ in groups.values()}) == len(groups) - 1


def test_a_column_that_nobody_has_is_refused(studio: Studio) -> None:
    """Else each image would be a person of its own, and the split would leak in silence."""
    (studio.root / "catalogue.csv").write_text("uri,sitter\nphotographs/scenes/cat.png,1\n")
    job = studio.job(
        source={"kind": "manifest", "uri": "catalogue.csv"},
        split={"parts": {"train": 0.5, "val": 0.5}, "by": "column", "column": "siter"},
    )
    result = studio.run(job, expected=5)
    assert "no record has anything in the column 'siter'" in result.stderr
    assert "found sitter; correct split.column" in result.stderr


def test_records_name_the_place_but_not_the_output(studio: Studio) -> None:
    studio.run(studio.job("one"))
    studio.run(studio.job("two"))
    assert studio.outputs("one") == studio.outputs("two")
    record = json.loads(str(table(studio, "one")[0]["record"]))
    assert record["source"]["uri"].startswith(f"file://{studio.root}/photographs/")


def test_a_dataset_card_names_no_folder_of_this_machine(studio: Studio) -> None:
    studio.run(studio.job(output={"format": "parquet"}))
    card = (studio.root / "pairs/README.md").read_text()
    assert "photographs" in card
    assert str(studio.root) not in card
