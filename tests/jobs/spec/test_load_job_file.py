"""What a right job file becomes."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from pydantic import ValidationError

from jobs.spec import JobFileError, Problem, RestoreJob, load, loads
from jobs.spec.source import FilesSource, ManifestSource, ParquetSource, WebdatasetSource

SMALLEST = "job: restore\nname: plates\nsource: {kind: files, uri: in/}\noutput: {uri: out/}\n"
ISSUE = """\
job: restore
name: glass-negatives
source:  {kind: files, uri: "s3://museum/scans/**/*.tif"}
restore: {model: classic}
output:  {uri: "s3://museum/restored/", layout: mirror, format: same}
run:     {runner: ray}
"""


def with_source(block: str) -> RestoreJob:
    return loads(f"job: restore\nname: plates\nsource: {block}\noutput: {{uri: out/}}\n")


def with_run(block: str) -> RestoreJob:
    return loads(f"{SMALLEST}run: {block}\n")


def test_the_smallest_form_of_the_issue() -> None:
    job = loads(ISSUE)
    assert job.name == "glass-negatives"
    assert job.source.uri == "s3://museum/scans/**/*.tif"
    assert job.output.uri == "s3://museum/restored/"
    assert (job.run.runner, job.run.placement, job.run.max_quarantined) == ("ray", "auto", "100%")
    assert job.source.storage_options == {}


def test_only_four_keys_are_needed(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(SMALLEST)
    job = load(file)
    assert job.source.uri == f"{tmp_path}/in/"
    assert job.output.uri == f"{tmp_path}/out/"
    assert job == loads(SMALLEST, folder=tmp_path)


def test_a_path_relative_to_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "a.yaml").write_text(SMALLEST)
    monkeypatch.chdir(tmp_path)
    assert load("jobs/a.yaml").source.uri == f"{tmp_path}/jobs/in/"
    (tmp_path / "jobs" / "b.yaml").write_text("job: x")
    with pytest.raises(JobFileError) as caught:
        load("jobs/b.yaml")
    line = "jobs/b.yaml:1:6: job: found the text 'x', expected 'restore', 'pairs' or 'train'"
    assert line in str(caught.value).splitlines()


def test_each_kind_of_source() -> None:
    files = with_source("{kind: files, uri: in/, include: ['*.tif'], exclude: ['*_thumb.*']}").source
    assert isinstance(files, FilesSource)
    assert files.include == ("*.tif",)
    tars = with_source("{kind: webdataset, uri: 'in/*.tar'}").source
    assert isinstance(tars, WebdatasetSource)
    assert ".tif" in tars.image_suffixes
    table = with_source("{kind: parquet, uri: in/}").source
    assert isinstance(table, ParquetSource)
    assert (table.bytes_column, table.uri_column, table.key_column) == ("image", None, "key")
    named = with_source("{kind: parquet, uri: in/, uri_column: url}").source
    assert isinstance(named, ParquetSource)
    assert (named.bytes_column, named.uri_column) == (None, "url")
    catalogue = with_source("{kind: manifest, uri: catalogue.csv}").source
    assert isinstance(catalogue, ManifestSource)
    assert (catalogue.uri_column, catalogue.key_column) == ("uri", None)


def test_words_that_yaml_1_1_would_take_for_something_else() -> None:
    job = loads(
        "job: restore\nname: no\nsource: {kind: files, uri: 2024-01-01}\noutput: {uri: 1:30}\n", folder=Path("/a")
    )
    assert (job.name, job.source.uri, job.output.uri) == ("no", "/a/2024-01-01", "/a/1:30")
    restore = "restore: {model: classic, options: {denoise: off, dust: off, deblock: 5}}"
    classic = loads(f"{SMALLEST}{restore}").restore.options
    assert classic.model_dump() == {"denoise": "off", "deblock": 5.0, "scratches": "auto", "dust": "off", "fading": 0.0}


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("1000", 1000),
        ("0x10", 16),
        ("512 MiB", 512 * 2**20),
        ("512mib", 512 * 2**20),
        ("1.5 GB", 1_500_000_000),
        ("7 B", 7),
    ],
)
def test_sizes(written: str, size: int) -> None:
    assert with_run(f"{{unit_bytes: {written}}}").run.unit_bytes == size


@pytest.mark.parametrize(
    ("budget", "planned", "allowed"),
    [
        ("100%", 7, 7),
        ("0%", 7, 0),
        ("10%", 19, 1),
        ("10%", 10, 1),
        ("0.5 %", 1000, 5),
        ("29%", 100, 29),
        ("3", 1, 3),
        ("0", 9, 0),
    ],
)
def test_budget_of_failures(budget: str, planned: int, allowed: int) -> None:
    assert with_run(f"{{max_quarantined: {budget}}}").run.allowance(planned) == allowed


@pytest.mark.parametrize("address", ["auto", "10.0.0.1:6379"])
def test_addresses(address: str) -> None:
    assert with_run(f"{{address: '{address}'}}").run.address == address


def test_thresholds_whose_measure_is_not_taken_are_off() -> None:
    gate = loads(f"{SMALLEST}score: {{measures: [niqe]}}").score.gate
    assert (gate.min_identity, gate.min_sharpness_ratio) == (None, None)
    assert gate.max_niqe_rise is not None
    assert loads(f"{SMALLEST}score: {{measures: []}}").score.gate.max_niqe_rise is None
    explicit = loads(f"{SMALLEST}score: {{measures: [niqe], gate: {{max_niqe_rise: null, min_identity: null}}}}")
    assert explicit.score.gate.max_niqe_rise is None


def test_anchors_and_aliases_are_followed() -> None:
    text = SMALLEST.replace("uri: in/}", "uri: s3://a/b, storage_options: &minio {anon: true}}")
    job = loads(text.replace("uri: out/}", "uri: s3://a/c, storage_options: *minio}"))
    assert job.output.storage_options == {"anon": True}


def test_a_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + SMALLEST.replace("\n", "\r\n").encode())
    assert load(file).name == "plates"


def test_models_are_frozen() -> None:
    job = loads(SMALLEST)
    with pytest.raises(ValidationError):
        job.name = "other"
    with pytest.raises(ValidationError):
        job.run.seed = 5


def test_loading_opens_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    options = "{key: a, secret: b, client_kwargs: {endpoint_url: 'http://127.0.0.1:9'}}"
    text = ISSUE.replace('*.tif"}', f'*.tif", storage_options: {options}}}')
    assert loads(text).source.storage_options["key"] == "a"


def test_the_error_survives_pickling() -> None:
    import pickle

    error = JobFileError([Problem("a.yaml", 3, 4, "run.seed", "found x"), Problem("a.yaml", 0, 0, "", "no such file")])
    again = pickle.loads(pickle.dumps(error))
    assert again.problems == error.problems
    assert str(again) == "a.yaml:3:4: run.seed: found x\na.yaml: no such file"


def test_the_environment_of_the_process_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "FACEJOBS_TEST_KEY", "abc")
    text = SMALLEST.replace("uri: out/}", 'uri: out/, storage_options: {key: "${FACEJOBS_TEST_KEY}"}}')
    assert loads(text).output.storage_options == {"key": "${FACEJOBS_TEST_KEY}"}
    with pytest.raises(JobFileError, match="FACEJOBS_TEST_KEY is not set"):
        loads(text, environment={})
