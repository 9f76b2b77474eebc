"""The protocol of the ledger is held to what `ledger_model` says, and each of several ways to break it is seen."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from pipeline import layout, marks
from pipeline.errors import LedgerError
from pipeline.ledger import Commit, Ledger
from pipeline.remains import Remains

from .ledger_model import FATES, RULES, LedgerModel
from .simulated import Call, SimFolder

# A process that is killed leaves its spool to the garbage collector, as it should.
pytestmark = pytest.mark.filterwarnings("ignore:Unclosed file:ResourceWarning")

STEPS = 10_000
EXAMPLES = 140


@pytest.fixture(autouse=True)
def in_a_row(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Storage calls of a process one after the other, and no wait for what a worker sets up for numbers."""

    def fetched(fetch: Any, names: Iterable[Any]) -> Iterator[Any]:
        return map(fetch, names)

    for module in ("ledger", "parts", "gc", "remains"):
        monkeypatch.setattr(f"pipeline.{module}.fetched", fetched)
    monkeypatch.setattr("pipeline.worker.threadpool_limits", lambda **_: None, raising=False)
    yield
    marks.clock = time.time


def play(model: type[LedgerModel], examples: int = EXAMPLES) -> None:
    run_state_machine_as_test(
        model,
        settings=settings(
            max_examples=examples,
            stateful_step_count=RULES,
            deadline=None,
            derandomize=True,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        ),
    )


def test_nothing_is_lost_or_doubled_whatever_happens_between_two_calls() -> None:
    LedgerModel.steps = 0
    LedgerModel.seen.clear()
    play(LedgerModel)
    print(LedgerModel.steps, dict(sorted(LedgerModel.seen.items())))
    assert LedgerModel.steps >= STEPS
    # The schedules reach what they are about.
    ends = ("done", "lost", "already", "storage")
    reached = {f"worker: {end}" for end in ends} | {"driver: complete", "gc: done", "gc: RunAliveError", "retry: done"}
    assert {*FATES, *reached} <= set(LedgerModel.seen)


# The model can see: broken in each of these ways, the protocol fails it.


class Hasty(SimFolder):
    """Outputs reach the store only after the commit that names them."""

    def _do(self, verb: str, name: str, data: bytes = b"") -> Any:
        held: list[tuple[str, bytes]] = self.process.__dict__.setdefault("held", []) if self.process else []
        if verb == "write" and self.process and layout.HOME not in self.path(name):
            held.append((self.path(name), data))
            return True
        answer = super()._do(verb, name, data)
        if verb == "create" and name.startswith(layout.COMMITS):
            while held:
                self.process.ask(Call("write", *held.pop()))
        return answer


def befallen_by(*fates: str, starts: Sequence[str] = ("worker",)) -> type[LedgerModel]:
    """A model in which only these are started and only this befalls calls: what needs no more is met sooner."""
    return type("Befallen", (LedgerModel,), {"fates": ["well"] * 10 + [*fates], "starts": starts, "graces": [0.0]})


class HastyModel(LedgerModel):
    folders = Hasty


def test_commits_before_outputs_are_seen() -> None:
    with pytest.raises((AssertionError, LedgerError), match=r"a commit names it and it is gone|is missing"):
        play(HastyModel)


def test_a_lost_reply_that_is_taken_for_a_lost_race_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ledger, "_put", lambda ledger, name, data, token: ledger._folder.create(name, data))
    with pytest.raises(AssertionError, match="a commit names it and it is gone"):
        play(befallen_by("lost, tried again"))


def test_taking_back_what_an_unsure_commit_names_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    commit_as_it_is = Ledger.commit

    def commit(ledger: Ledger, commit: Commit) -> bool:
        try:
            return commit_as_it_is(ledger, commit)
        except OSError:
            for part in commit.tables:
                ledger._folder.delete(part.path)
            raise

    monkeypatch.setattr(Ledger, "commit", commit)
    with pytest.raises(AssertionError, match="a commit names it and it is gone"):
        play(befallen_by("lost, error"))


def test_garbage_collection_that_asks_for_no_marks_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.gc._refuse_if_alive", lambda remains: None)
    monkeypatch.setattr(Remains, "undecided", lambda remains, owner: None)
    with pytest.raises(AssertionError, match="a commit names it and it is gone"):
        play(befallen_by("well", starts=("worker", "gc")))
