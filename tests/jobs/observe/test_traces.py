"""Spans of a run, as an OTLP/HTTP endpoint receives them."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import jobs.observe.traces as tracing
from jobs.exits import Exit

from .conftest import BAD, GOOD, Desk, Receiver, free_port


def spans(receiver: Receiver) -> list[tuple[Any, dict[str, Any]]]:
    """Spans with their attributes as plain values."""
    found = []
    for _, path, headers, body in receiver.got:
        assert path == "/v1/traces"
        data = gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body
        for resource in ExportTraceServiceRequest.FromString(data).resource_spans:
            about = {item.key: item.value.string_value for item in resource.resource.attributes}
            assert about["service.name"] == "facejobs"
            for scope in resource.scope_spans:
                found += [(span, {item.key: plain(item.value) for item in span.attributes}) for span in scope.spans]
    return found


def plain(value: Any) -> Any:
    return getattr(value, value.WhichOneof("value"))


def test_a_run_is_a_span_and_each_unit_one_below_it(desk: Desk, receiver: Receiver) -> None:
    assert desk.call("run", desk.job("prints", observe={"traces": receiver.url})).exit_code == 3
    found = spans(receiver)
    ((run, about),) = [pair for pair in found if pair[0].name == "run restore"]
    units = [pair for pair in found if pair[0].name == "unit"]
    assert about["facejobs.job"] == "prints"
    assert (about["facejobs.state"], about["facejobs.records.ok"]) == ("complete", GOOD)
    assert run.status.code == 0
    assert len(units) == 3
    for span, attributes in units:
        assert (span.trace_id, span.parent_span_id) == (run.trace_id, run.span_id)
        assert attributes["facejobs.attempt"] == 1
        assert attributes["facejobs.stage.examine.seconds"] >= 0
        assert span.end_time_unix_nano > span.start_time_unix_nano
        assert span.end_time_unix_nano <= run.end_time_unix_nano
    assert sum(attributes["facejobs.records.ok"] for _, attributes in units) == GOOD
    assert sum(attributes["facejobs.records.quarantined"] for _, attributes in units) == BAD
    assert len({attributes["facejobs.unit"] for _, attributes in units}) == 3


def test_a_run_that_is_not_complete_is_an_error(desk: Desk, receiver: Receiver) -> None:
    job = desk.job(run={"max_quarantined": 0}, observe={"traces": f"{receiver.url}/v1/traces"})
    assert desk.call("run", job).exit_code == 4
    ((run, about),) = [pair for pair in spans(receiver) if pair[0].name == "run restore"]
    assert run.status.code == 2
    assert "run.max_quarantined" in run.status.message
    assert about["facejobs.state"] == "over_budget"


def test_an_endpoint_that_is_not_there_is_said_and_nothing_hangs(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "FLUSH_SECONDS", 1.0)
    result = desk.call("run", desk.job(observe={"traces": f"http://127.0.0.1:{free_port()}"}))
    assert result.exit_code == 3
    assert "observe.traces: http://127.0.0.1:" in result.stderr.replace("\n", " ")
    assert "Traceback" not in result.output


def test_what_keeps_a_tracer_from_being_made_is_said_and_the_run_goes_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise AttributeError("another version")

    monkeypatch.setattr("jobs.observe.watch.traced", broken)
    result = desk.call("run", desk.job(observe={"traces": "http://127.0.0.1:4318"}))
    assert result.exit_code == 3
    assert "no traces, the run goes on without: AttributeError: another version" in result.stderr.replace("\n", " ")


def test_without_the_packages_the_extra_is_named_before_anything_is_done(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracing, "NEEDED", ("no_such_package_of_traces.sdk",))
    result = desk.call("run", desk.job(observe={"traces": "http://127.0.0.1:4318"}))
    assert result.exit_code == Exit.BAD_JOB
    assert "pip install 'facejobs[traces]'" in result.stderr
    assert not (desk.root / "job").exists()
