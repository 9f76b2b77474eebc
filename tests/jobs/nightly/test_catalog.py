"""`facejobs catalog`: the state of a collection, as sums, rows, files and histories."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from jobs.exits import Exit

from .conftest import Collection, face, wall


@pytest.fixture
def grown(collection: Collection) -> Collection:
    """Two nights: one record changed, one gone, one broken."""
    for number in range(3):
        collection.put(f"box1/wall-{number}.png", wall(number))
    collection.put("face.png", face(1))
    collection.put("broken.png", b"not a picture")
    collection.night()
    collection.put("box1/wall-0.png", wall(10))
    (collection.source / "box1/wall-1.png").unlink()
    collection.night()
    return collection


def test_sums(grown: Collection) -> None:
    sums = grown.sums()
    assert (sums["records"], sums["nights"], sums["runs"]) == (5, 2, 2)
    assert sums["by_status"] == {"current": 3, "deleted": 1, "quarantined": 1}
    assert sums["by_code"] == {"not_an_image": 1}
    assert [(row["model"], row["records"]) for row in sums["by_maker"]] == [("none", 2), ("none", 1)]
    assert sums["output_bytes"] == sum(row["output_bytes"] or 0 for row in grown.catalog().values())
    assert sums["last_night"]["number"] == 2
    text = grown.call("catalog", grown.output).stdout
    assert text.splitlines()[0] == f"nights: 5 records in 2 nights, {grown.output}"
    assert [line.split() for line in text.splitlines() if line.startswith(("current", "deleted"))] == [
        ["current", "3"],
        ["deleted", "1"],
    ]


def test_it_takes_a_job_file_too(grown: Collection) -> None:
    assert grown.call("catalog", grown.job()).stdout == grown.call("catalog", grown.output).stdout


def test_rows_that_meet_a_condition(grown: Collection) -> None:
    result = grown.call("catalog", grown.output, "--where", "key like 'box1/%' and status = 'current'")
    lines = result.stdout.splitlines()
    assert [line.split()[-1] for line in lines[:-1]] == ["box1/wall-0.png", "box1/wall-2.png"]
    assert lines[-1] == "2 records"
    assert set(grown.catalog()) == {"box1/wall-0.png", "box1/wall-1.png", "box1/wall-2.png", "face.png", "broken.png"}
    assert grown.catalog()["face.png"]["faces"] == 1


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.json", "rows.parquet"])
def test_files(grown: Collection, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    assert grown.call("catalog", grown.output, "--to", file).exit_code == 0
    match file.suffix:
        case ".csv":
            with file.open(newline="") as open_file:
                rows = list(csv.DictReader(open_file))
        case ".parquet":
            rows = pq.read_table(file).to_pylist()
        case ".json":
            rows = json.loads(file.read_text())
        case _:
            rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert [row["key"] for row in rows] == sorted(grown.catalog())
    refused = grown.call("catalog", grown.output, "--to", file)
    assert (refused.exit_code, "--force" in refused.output) == (Exit.USAGE, True)
    assert grown.call("catalog", grown.output, "--to", file, "--force", "--where", "faces > 0").stdout.startswith(
        "1 rows"
    )


def test_histories(grown: Collection) -> None:
    first, second = grown.history("box1/wall-0.png")
    assert (first["cause"], second["cause"]) == ("new", "changed")
    assert first["output_sha256"] != second["output_sha256"]
    assert first["source_sha256"] != second["source_sha256"]
    assert second["output_sha256"] == grown.derivatives()["box1/wall-0.png"]
    assert (first["night"], second["night"]) == (1, 2)
    record = json.loads((grown.output / "box1/wall-0.png.json").read_text())
    assert record["settings_sha256"] == second["settings_sha256"]
    text = grown.call("catalog", grown.output, "box1/wall-0.png", "broken.png").stdout.splitlines()
    assert text[0] == "box1/wall-0.png"
    assert [line[0] for line in text[1:3]] == [" ", "*"]
    assert "not_an_image" in text[-1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("nothing.png",), "no record 'nothing.png'"),
        (("--where", "status = current"), "columns of the catalogue"),
        (("--to", "rows.xlsx"), "expected a name that ends in .csv"),
    ],
)
def test_wrong_use(grown: Collection, options: tuple[str, ...], said: str) -> None:
    result = grown.call("catalog", grown.output, *options)
    assert result.exit_code == Exit.USAGE
    assert said in result.output


def test_a_place_without_a_run(collection: Collection) -> None:
    assert collection.call("catalog", collection.root).exit_code == Exit.NO_RUN


def test_it_shows_a_night_under_way(grown: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the state of a night is kept, its commits are looked at."""
    for path in (grown.output / "_facejobs" / "collection").iterdir():
        if path.name.startswith(grown.run().header.run_id):
            path.unlink()
    assert grown.sums()["by_status"] == {"current": 3, "deleted": 1, "quarantined": 1}
    # Looking keeps nothing.
    assert not list((grown.output / "_facejobs" / "collection").glob(f"{grown.run().header.run_id}*"))
