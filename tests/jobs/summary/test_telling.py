"""Every way out of a command: signals, defects, nights without a run, storage that is gone."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from jobs.console import Output
from jobs.ended import Ended
from jobs.exits import Exit
from jobs.spec import Scrubber, Spec, load, secrets_of
from jobs.summary.bounded import TooLongError, within
from jobs.telling import Given, telling
from pipeline.driver import Outcome
from pipeline.errors import StorageError
from pipeline.run import Run, current_run
from pipeline.signals import Interrupted
from pipeline.storage import Folder
from pipeline.tally import tally_of
from tests.jobs.small_job import SmallJob

NIGHT = {
    "number": 41,
    "listed": 1310,
    "due": {"new": 0, "changed": 0, "failed": 0, "outdated": 0, "resumed": 0},
    "planned": 0,
    "carried_over": 0,
    "unchanged": 1305,
    "deleted": 5,
    "returned": 0,
    "done": 0,
    "quarantined": 0,
    "why_ended": "",
}


@pytest.fixture
def job(prints: SmallJob, monkeypatch: pytest.MonkeyPatch) -> Spec:
    monkeypatch.setenv("STORE_SECRET", "w8Kd-93js-LmQ2")
    return load(prints.write(notify={"summary": "told"}, source={"storage_options": {"token": "${STORE_SECRET}"}}))


def told(prints: SmallJob) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((prints.root / "told/summary.json").read_text())
    return found


def tell(job: Spec, prints: SmallJob, ended: Ended | BaseException) -> Exit:
    def work() -> Ended:
        if isinstance(ended, BaseException):
            raise ended
        return ended

    return telling(job, Given(("run",), str(prints.path)), work, Output(Scrubber(secrets_of(job))))


def finished(prints: SmallJob) -> Run:
    prints.write()
    prints.call("run")
    run = current_run(Folder(str(prints.root / "out")))
    assert run is not None
    for path in Path(run.folder.uri).glob("summary.*"):
        path.unlink()
    return run


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), Interrupted()])
def test_a_signal_is_told_and_passed_on(job: Spec, prints: SmallJob, stop: BaseException) -> None:
    with pytest.raises(type(stop)):
        tell(job, prints, stop)
    made = told(prints)
    assert made["exit"]["name"] == "INTERRUPTED"
    assert made["headline"] == "interrupted"
    assert made["next"][0]["command"] == f"facejobs run {prints.path}"


def test_a_defect_is_told_without_secrets_and_passed_on(
    job: Spec, prints: SmallJob, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ZeroDivisionError):
        tell(job, prints, ZeroDivisionError("divided w8Kd-93js-LmQ2 by nothing"))
    assert told(prints)["exit"]["name"] == "FAILED"
    for path in (prints.root / "told").iterdir():
        assert "divided *** by nothing" in path.read_text()
        assert "w8Kd" not in path.read_text()
    captured = capsys.readouterr()
    assert "w8Kd" not in captured.out + captured.err


def test_storage_that_cannot_be_reached(job: Spec, prints: SmallJob) -> None:
    with pytest.raises(StorageError):
        tell(job, prints, StorageError("s3://museum: no answer"))
    made = told(prints)
    assert made["exit"]["code"] == Exit.STORAGE
    assert "s3://museum: no answer" in made["message"]
    assert made["next"] == [{"why": "Once storage answers", "command": f"facejobs run {prints.path}"}]


def test_a_night_with_nothing_to_do(job: Spec, prints: SmallJob) -> None:
    assert tell(job, prints, Ended(Exit.DONE, night=NIGHT)) == Exit.DONE
    made = told(prints)
    assert made["headline"] == "nothing to do"
    assert made["worked"] is False
    assert made["night"] == NIGHT
    assert not (prints.root / "out").exists()
    text = (prints.root / "told/summary.txt").read_text()
    assert "night 41:\n  1,310 listed: nothing due\n  5 deleted at the source; 1,305 unchanged\n" in text


def test_a_night_that_its_hours_ended(job: Spec, prints: SmallJob) -> None:
    run = finished(prints)
    night = NIGHT | {
        "due": {"new": 3, "changed": 2, "failed": 0, "outdated": 0, "resumed": 1},
        "planned": 6,
        "carried_over": 120,
        "done": 4,
        "why_ended": "time",
    }
    outcome = Outcome("time_up", tally_of(run), 2, "the time that it was given is over; 1 units were not begun")
    assert tell(job, prints, Ended(Exit.DONE, run, outcome, night)) == Exit.DONE
    made = json.loads((Path(run.folder.uri) / "summary.json").read_text())
    assert made == told(prints)
    assert made["tone"] == "open"
    text = (prints.root / "told/summary.txt").read_text()
    assert "1,310 listed: 3 new, 2 changed, 1 left from the night before\n" in text
    assert "5 deleted at the source; 1,305 unchanged; 120 carried over to the next night\n" in text
    assert "4 done, 0 in quarantine\n" in text
    assert "ended because its hours are used up" in text


def test_a_night_that_only_finished_the_one_before(job: Spec, prints: SmallJob) -> None:
    run = finished(prints)
    night = NIGHT | {"due": {"resumed": 4}, "done": 4, "deleted": 0, "warnings": ["most of the source is gone"]}
    assert tell(job, prints, Ended(Exit.DONE, run, None, night)) == Exit.DONE
    made = json.loads((Path(run.folder.uri) / "summary.json").read_text())
    assert made["worked"] is True
    text = (prints.root / "told/summary.txt").read_text()
    assert "1,310 listed: 4 left from the night before\n" in text
    assert "warning: most of the source is gone\n" in text


def test_a_night_whose_hours_were_over_before_it_listed(job: Spec, prints: SmallJob) -> None:
    tell(job, prints, Ended(Exit.DONE, None, None, {"number": 3, "listed": None, "due": {}, "why_ended": "time"}))
    assert "the source was not listed: nothing due\n" in (prints.root / "told/summary.txt").read_text()


def test_storage_that_went_away_is_not_written_to(job: Spec, prints: SmallJob) -> None:
    run = finished(prints)
    outcome = Outcome("storage", tally_of(run), 1, "s3://museum: no answer")
    assert tell(job, prints, Ended(Exit.STORAGE, run, outcome)) == Exit.STORAGE
    assert not list(Path(run.folder.uri).glob("summary.*"))
    made = told(prints)
    assert made["state"] == "storage"
    assert made["run"]["bytes"]["out"] is None  # the ledger was not asked again
    assert made["run"]["records"]["planned"] == 5


def test_an_interrupted_run_has_a_summary(job: Spec, prints: SmallJob) -> None:
    run = finished(prints)
    outcome = Outcome("interrupted", tally_of(run), 1, "stopped by a signal; units in flight were finished first")
    assert tell(job, prints, Ended(Exit.INTERRUPTED, run, outcome)) == Exit.INTERRUPTED
    assert json.loads((Path(run.folder.uri) / "summary.json").read_text())["state"] == "interrupted"


def test_a_signal_during_the_telling_keeps_the_exit_code(
    job: Spec, prints: SmallJob, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: Any) -> None:
        raise Interrupted

    monkeypatch.setattr("jobs.telling.write_summary", stopped)
    assert tell(job, prints, Ended(Exit.DONE)) == Exit.DONE
    assert "not written" in capsys.readouterr().err


def test_a_call_is_left_behind_when_its_time_is_over() -> None:
    never = threading.Event()
    with pytest.raises(TooLongError):
        within(0.05, never.wait)
    never.set()
    assert within(10.0, lambda: 7) == 7
    with pytest.raises(KeyError):
        within(10.0, lambda: {}["missing"])
