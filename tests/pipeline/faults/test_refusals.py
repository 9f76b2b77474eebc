"""Storage that refuses for good, or is not there at all: an end at once, or in time, which says what to do."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace

import pytest

from pipeline.errors import RecordError, StorageError
from pipeline.quarantine import standing
from pipeline.records import Record
from pipeline.s3 import PatientS3
from pipeline.sources import SourceSpec, list_records, make_reader
from pipeline.storage import Folder

from .s3_bed import TEXTS, S3Bed

EVERY_OPERATION: dict[str, Callable[[Folder], object]] = {
    "read": lambda folder: folder.read("a.txt"),
    "write": lambda folder: folder.write("a.txt", b"x"),
    "create": lambda folder: folder.create("b.txt", b"x"),
    "names": lambda folder: folder.names(),
    "children": lambda folder: folder.children(),
    "exists": lambda folder: folder.exists("a.txt"),
    "delete": lambda folder: folder.delete("a.txt"),
    "check": lambda folder: folder.check(),
    "record": lambda folder: make_reader(SourceSpec("files", folder.uri, folder.options)).read(
        Record("a.txt", f"{folder.uri}/a.txt", "")
    ),
    "list": lambda folder: list(list_records(SourceSpec("files", folder.uri, folder.options, include=("*.txt",)))),
}


@pytest.mark.s3
@pytest.mark.parametrize(("code", "status"), [("ExpiredToken", 400), ("ExpiredTokenException", 403)])
def test_expired_credentials_stop_at_once(proxied, code: str, status: int) -> None:
    place = proxied()
    folder = place.folder()
    folder.write("a.txt", b"one")
    for name, operation in EVERY_OPERATION.items():
        place.proxy.change(expired=code, expired_status=status)
        before = place.counts["expired"]
        with pytest.raises(StorageError, match=r"credentials have expired; renew them.*ExpiredToken"):
            operation(folder)
        # One request; or a HEAD, which has no words, botocore's look for the bucket's region, and one that asks why.
        assert place.counts["expired"] - before <= 3, name
        place.proxy.change(expired="")
    for operation in EVERY_OPERATION.values():
        folder.write("a.txt", b"one")
        operation(folder)


@pytest.mark.s3
@pytest.mark.parametrize("wrong", [{"secret": "wrong"}, {"key": "nobody"}])
def test_wrong_credentials_stop_at_once(s3, wrong: dict[str, str]) -> None:
    folder = Folder(s3.bucket("wrong") + "/out", s3.options | wrong)
    for operation in EVERY_OPERATION.values():
        with pytest.raises(StorageError, match="credentials are not accepted"):
            operation(folder)


@pytest.mark.s3
def test_what_a_clock_or_a_region_spoils_is_named(proxied) -> None:
    place = proxied()
    folder = place.folder()
    for code, advice in {"RequestTimeTooSkewed": "clock", "AuthorizationHeaderMalformed": "region_name"}.items():
        place.proxy.change(expired=code, expired_status=403)
        with pytest.raises(StorageError, match=advice):
            folder.read("x")


def test_no_credentials_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    options = {"client_kwargs": {"endpoint_url": "http://127.0.0.1:9", "region_name": "us-east-1"}}
    with pytest.raises(StorageError, match="no whole credentials"):
        Folder("s3://bucket/out", options).read("x")


@pytest.mark.s3
@pytest.mark.usefixtures("impatient")
def test_a_server_that_never_answers(proxied, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientS3, "patience", 2.0)
    place = proxied()
    folder = place.folder("silent", config_kwargs={"read_timeout": 0.2})
    place.proxy.change(silent=True)
    with pytest.raises(StorageError, match="does not answer"):
        folder.read("x")
    # A fifth of a second each, none begun after two seconds; a machine with other work gets through fewer.
    assert 2 <= place.counts["silent"] <= 11


@pytest.mark.usefixtures("impatient")
def test_a_server_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = {
        "key": "a",
        "secret": "b",
        "client_kwargs": {"endpoint_url": f"http://127.0.0.1:{port}", "region_name": "us-east-1"},
    }
    with pytest.raises(StorageError, match="check the endpoint"):
        Folder("s3://bucket/out", options).read("x")


@pytest.mark.s3
def test_one_object_in_cold_storage_is_one_record(proxied) -> None:
    place = proxied()
    folder = place.folder()
    folder.write("a.txt", b"one")
    place.proxy.change(expired="InvalidObjectState", expired_status=403)
    with pytest.raises(RecordError) as caught:
        make_reader(SourceSpec("files", folder.uri, folder.options)).read(Record("a.txt", f"{folder.uri}/a.txt", ""))
    assert caught.value.code == "archived"


@pytest.mark.s3
def test_a_run_whose_credentials_expire_is_resumed_and_quarantines_nothing(proxied) -> None:
    place = proxied()
    bed = S3Bed(place.folder("expires"), TEXTS)
    spec = bed.spec
    begun = 0

    def workflow():
        nonlocal begun
        flow = bed.spec.workflow()
        load = flow.front.stages[0].process

        def expiring(item, context) -> None:
            nonlocal begun
            begun += 1
            if begun == 3:
                place.proxy.change(expired="ExpiredToken")
            load(item, context)

        flow.front.stages[0].process = expiring
        return flow

    outcome = bed.drive(replace(spec, workflow=workflow))
    assert outcome.state == "storage"
    assert "credentials have expired; renew them" in outcome.message
    assert outcome.tally.quarantined == 0
    place.proxy.change(expired="")
    assert bed.drive().state == "complete"
    assert [row.key for row in standing(bed.run)] == ["b/d.txt"]
