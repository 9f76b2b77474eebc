"""The loop: killed anywhere it comes to the same bits, and what goes wrong is rolled back once."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import distributed, multiprocessing

from operators.training.contract import Hardware
from operators.training.feeding import tensors
from operators.training.health import Limits, UnhealthyError
from operators.training.loop import OTHERS, End, Settings, train
from operators.training.packing import unpacked
from operators.training.together import ElsewhereError
from tests.operators.training.tiny_training import Killed, MemoryHooks, TinySamples, TinySchedule

SETTINGS = Settings(steps=23, batch=4, seed=3, log_every=3, checkpoint_every=5, samples_every=10)


def run(hooks: MemoryHooks, schedule: TinySchedule | None = None, settings: Settings = SETTINGS) -> End:
    return train(schedule or TinySchedule(), TinySamples(), settings, hooks)


@pytest.fixture(scope="module")
def undisturbed() -> MemoryHooks:
    hooks = MemoryHooks()
    assert run(hooks) == End("complete", 23, 23, ())
    return hooks


def test_rows_checkpoints_and_looks_come_when_they_are_due(undisturbed: MemoryHooks) -> None:
    assert sorted(undisturbed.kept) == [0, 5, 10, 15, 20, 23]
    assert [row["step"] for row in undisturbed.curve] == [3, 6, 9, 12, 15, 18, 21, 23]
    assert [row["samples"] for row in undisturbed.curve] == [12, 24, 36, 48, 60, 72, 84, 92]
    assert undisturbed.shown == [10, 20, 23]
    assert [done for done, _ in undisturbed.told] == list(range(1, 24))


def test_a_row_holds_means_over_its_steps() -> None:
    every, third = MemoryHooks(), MemoryHooks()
    run(every, settings=Settings(steps=6, batch=4, log_every=1))
    run(third, settings=Settings(steps=6, batch=4, log_every=3))
    singles = [row["content"] for row in every.curve]
    assert third.curve[0]["content"] == pytest.approx(np.mean(singles[:3]))
    assert third.curve[0]["penalty"] == pytest.approx(singles[1] ** 2)
    assert third.curve[1]["penalty"] == pytest.approx(np.mean([singles[3] ** 2, singles[5] ** 2]))


@pytest.mark.parametrize("moment", [1, 7, 10, 22])
def test_killed_at_any_step_it_comes_to_the_same_bits(undisturbed: MemoryHooks, moment: int) -> None:
    hooks = MemoryHooks()
    hooks.kill_after = moment
    with pytest.raises(Killed):
        run(hooks)
    assert run(hooks).state == "complete"
    assert hooks.kept == undisturbed.kept


@pytest.mark.parametrize("moment", [1, 7, 10, 22])
def test_told_to_stop_it_keeps_where_it_is_and_comes_to_the_same_bits(undisturbed: MemoryHooks, moment: int) -> None:
    hooks = MemoryHooks()
    hooks.stop_after = moment
    assert run(hooks) == End("interrupted", moment, moment, ())
    assert max(hooks.kept) == moment
    assert run(hooks) == End("complete", 23, 23 - moment, ())
    assert hooks.kept[23][0] == undisturbed.kept[23][0]
    assert hooks.curve == undisturbed.curve


def test_told_to_stop_at_its_last_step_it_is_complete() -> None:
    hooks = MemoryHooks()
    hooks.stop_after = 23
    assert run(hooks).state == "complete"


def test_a_complete_training_is_left_as_it_is(undisturbed: MemoryHooks) -> None:
    before = dict(undisturbed.kept)
    assert run(undisturbed) == End("complete", 23, 0, ())
    assert undisturbed.kept == before


def test_processes_that_make_samples_change_nothing(undisturbed: MemoryHooks) -> None:
    hooks = MemoryHooks()
    settings = Settings(**{**vars(SETTINGS), "data_workers": 1})
    run(hooks, settings=settings)
    assert hooks.kept == undisturbed.kept


def test_samples_come_by_number_and_never_twice() -> None:
    schedule = TinySchedule()
    run(MemoryHooks(), schedule, Settings(steps=3, batch=2))
    expected = [TinySamples().batch([2 * step, 2 * step + 1]) for step in range(3)]
    found = [values for _, values in schedule.seen]
    assert found == [batch["truth"][:, 0, 0, 0].tolist() for batch in expected]


@pytest.mark.parametrize("what", ["poisoned", "wrong_terms"])
def test_what_is_no_number_is_rolled_back_once(what: str) -> None:
    hooks, schedule = MemoryHooks(), TinySchedule()
    setattr(schedule, what, {12})
    end = run(hooks, schedule)
    assert end.state == "complete" and len(end.rollbacks) == 1
    (noted,) = [row for row in hooks.curve if "kind" in row]
    assert noted["kind"] == "rolled_back" and noted["step"] == 10
    assert "rolled back to step 10" in noted["text"] and end.rollbacks[0] in noted["text"]
    assert [row["step"] for row in hooks.curve] == [3, 6, 9, 10, 12, 15, 18, 21, 23]
    assert unpacked(hooks.kept[23][0])["loop"]["rollbacks"] == list(end.rollbacks)
    assert schedule.rate == pytest.approx(0.5e-2)


def test_after_a_rollback_there_are_other_samples() -> None:
    schedule = TinySchedule()
    schedule.wrong_terms = {12}
    run(MemoryHooks(), schedule)
    first, second = (number for step, number in schedule.drawn if step == 10)
    assert first != second, "what is drawn in a step is another as well"
    before, after = (values for step, values in schedule.seen if step == 10)
    assert before != after
    again = TinySamples().batch([OTHERS + 40 + number for number in range(4)])["truth"]
    assert after == again[:, 0, 0, 0].tolist()


def test_killed_after_a_rollback_it_comes_to_the_same_bits() -> None:
    def poisoned() -> TinySchedule:
        schedule = TinySchedule()
        schedule.wrong_terms = {12}
        return schedule

    calm, hooks = MemoryHooks(), MemoryHooks()
    run(calm, poisoned())
    for moment in (11, 17):
        hooks.kill_after = moment
        with contextlib.suppress(Killed):
            run(hooks, poisoned())
    run(hooks, poisoned())
    assert hooks.kept[23] == calm.kept[23]
    assert hooks.curve == calm.curve


def test_the_second_time_ends_it() -> None:
    hooks, schedule = MemoryHooks(), TinySchedule()
    schedule.poisoned = {12, 17}
    with pytest.raises(UnhealthyError, match=r"after step 20: .*not finite.*rolled back once already \(after step"):
        run(hooks, schedule)
    assert max(hooks.kept) == 15


def test_weights_that_are_no_numbers_are_never_kept() -> None:
    hooks, schedule = MemoryHooks(), TinySchedule()
    schedule.poisoned = {4}
    run(hooks, schedule, Settings(steps=10, batch=2, log_every=100, checkpoint_every=5))
    for files, _, _ in hooks.kept.values():
        assert all(bool(torch.isfinite(one).all()) for one in unpacked(files)["networks"]["generator"].values())


def test_a_rollback_goes_past_what_was_kept_while_it_went_wrong() -> None:
    class Rising(TinySchedule):
        def step(self, at, batch):  # type: ignore[no-untyped-def]
            terms = super().step(at, batch)
            high = 12 <= at.step < 20 and self.rate > 0.9e-2
            return {"content": terms["content"] * (100.0 if high else 1.0)}

    hooks = MemoryHooks()
    limits = Limits(far_rows=6)
    end = run(hooks, Rising(), Settings(steps=25, batch=2, log_every=1, checkpoint_every=5, limits=limits))
    assert "the term content has diverged" in end.rollbacks[0]
    (noted,) = [row for row in hooks.curve if "kind" in row]
    assert noted["step"] == 10, "the checkpoint of step 15 had been kept while the term was far off"


@pytest.mark.parametrize("told", [True, False])
def test_a_term_that_grows_with_a_phase_has_not_diverged(told: bool) -> None:
    class Game(TinySchedule):
        def phase(self, step: int) -> str:
            return "game" if told and step >= 12 else ""

        def step(self, at, batch):  # type: ignore[no-untyped-def]
            terms = super().step(at, batch)
            return {"content": terms["content"] * (100.0 if at.step >= 12 and self.rate > 0.9e-2 else 1.0)}

    hooks = MemoryHooks()
    end = run(hooks, Game(), Settings(steps=25, batch=2, log_every=1, checkpoint_every=5))
    assert bool(end.rollbacks) is not told


def test_an_impossible_share_is_refused() -> None:
    settings = Settings(steps=2, batch=3, hardware=Hardware(world=2))
    with pytest.raises(ValueError, match="a batch of 3 samples cannot be shared equally by 2 workers"):
        run(MemoryHooks(), settings=settings)


def test_what_networks_get() -> None:
    batch = TinySamples().batch([1, 2])
    found = tensors(batch, Hardware())
    assert found["truth"].shape == (2, 3, 8, 8) and found["truth"].dtype == torch.float32
    assert found["truth"][1, 2, 3, 4].item() == pytest.approx(batch["truth"][1, 3, 4, 2] / 127.5 - 1)
    assert found["mask"].shape == (2, 1, 8, 8) and set(found["mask"].unique().tolist()) == {0.0, 1.0}
    assert found["attributes"].tolist() == batch["attributes"].tolist()
    kept = found["attributes"].clone()
    batch["attributes"][:] = 0
    assert torch.equal(found["attributes"], kept), "a batch is valid until the next only, tensors are longer"


def _worker(rank: int, world: int, place: str) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{place}/meet", rank=rank, world_size=world)
    for name, wrong in (("calm", set()), ("poisoned", {7} if rank else set())):
        hooks, schedule = MemoryHooks(), TinySchedule()
        schedule.wrong_terms = set(wrong)
        hooks.stop_after = 5 if rank == 0 else None
        ends = [
            train(schedule, TinySamples(), Settings(**SHORT, hardware=Hardware(rank=rank, world=world)), hooks)
            for _ in range(2)
        ]
        assert [end.state for end in ends] == ["interrupted", "complete"], "one that is to stop stops all"
        assert bool(hooks.kept) == (rank == 0), "the first keeps for all"
        torch.save(
            (schedule.networks["generator"].state_dict(), hooks.curve, ends[-1].rollbacks), f"{place}/{name}{rank}.pt"
        )
    with pytest.raises(OSError if rank == 0 else ElsewhereError):
        train(TinySchedule(), TinySamples(), Settings(**SHORT, hardware=Hardware(rank=rank, world=world)), Full())
    distributed.barrier()  # one that ends while the other still leaves the group can take its threads down with it
    distributed.destroy_process_group()


SHORT = {"steps": 10, "batch": 4, "log_every": 2, "checkpoint_every": 4}


class Full(MemoryHooks):
    def keep(self, done, files, rows, *, sound):  # type: ignore[no-untyped-def]
        if done:
            raise OSError(28, "No space left on device")
        super().keep(done, files, rows, sound=sound)


def test_two_workers_come_to_what_one_comes_to(tmp_path: Path) -> None:
    multiprocessing.spawn(_worker, (2, str(tmp_path)), nprocs=2)
    for name, wrong in (("calm", set()), ("poisoned", {7})):
        (first, curve, rollbacks), (second, _, _) = (torch.load(tmp_path / f"{name}{rank}.pt") for rank in (0, 1))
        hooks, schedule = MemoryHooks(), TinySchedule()
        schedule.wrong_terms = set(wrong)
        hooks.stop_after = 5
        for _ in range(2):
            run(hooks, schedule, Settings(**SHORT))
        assert len(rollbacks) == len(wrong)
        for key, alone in schedule.networks["generator"].state_dict().items():
            assert torch.equal(first[key], second[key])
            torch.testing.assert_close(first[key], alone, rtol=1e-4, atol=1e-5)
        assert [row["step"] for row in curve] == [row["step"] for row in hooks.curve]
        numbers = [[row["content"] for row in rows if "content" in row] for rows in (curve, hooks.curve)]
        assert numbers[0] == pytest.approx(numbers[1], rel=1e-4)
