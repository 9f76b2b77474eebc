"""Messages as lines of JSON: each parses, none holds a secret, and text stays as it was."""

from __future__ import annotations

import logging
import re
import sys
from datetime import datetime, timezone

import pytest

from jobs.console import Output
from jobs.observe.lines import say_unit
from jobs.spec import Scrubber
from pipeline.parcel import Receipt

from .conftest import BAD, GOOD, Desk

JSON = {"logs": "json"}


def test_every_line_of_a_run_is_an_object_that_names_job_and_run(desk: Desk) -> None:
    result = desk.call("run", desk.job("prints", observe=JSON))
    assert result.exit_code == 3
    lines = desk.lines(result)
    for line in lines:
        assert list(line)[:4] == ["time", "level", "message", "job"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
        when = datetime.fromisoformat(line["time"].replace("Z", "+00:00"))
        assert abs((datetime.now(timezone.utc) - when).total_seconds()) < 600
        assert line["level"] in ("info", "warning", "error")
        assert line["job"] == "prints"
    units = [line for line in lines if line.get("state") == "done"]
    assert len({line["unit"] for line in units}) == 3
    assert len({line["run"] for line in units}) == 1
    assert sum(line["ok"] for line in units) == GOOD
    assert sum(line["quarantined"] for line in units) == BAD
    assert all(line["attempt"] == 1 and line["seconds"] > 0 for line in units)
    ((code, count, level),) = [(line["code"], line["records"], line["level"]) for line in lines if "code" in line]
    assert (code, count, level) == ("not_an_image", BAD, "warning")


def test_on_a_terminal_there_is_no_bar_between_the_lines(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes any stream for a terminal then
    monkeypatch.setenv("TERM", "xterm")
    assert "restoring" in desk.call("run", desk.job("watched")).stderr
    lines = desk.lines(desk.call("run", desk.job(observe=JSON)))
    assert len(lines) > 3
    assert not any("source" in line or "\x1b" in line["message"] for line in lines)


def test_results_stay_text_on_standard_output(desk: Desk) -> None:
    result = desk.call("run", desk.job(observe=JSON))
    assert f"{GOOD + BAD} records: {GOOD} restored or copied" in result.stdout


def test_what_a_command_ends_with_is_an_error_in_json(desk: Desk) -> None:
    (desk.root / "in").rename(desk.root / "elsewhere")
    result = desk.call("run", desk.job(observe=JSON))
    assert result.exit_code not in (0, 3)
    *_, last = desk.lines(result)
    assert last["level"] == "error"
    assert "in" in last["message"]


def test_text_is_what_it_was(desk: Desk) -> None:
    result = desk.call("run", desk.job())
    lines = result.stderr.splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ planned run .*: 6 records in 3 units, \d+ bytes", lines[0])
    assert re.fullmatch(r"\S+Z 0 of 6 records, 0 of 3 units, 0 in quarantine, 0 faces", lines[1])
    assert len(lines) == 2


def test_secrets_are_hidden_in_messages_and_fields(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output()
    with out.structured(job="x"):
        out.use(Scrubber(('swordfish"1',)))
        out.log('with swordfish"1', unit='swordfish"1')
        out.complain("at https://user:hidden@host/")
        print('a library says swordfish"1', file=sys.stderr)
    errors = capsys.readouterr().err
    assert "swordfish" not in errors
    assert "hidden" not in errors
    assert errors.count("***") == 4


def test_secrets_of_the_job_are_hidden_from_the_first_line_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUCKET_KEY", "swordfish-77")
    source = {
        "uri": "s3://nowhere/swordfish-77/",
        "storage_options": {"key": "${BUCKET_KEY}", "secret": "${BUCKET_KEY}", "endpoint_url": "http://127.0.0.1:9"},
    }
    monkeypatch.setattr("pipeline.retries.PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr("pipeline.retries.TRIES", 1)
    result = desk.call("run", desk.job(source=source, observe=JSON))
    assert result.exit_code == 6, result.output
    assert desk.lines(result)
    assert "swordfish" not in result.output


def test_what_libraries_write_to_standard_error_becomes_lines_too(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output()
    before = sys.stderr
    with out.structured(job="x"):
        assert logging.lastResort is not None  # where a library's warnings go for which nobody has a handler
        logging.lastResort.handle(logging.makeLogRecord({"levelno": logging.WARNING, "msg": "old habits\ndie hard"}))
        sys.stderr.write("without an end")
    assert sys.stderr is before
    lines = Desk.lines(type("Result", (), {"stderr": capsys.readouterr().err}))
    assert [line["message"] for line in lines] == ["old habits", "die hard", "without an end"]
    assert all((line["source"], line["level"], line["job"]) == ("stderr", "warning", "x") for line in lines)


@pytest.mark.parametrize(
    ("state", "level"), [("error", "error"), ("storage", "error"), ("worker", "error"), ("lost", "warning")]
)
def test_units_that_came_to_no_good_end_are_no_mere_information(state: str, level: str) -> None:
    said: list[tuple[str, str]] = []
    say_unit(Receipt("u1", state, 2, message="why"), lambda *line: said.append(line[:2]))
    assert said == [(level, "unit u1: why")]
