"""Reading: what was planned, or the reason why not; a bad record or bad storage."""

from __future__ import annotations

import pickle
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import RecordError, StorageError
from pipeline.records import Record
from pipeline.sources import SourceSpec, list_records, make_reader
from pipeline.storage import Folder, filesystem


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting between tries."""
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)


def one(place: Folder, data: bytes = b"image") -> tuple[SourceSpec, Record]:
    place.write("a.jpg", data)
    spec = SourceSpec("files", place.uri, place.options)
    (record,) = list_records(spec)
    return spec, record


def code_of(spec: SourceSpec, record: Record) -> str:
    with pytest.raises(RecordError) as caught:
        make_reader(spec).read(record)
    return caught.value.code


def test_a_spec_travels_and_the_reader_is_made_there(place: Folder) -> None:
    spec, record = one(place)
    assert make_reader(pickle.loads(pickle.dumps(spec))).read(record) == b"image"


def test_missing(place: Folder) -> None:
    spec, record = one(place)
    place.delete("a.jpg")
    assert code_of(spec, record) == "missing"


def test_changed(place: Folder) -> None:
    spec, record = one(place)
    place.write("a.jpg", b"other")
    assert code_of(spec, record) == "source_changed"


def test_too_large(place: Folder) -> None:
    spec, record = one(place, b"x" * 11)
    assert code_of(replace(spec, max_bytes=10), record) == "too_large"
    assert code_of(replace(spec, max_bytes=10), replace(record, size=-1, version="")) == "too_large"
    assert make_reader(replace(spec, max_bytes=11)).read(record) == b"x" * 11


def test_the_planned_problem(place: Folder) -> None:
    spec, record = one(place)
    assert code_of(spec, replace(record, problem="bad_key: so it is")) == "bad_key"


def test_a_folder_is_no_object(place: Folder) -> None:
    spec, record = one(place)
    place.write("folder/x.jpg", b"x")
    assert code_of(spec, replace(record, uri=record.uri.replace("a.jpg", "folder"), version="")) == "missing"


def test_above_one_request(place: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.sources.reader.ONE_REQUEST_BYTES", 1000)
    data = bytes(range(256)) * 20
    spec, record = one(place, data)
    assert make_reader(spec).read(record) == data


def test_a_short_read_is_tried_again_and_then_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, impatient: None
) -> None:
    spec, record = one(Folder(str(tmp_path)))
    fs = filesystem(spec.uri, {})[0]
    whole = fs.cat_file
    answers = [b"im", b"ima"]

    def short(path: str, **limits: int) -> bytes:
        return answers.pop() if answers else bytes(whole(path, **limits))

    monkeypatch.setattr(fs, "cat_file", short)
    assert make_reader(spec).read(record) == b"image"
    monkeypatch.setattr(fs, "cat_file", lambda path, **limits: b"im")
    assert code_of(spec, record) == "truncated_read"


@pytest.mark.parametrize(
    ("error", "code"), [(PermissionError(13, "no"), "permission_denied"), (OSError(5, "bad sector"), "unreadable")]
)
def test_one_bad_local_file_is_a_record_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, impatient: None, error: OSError, code: str
) -> None:
    spec, record = one(Folder(str(tmp_path)))
    fs = filesystem(spec.uri, {})[0]

    def refuse(path: str, **limits: int) -> bytes:
        # Tests may run as root, whom no permission stops.
        raise error

    monkeypatch.setattr(fs, "cat_file", refuse)
    assert code_of(spec, record) == code


@pytest.mark.s3
def test_wrong_credentials_stop_the_run(s3) -> None:
    spec, record = one(Folder(s3.bucket("locked"), s3.options))
    with pytest.raises(StorageError, match="credentials"):
        make_reader(replace(spec, options=s3.options | {"secret": "wrong"})).read(record)
    with pytest.raises(StorageError, match="credentials"):
        make_reader(replace(spec, options=s3.options | {"key": "nobody", "secret": "wrong"})).read(record)


def test_no_server_stops_the_run(impatient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("s3fs.core.asyncio.sleep", _at_once())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = {
        "key": "a",
        "secret": "b",
        "client_kwargs": {"endpoint_url": f"http://127.0.0.1:{port}", "region_name": "us-east-1"},
        "config_kwargs": {"retries": {"max_attempts": 0}},
    }
    spec = SourceSpec("files", "s3://bucket/scans", options)
    with pytest.raises(StorageError, match="does not answer"):
        make_reader(spec).read(Record("a.jpg", "s3://bucket/scans/a.jpg", ""))
    with pytest.raises(StorageError, match="does not answer"):
        list(list_records(spec))


def _at_once():
    import asyncio

    original = asyncio.sleep

    async def sleep(seconds: float, result: object = None) -> object:
        return await original(0, result)

    return sleep
