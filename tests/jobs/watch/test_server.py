"""What `facejobs ui` serves, to whom, and what it does not."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jobs.exits import Exit
from jobs.main import app
from jobs.spec import Scrubber
from jobs.watch.loop import Seen
from jobs.watch.page import Page
from jobs.watch.server import is_loopback
from pipeline import layout
from tests.jobs.html_page import Page as Read
from tests.jobs.watch.constructed import Written
from tests.jobs.watch.serving import Served, served


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Written:
    made = Written(tmp_path_factory.mktemp("served"), zero=time.time() - 60.0)
    for place, ref in enumerate(made.refs[:5]):
        bad = {"box/00000.tif": "<script>alert(1)</script>"} if place == 0 else {}
        made.commit(ref, 10.0 * place, 10.0 * place + 9.0, bad=bad)
    made.run.folder.write(layout.REPORT, b"<!doctype html><title>report</title>")
    return made


@pytest.fixture(scope="module")
def server(ledger: Written) -> Iterator[Served]:
    with served(ledger.run.output.uri) as one:
        yield one


def ask(server: Served, path: str, host: str | None = None, method: str = "GET") -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", f"127.0.0.1:{server.port}" if host is None else host)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, dict(answer.getheaders()), body


def test_the_page_is_whole_without_script_and_nothing_in_it_is_taken_for_markup(server: Served) -> None:
    status, headers, body = ask(server, "/")
    assert status == 200
    page = Read(body)
    said = " ".join(node.text for node in page.nodes)
    assert "20 of 40 images" in said
    assert "script alert(1) script" not in said
    assert sum(node.tag == "script" for node in page.nodes) == 1
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert not any("style" in node.attributes for node in page.nodes)  # the policy would refuse it


def test_the_snapshot_is_served_as_json(server: Served, ledger: Written) -> None:
    status, headers, body = ask(server, "/snapshot.json")
    assert (status, headers["Content-Type"]) == (200, "application/json; charset=utf-8")
    snap = json.loads(body)
    assert (snap["run_id"], snap["units_committed"], snap["report"]) == (ledger.run.header.run_id, 5, True)
    assert "Access-Control-Allow-Origin" not in headers


def test_of_storage_only_the_report_is_served(server: Served) -> None:
    status, headers, body = ask(server, "/report.html")
    assert (status, body) == (200, "<!doctype html><title>report</title>")
    assert "sandbox allow-scripts" in headers["Content-Security-Policy"]
    for path in ("/run.json", "/manifest.json", "/../run.json", "/%2e%2e/run.json", "/_facejobs/current.json", "//etc"):
        assert ask(server, path)[0] == 404, path
    assert ask(server, "/snapshot.json", method="POST")[0] == 405
    assert ask(server, "/", method="DELETE")[0] == 405


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:8650", "192.168.1.7:80", socket.gethostname()])
def test_this_machine_is_known_by_its_names(server: Served, host: str) -> None:
    assert ask(server, "/snapshot.json", host)[0] == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8650", "127.0.0.1.evil.example", "localhost.evil.example"]
)
def test_a_strangers_name_for_this_machine_is_refused(server: Served, host: str) -> None:
    status, _, body = ask(server, "/snapshot.json", host)
    assert status == 421
    assert "prints" not in body


def test_ctrl_c_ends_it_well(ledger: Written) -> None:
    with served(ledger.run.output.uri) as one:
        assert ask(one, "/snapshot.json")[0] == 200
        one.process.send_signal(signal.SIGINT)
        _, complained = one.process.communicate(timeout=30)
        assert (one.process.returncode, complained) == (Exit.DONE, "")


def test_a_port_that_is_taken_is_said(ledger: Written) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(app, ["ui", ledger.run.output.uri, "--port", str(port), "--no-open"])
    assert result.exit_code == Exit.USAGE
    assert f"127.0.0.1:{port}: cannot listen there (Address already in use); name another --port" in result.stderr


def test_a_place_without_a_run_is_said(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["ui", str(tmp_path), "--no-open"])
    assert result.exit_code == Exit.NO_RUN
    assert "no run there" in result.stderr


def test_an_address_for_others_comes_with_a_warning(ledger: Written) -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert is_loopback("localhost")
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("scanner-3")
    with served(ledger.run.output.uri, "--host", "0.0.0.0") as one:
        assert one.url.startswith("http://127.0.0.1:")
        one.process.send_signal(signal.SIGINT)
        assert "can be reached from other machines" in one.process.communicate(timeout=30)[1]


def test_no_secret_reaches_page_or_json(tmp_path: Path) -> None:
    made = Written(tmp_path)
    made.commit(made.refs[0], 0.0, 9.0, bad={"s3://u:p4ss@h/hunter22.tif": "truncated"}, counts={"hunter22": 1})
    watcher = made.watcher()
    watcher.follower.scrubber = Scrubber({"hunter22"})
    snap = watcher.refresh()
    page = Page(watcher.follower.scrubber.scrub)
    whole = page.whole(Seen(replace(snap), problem="storage: hunter22 was refused"))
    for text in (json.dumps(snap.to_json()), whole, json.dumps(page.parts(Seen(snap, problem="hunter22")))):
        assert "***" in text
        assert "hunter22" not in text
        assert "p4ss" not in text


def test_before_the_first_snapshot_the_page_says_what_it_waits_for(tmp_path: Path) -> None:
    page = Page(str)
    assert "Reading the ledger" in page.whole(Seen())
    assert "the bucket is away" in page.whole(Seen(problem="the bucket is away"))
