"""Metrics told to a Pushgateway when a command ends."""

from __future__ import annotations

import base64

from .conftest import GOOD, Desk, Receiver, free_port, parsed, value


def test_the_end_is_told_under_the_name_of_the_job(desk: Desk, receiver: Receiver) -> None:
    assert desk.call("run", desk.job("prints", observe={"pushgateway": receiver.url})).exit_code == 3
    ((method, path, _, body),) = receiver.got
    assert (method, path) == ("POST", "/metrics/job/prints")
    told = parsed(body.decode())
    assert value(told, "records", state="ok") == GOOD
    assert value(told, "last_run_exit_code") == 3
    assert value(told, "run_active") == 0


def test_user_and_password_of_the_url_go_as_basic_authentication_and_nowhere_else(
    desk: Desk, receiver: Receiver
) -> None:
    url = receiver.url.replace("http://", "http://nights:pass%40word@") + "/below"
    result = desk.call("run", desk.job(observe={"pushgateway": url}))
    ((_, path, headers, _),) = receiver.got
    assert path == "/below/metrics/job/job"
    assert headers["Authorization"] == "Basic " + base64.b64encode(b"nights:pass@word").decode()
    assert "pass%40word" not in result.output
    assert "pass@word" not in result.output


def test_a_gateway_that_refuses_or_is_not_there_is_said(desk: Desk, receiver: Receiver) -> None:
    receiver.status = 500
    result = desk.call("run", desk.job(observe={"pushgateway": receiver.url}))
    assert result.exit_code == 3
    assert f"observe.pushgateway: {receiver.url} did not take the metrics" in result.stderr.replace("\n", " ")
    nobody = f"http://u:hidden@127.0.0.1:{free_port()}"
    result = desk.call("run", desk.job("other", observe={"pushgateway": nobody}))
    assert result.exit_code == 3
    assert "did not take the metrics" in result.stderr.replace("\n", " ")
    assert "hidden" not in result.output
