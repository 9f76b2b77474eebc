"""`facejobs pairs regenerate`: pairs made again from their records, and everything that can be in its way."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.exits import Exit
from jobs.pairs.fetch_record import chosen
from jobs.pairs.record import PairRecord, read_record
from jobs.pairs.regenerate import OtherSourceError, regenerate
from jobs.pairs.regenerate_many import regenerate_all
from jobs.pairs.source_bytes import SourceBytes

from .conftest import Studio

KEY = "0000000-001"
"""Of a pair that every run has."""
FEW = ("box1/portrait.png", "scenes/cat.png", "scenes/coffee.jpg")
FORMATS = ("webdataset", "folders", "lmdb", "parquet", "aligned", "unpaired")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, photographs: dict[str, bytes]) -> Studio:
    """One finished run in each format, of a recipe with masks; nothing may be changed in it."""
    studio = Studio(tmp_path_factory.mktemp("runs"), {name: photographs[name] for name in FEW})
    studio.write()
    for name in FORMATS:
        output = {"uri": name, "format": name}
        studio.run(studio.job(name, degrade={"recipe": "scratch-repair", "variants": 2}, output=output), expected=0)
    return studio


@pytest.fixture(scope="module")
def record_file(runs: Studio) -> Path:
    return next((runs.root / "folders/records").rglob(f"{KEY}.json"))


@pytest.fixture
def record(record_file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(record_file.read_bytes())
    return found


def regenerated(studio: Studio, *arguments: str | Path) -> Any:
    return studio.call("pairs", "regenerate", *arguments)


def places(root: Path) -> Iterator[Path]:
    yield from (root / name for name in FORMATS)
    yield from (root / f"{name}.yaml" for name in FORMATS)
    yield from (root / "webdataset").glob("*.tar")
    yield from (root / "lmdb").rglob("record.lmdb")
    yield from (root / "parquet/data").glob("*.parquet")
    yield next((root / "folders/records").rglob("*.json"))


def test_pairs_of_every_format_are_bit_identical_wherever_their_records_are_read(runs: Studio) -> None:
    for place in places(runs.root):
        result = regenerated(runs, place, "--check", "--sample", "4")
        assert result.exit_code == 0, (place, result.output)
        assert "bit-identical" in result.stdout
        count = 1 if place.suffix == ".json" else 4 if place.suffix in ("", ".yaml") else None
        if count:
            assert result.stdout.startswith("4 of 4 pairs" if count == 4 else f"{place.stem}: bit-identical")


@pytest.mark.parametrize("form", ["folders", "webdataset", "lmdb", "parquet"])
def test_a_pairs_files_are_written(runs: Studio, tmp_path: Path, form: str) -> None:
    result = regenerated(runs, runs.root / form, "--key", KEY, "--to", tmp_path / "again")
    assert result.exit_code == 0, result.output
    assert f"{KEY}: bit-identical; wrote" in result.stdout
    outputs = runs.outputs("folders")
    for side in ("lq", "gt", "mask"):
        data = (tmp_path / f"again/{KEY}.{side}.png").read_bytes()
        assert [name for name, there in outputs.items() if there == data and name.endswith(f"{side}/{KEY}.png")]
    assert len(list((tmp_path / "again").iterdir())) == 3


def test_sides_that_are_not_paired_are_made_alone(runs: Studio, tmp_path: Path) -> None:
    names = {path.parent.name[-1]: path for path in (runs.root / "unpaired/records").rglob("*.json")}
    for side, suffixes in (("A", {"lq.png"}), ("B", {"gt.png"})):
        result = regenerated(runs, names[side], "--to", tmp_path / side)
        assert result.exit_code == 0, result.output
        made = {path.name.partition(".")[2]: path.read_bytes() for path in (tmp_path / side).iterdir()}
        assert set(made) == suffixes
        kept = next(iter((runs.root / "unpaired").glob(f"*{side}/{names[side].stem}.png")))
        assert made["lq.png" if side == "A" else "gt.png"] == kept.read_bytes()


def test_check_writes_nothing(runs: Studio, record_file: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert regenerated(runs, record_file, "--check").exit_code == 0
    assert not list(tmp_path.iterdir())
    assert regenerated(runs, record_file).exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == {f"{KEY}.{side}.png" for side in ("lq", "gt", "mask")}


def test_other_files_of_the_same_names_are_left_alone(runs: Studio, record_file: Path, tmp_path: Path) -> None:
    (tmp_path / f"{KEY}.gt.png").write_bytes(b"mine")
    refused = regenerated(runs, record_file, "--to", tmp_path)
    assert refused.exit_code == Exit.USAGE
    assert f"{KEY}.gt.png: holds something else" in refused.stderr
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"mine"]
    assert regenerated(runs, record_file, "--to", tmp_path, "--force").exit_code == 0
    assert (tmp_path / f"{KEY}.gt.png").read_bytes() != b"mine"
    assert regenerated(runs, record_file, "--to", tmp_path).exit_code == 0  # the same bytes are no conflict


def copied(record: Mapping[str, Any], folder: Path, data: bytes) -> Path:
    """The record with its source at another place, as a file of its own."""
    source = folder / f"source{Path(record['source']['uri']).suffix}"
    source.write_bytes(data)
    changed = {**record, "source": {**record["source"], "uri": str(source)}}
    path = folder / f"{KEY}.json"
    path.write_text(json.dumps(changed))
    return path


def source_of(record: Mapping[str, Any]) -> bytes:
    return place_of(record).read_bytes()


def place_of(record: Mapping[str, Any]) -> Path:
    return Path(record["source"]["uri"].removeprefix("file://"))


def test_one_flipped_byte_in_the_source_is_noticed(runs: Studio, record: dict[str, Any], tmp_path: Path) -> None:
    data = bytearray(source_of(record))
    data[len(data) // 2] ^= 1
    path = copied(record, tmp_path, bytes(data))
    result = regenerated(runs, path, "--to", tmp_path / "again")
    assert result.exit_code == Exit.MISMATCH
    digest = hashlib.sha256(data).hexdigest()
    assert digest in result.stdout and record["source"]["sha256"] in result.stdout and "--source" in result.stdout
    assert not (tmp_path / "again").exists()
    assert regenerated(runs, path, "--source", place_of(record), "--check").exit_code == 0


def test_a_changed_step_is_noticed_and_the_side_named(runs: Studio, record: dict[str, Any], tmp_path: Path) -> None:
    step = next(step for step in record["steps"] if step["use"] == "scratches")
    step["parameters"]["count"] += 1
    path = copied(record, tmp_path, source_of(record))
    result = regenerated(runs, path, "--check")
    assert result.exit_code == Exit.MISMATCH
    assert f"{KEY}: differs from its record in degraded ({KEY}.lq.png), mask ({KEY}.mask.png)" in result.stdout
    assert "target" not in result.stdout
    assert "all versions are the record's" in result.stdout


def test_other_library_versions_are_named_where_bits_differ(
    runs: Studio, record: dict[str, Any], tmp_path: Path
) -> None:
    record["versions"]["numpy"] = "1.0.0"
    path = copied(record, tmp_path, source_of(record))
    same = regenerated(runs, path, "--check")
    assert same.exit_code == 0 and "1.0.0" not in same.output  # they differ and the bits do not: all is well
    record["target"]["sha256"] = "0" * 64
    result = regenerated(runs, copied(record, tmp_path, source_of(record)), "--check")
    assert result.exit_code == Exit.MISMATCH
    assert f"target ({KEY}.gt.png): numpy {np.__version__} here, 1.0.0 in the record" in result.stdout


def test_another_version_of_a_degradation_is_refused(runs: Studio, record: dict[str, Any], tmp_path: Path) -> None:
    record["steps"][0]["version"] = "0.9"
    result = regenerated(runs, copied(record, tmp_path, source_of(record)), "--check")
    assert result.exit_code == Exit.USAGE
    assert f"{KEY}.json: steps: [0].version: was drawn for version '0.9'" in result.stderr


def test_a_source_that_has_moved_is_found_in_its_new_folder(
    runs: Studio, record: dict[str, Any], tmp_path: Path
) -> None:
    path = copied(record, tmp_path, source_of(record))
    elsewhere = tmp_path / "elsewhere" / record["source"]["key"]
    elsewhere.parent.mkdir(parents=True)
    (tmp_path / path.name).with_name(Path(json.loads(path.read_text())["source"]["uri"]).name).rename(elsewhere)
    gone = regenerated(runs, path, "--check")
    assert gone.exit_code == Exit.BAD_JOB
    assert "there is no such object" in gone.stdout
    assert regenerated(runs, path, "--check", "--source", tmp_path / "elsewhere").exit_code == 0
    lost = regenerated(runs, path, "--check", "--source", tmp_path / "nowhere")
    assert lost.exit_code == Exit.BAD_JOB
    assert "nowhere/" in lost.stdout and record["source"]["key"] in lost.stdout


@dataclass(frozen=True)
class Watched(SourceBytes):
    """Notes what it reads."""

    asked: list[str] = field(default_factory=list)

    def read(self, source: Mapping[str, Any]) -> bytes:
        self.asked.append(str(source["uri"]))
        return super().read(source)


def test_each_source_is_read_once_and_failures_stay_alone(runs: Studio) -> None:
    records = [read_record(path.read_bytes(), path.name) for path in (runs.root / "folders/records").rglob("*.json")]
    assert len(records) == 6
    broken = replace(records[3], sample=replace(records[3].sample, window=(0, 0, 9999, 9999)), key="broken")
    other = replace(records[0], source={**records[0].source, "sha256": "0" * 64}, key="other")
    sources = Watched()
    outcomes = {outcome.record.key: outcome for outcome in regenerate_all([*records, broken, other], sources)}
    assert len(sources.asked) == len(set(sources.asked)) == 3
    assert all(outcomes[record.key].made is not None for record in records)
    assert all(outcomes[record.key].made.identical for record in records)  # type: ignore[union-attr]
    assert "outside the image" in outcomes["broken"].problem and not outcomes["broken"].other_source
    assert outcomes["other"].other_source


def test_the_pure_function_needs_a_record_and_bytes_only(record: dict[str, Any], record_file: Path) -> None:
    parsed = read_record(json.dumps(record).encode(), "record")
    made = regenerate(parsed, source_of(record))
    assert made.identical
    assert set(made.named()) == {f"{KEY}.lq.png", f"{KEY}.gt.png", f"{KEY}.mask.png"}
    with pytest.raises(OtherSourceError, match=KEY):
        regenerate(parsed, source_of(record) + b" ")
    worse = replace(parsed, mask={**record["mask"], "sha256": "f" * 64})
    assert regenerate(worse, source_of(record)).differing == ("mask",)
    assert "mask" not in regenerate(replace(parsed, mask=None), source_of(record)).files


def test_members_of_tars_and_rows_of_tables_are_sources_too(tmp_path: Path, photographs: dict[str, bytes]) -> None:
    studio = Studio(tmp_path, photographs)
    good = {name: photographs[name] for name in FEW}
    with tarfile.open(studio.root / "shard-0.tar", "w") as tar:
        for name, data in good.items():
            member = tarfile.TarInfo(name.replace("/", "-"))
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    table = pa.table({"photo": list(good.values()), "name": list(good)})
    pq.write_table(table, studio.root / "table.parquet", row_group_size=2)
    sources: dict[str, dict[str, Any]] = {
        "tars": {"kind": "webdataset", "uri": "shard-*.tar"},
        "rows": {"kind": "parquet", "uri": "table.parquet", "bytes_column": "photo", "key_column": "name"},
    }
    for name, source in sources.items():
        job = studio.job(name, source=source, output={"uri": name, "format": "folders"})
        studio.run(job, expected=0)
        result = regenerated(studio, studio.root / name, "--check")
        assert result.exit_code == 0, result.output
        assert result.stdout.startswith("9 of 9 pairs bit-identical; 3 sources read")
        record = next((studio.root / name / "records").rglob("*.json"))
        alone = regenerated(studio, record, "--check")
        assert alone.exit_code == (0 if name == "tars" else Exit.BAD_JOB)
        assert name == "tars" or "--job" in alone.stdout
        assert regenerated(studio, record, "--check", "--job", job).exit_code == 0
    (studio.root / "shard-0.tar").rename(studio.root / "moved.tar")
    record = next((studio.root / "tars/records").rglob("*.json"))
    assert regenerated(studio, record, "--check", "--source", studio.root / "moved.tar").exit_code == 0


def test_records_and_sources_may_lie_in_other_storage(runs: Studio, record: dict[str, Any]) -> None:
    storage = fsspec.filesystem("memory")
    for path in (
        min((runs.root / "webdataset").glob("*.tar")),
        min((runs.root / "parquet/data").glob("*.parquet")),
        next((runs.root / "lmdb").rglob("record.lmdb/data.mdb")),
    ):
        storage.pipe_file(f"/away/{path.relative_to(runs.root)}", path.read_bytes())
    storage.pipe_file(f"/photographs/{record['source']['key']}", source_of(record))
    storage.pipe_file(f"/away/{KEY}.json", json.dumps(record).encode())
    found = [f"memory:/{name}" for name in storage.find("/away")]
    assert len(found) == 4
    for place in found:
        result = regenerated(runs, place.removesuffix("/data.mdb"), "--key", KEY, "--check")
        assert result.exit_code == 0, (place, result.output)
        moved = regenerated(
            runs, place.removesuffix("/data.mdb"), "--key", KEY, "--check", "--source", "memory://photographs"
        )
        assert moved.exit_code == 0, (place, moved.output)
    storage.pipe_file(f"/photographs/{record['source']['key']}", b"other")
    wrong = regenerated(
        runs, found[0].removesuffix("/data.mdb"), "--key", KEY, "--check", "--source", "memory://photographs"
    )
    assert wrong.exit_code == Exit.MISMATCH


def test_a_few_wrong_pairs_among_many_are_counted_and_named(runs: Studio, tmp_path: Path) -> None:
    shard = next((runs.root / "webdataset").glob("*.tar"))
    wrong, total = "", 0
    with tarfile.open(shard) as tar, tarfile.open(tmp_path / "changed.tar", "w") as changed:
        for member in tar:
            data = tar.extractfile(member).read()  # type: ignore[union-attr]
            if member.name.endswith(".json"):
                total += 1
                if not wrong:
                    wrong = member.name.removesuffix(".json")
                    record = json.loads(data)
                    record["degraded"]["sha256"] = "0" * 64
                    data = json.dumps(record).encode()
            member.size = len(data)
            changed.addfile(member, io.BytesIO(data))
    result = regenerated(runs, tmp_path / "changed.tar", "--check")
    assert result.exit_code == Exit.MISMATCH
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"{wrong}: differs from its record in degraded")
    assert lines[1].startswith(f"{total - 1} of {total} pairs bit-identical, 1 different")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.json"], "nowhere.json: there is no such object"),
        (["photographs.json"], "a folder or a part of one"),
        (["notes.json"], "notes.json: is no record of a pair"),
        (["notes.tar", "--check"], "notes.tar: cannot be read as tar"),
        (["notes.parquet", "--check"], "notes.parquet: cannot be read as Parquet"),
        (["other.parquet", "--check"], "other.parquet: has no column record"),
        (["notes.lmdb", "--check"], "notes.lmdb"),
        (["empty.tar", "--check"], "empty.tar: holds no record of a pair"),
        (["folders"], "name one with --key, or say --check"),
        (["folders", "--key", "nobody"], "folders: no pair nobody; there are 000000"),
    ],
)
def test_wrong_input_is_named(runs: Studio, tmp_path: Path, monkeypatch: Any, arguments: list[str], said: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photographs.json").mkdir()
    (tmp_path / "notes.lmdb").mkdir()
    for suffix in ("json", "tar", "parquet", "lmdb/data.mdb"):
        (tmp_path / f"notes.{suffix}").write_text('{"key": "a note"}' * 40 if suffix != "json" else '{"key": "a"}')
    pq.write_table(pa.table({"key": ["a"]}), tmp_path / "other.parquet")
    tarfile.open(tmp_path / "empty.tar", "w").close()
    (tmp_path / "folders").symlink_to(runs.root / "folders")
    result = regenerated(runs, *arguments)
    assert result.exit_code == Exit.USAGE, result.output
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_a_place_without_a_run_and_a_run_of_another_kind_are_told(runs: Studio, tmp_path: Path) -> None:
    assert regenerated(runs, tmp_path, "--check").exit_code == Exit.NO_RUN
    survey = next((runs.root / "folders/_facejobs/surveys").iterdir())
    result = regenerated(runs, survey, "--check")
    assert result.exit_code == Exit.USAGE
    assert "expected pairs" in result.stderr


def test_the_same_pairs_are_chosen_whatever_their_order() -> None:
    keys = [f"{number:07d}-000" for number in range(500)]

    def found(order: list[str]) -> Iterator[tuple[str, Any]]:
        for key in order:
            yield key, lambda key=key: key.encode()

    first = chosen(found(keys), 20, seed=1)
    assert first == chosen(found(keys[::-1]), 20, seed=1)
    assert {key: key.encode() for key in first} == first
    assert len(first) == 20
    assert set(chosen(found(keys), 20, seed=2)) != set(first)
    assert set(chosen(found(keys), 10, seed=1)) < set(first)
    assert set(chosen(found(keys[:5]), 20, seed=1)) == set(keys[:5])


def test_a_record_of_this_module_is_parsed(record_file: Path) -> None:
    assert isinstance(read_record(record_file.read_bytes(), "record"), PairRecord)
