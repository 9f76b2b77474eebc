"""A job's metrics, read over HTTP while it runs."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from .conftest import BAD, GOOD, Desk, Samples, Scraper, value


def having(seen: list[Samples], name: str, **labels: str) -> list[float]:
    values = (value(samples, name, **labels) for samples in seen)
    return [found for found in values if found is not None]


def test_a_run_is_seen_while_it_goes_on_and_the_port_is_closed_after_it(desk: Desk, scraper: Scraper) -> None:
    began = time.time()
    with scraper.reading():
        result = desk.call("run", desk.job(observe={"metrics": f"127.0.0.1:{scraper.port}"}))
    assert result.exit_code == 3, result.output
    seen = scraper.seen
    todo = having(seen, "records", state="todo")
    assert todo == sorted(todo, reverse=True)
    assert max(todo) == GOOD + BAD
    under_way = [samples for samples in seen if value(samples, "queue_units", segment="all", state="at_work") == 1]
    assert under_way
    for samples in under_way:
        assert value(samples, "run_active") == 1
        units = [value(samples, "units", state=state) or 0 for state in ("committed", "in_flight", "waiting")]
        assert sum(units) == value(samples, "units_planned") == 3
        assert units[1] == 1
        assert value(samples, "queue_units", segment="all", state="waiting") == units[2]
        assert began <= (value(samples, "last_sign_timestamp_seconds") or 0) <= time.time()
        assert began <= (value(samples, "last_progress_timestamp_seconds") or 0) <= time.time()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", scraper.port), timeout=5)


def test_staged_segments_have_queues_of_their_own(desk: Desk, scraper: Scraper) -> None:
    observe = {"metrics": f"127.0.0.1:{scraper.port}"}
    with scraper.reading():
        assert desk.call("run", desk.job(run={"placement": "staged"}, observe=observe)).exit_code == 3
    for segment in ("front", "back"):
        assert max(having(scraper.seen, "queue_units", segment=segment, state="at_work")) == 1
    assert having(scraper.seen, "queue_units", segment="all", state="at_work") == []


@pytest.mark.ray
def test_a_cluster_says_where_units_wait_and_where_they_are_worked_on(desk: Desk, scraper: Scraper) -> None:
    run = {"runner": "ray", "placement": "staged", "unit_records": 1}
    observe = {"metrics": f"127.0.0.1:{scraper.port}"}
    with scraper.reading():
        result = desk.call("run", desk.job(run=run, observe=observe))
    assert result.exit_code == 3, result.output
    known = [
        samples
        for samples in scraper.seen
        if value(samples, "queue_units", segment="front", state="waiting") is not None
    ]
    assert known
    planned = GOOD + BAD
    for samples in known:
        depths = {
            (segment, state): value(samples, "queue_units", segment=segment, state=state) or 0
            for segment in ("front", "middle", "back")
            for state in ("waiting", "at_work")
        }
        assert sum(depths.values()) <= planned
        assert all(depth >= 0 for depth in depths.values())
    assert max(having(known, "queue_units", segment="front", state="waiting")) == planned
    assert any(
        value(samples, "queue_units", segment=segment, state="at_work")
        for samples in known
        for segment in ("front", "back")
    )


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_port_that_is_taken_is_said_and_the_run_goes_on(desk: Desk, taken: int) -> None:
    result = desk.call("run", desk.job(observe={"metrics": f"127.0.0.1:{taken}"}))
    assert result.exit_code == 3
    said = result.stderr.replace("\n", " ")
    assert f"observe.metrics: nothing can be served at 127.0.0.1:{taken}" in said
    assert "give each job its own" in said


@pytest.mark.parametrize("host", ["192.0.2.1", "x" * 64])
def test_a_host_that_is_not_this_machine_is_said_and_the_run_goes_on(desk: Desk, host: str) -> None:
    result = desk.call("run", desk.job(observe={"metrics": f"{host}:9464"}))
    assert result.exit_code == 3
    assert f"nothing can be served at {host}:9464" in result.stderr.replace("\n", " ")
