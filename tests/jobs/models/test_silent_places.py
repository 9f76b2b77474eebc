"""Places that do not answer, or refuse: said, told from absence, and given up in time."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tiny_models as tiny
from tenacity import stop_after_attempt

from jobs.models.errors import NotFetchedError
from jobs.models.pull import Wish, pull
from jobs.models.remote import Remote
from operators.models.cache import Cache

NAME = "gpen-bfr-256"
FILE = "GPEN-BFR-256.pth"


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def test_a_place_that_does_not_answer_is_said_and_given_up(
    cache: Cache, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Remote.state.retry, "stop", stop_after_attempt(2))
    place = "http://127.0.0.1:9/x"
    with pytest.raises(NotFetchedError, match="Cannot connect") as caught:
        pull(cache, Wish(NAME, f"{place}?token=hunter2"))
    assert str(caught.value).count(place) == 1, "the other layouts are in the same storage"
    assert f"{place}/{FILE}: " in caplog.text
    assert "trying again in" in caplog.text
    assert "hunter2" not in caplog.text + str(caught.value)


@pytest.mark.parametrize(
    ("tries", "seconds", "ends"), [(1, 0.5, False), (2, 8.0, False), (3, 25.0, True), (6, 1.0, True)]
)
def test_a_look_is_not_drawn_out_by_a_client_with_retries_of_its_own(tries: int, seconds: float, ends: bool) -> None:
    waited = SimpleNamespace(attempt_number=tries, seconds_since_start=seconds)
    assert Remote.state.retry.stop(waited) is ends


def test_a_web_servers_refusal_is_no_absence(web: Any, cache: Cache, tmp_path: Path) -> None:
    content = tiny.save(tmp_path / FILE, "gpen", 256).read_bytes()
    web.files[f"/{FILE}"] = content
    web.refused.add(f"/{FILE}")
    with pytest.raises(NotFetchedError, match="403"):
        pull(cache, Wish(NAME, web.url))
    web.files[f"/{NAME}/{FILE}"] = content
    assert pull(cache, Wish(NAME, web.url)).path.read_bytes() == content
