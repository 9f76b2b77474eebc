"""Searches against a small PGGAN: what is found, how it equals plain single-code inversion, and how it ends."""

from __future__ import annotations

import gc
import io
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from operators.inversion.beginning import first
from operators.inversion.noise import Noise
from operators.inversion.objective import Objective, Observation
from operators.inversion.options import SearchOptions
from operators.inversion.priors.pggan import PgganPrior
from operators.inversion.search import search
from operators.inversion.state import State
from operators.inversion.stepping import Stepper
from operators.inversion.steps import Grey, Resize
from operators.networks.pggan.network import Pggan
from tests.operators.inversion.small_priors import WIDTH, found, made_by, objective, pggan, psnr

ONE = SearchOptions(importance="full", iterations=300, learning_rate=0.1)
MANY = SearchOptions(codes=10, layer=3, iterations=150, learning_rate=0.1)


@pytest.mark.parametrize("network", [0, 1, 2])
def test_one_code_finds_what_the_prior_made(network: int) -> None:
    prior = pggan(network)
    target = made_by(prior, 20, 3)
    made, pictures = found(prior, objective(target), ONE, tries=True)
    assert psnr(pictures, target).min() >= 30.0
    assert [state.ended for state in made.states] == ["iterations"] * 3


@pytest.mark.parametrize("network", [0, 1])
def test_ten_codes_beat_one_and_twenty_beat_ten_on_what_the_prior_did_not_make(network: int) -> None:
    prior = pggan(network)
    target = made_by(pggan(network + 10), 20, 2).clamp(-1, 1)
    gained = {}
    for codes in (1, 10, 20):
        options = ONE if codes == 1 else replace(MANY, codes=codes, layer=4)
        gained[codes] = float(psnr(found(prior, objective(target), options)[1], target).mean())
    print({codes: round(value, 2) for codes, value in gained.items()})
    assert gained[10] > gained[1] + 3.0
    assert gained[20] > gained[10]


def test_one_code_of_full_importance_is_single_code_inversion_step_for_step() -> None:
    prior = pggan(3)
    target = made_by(prior, 21, 1)
    goal = objective(target, (Grey(), Resize(2.0)))
    options = replace(ONE, iterations=25, schedule="constant", layer=3)
    start = first(prior, options, 7)
    z = torch.from_numpy(start.codes.copy()).requires_grad_()
    adam = torch.optim.Adam([z], lr=options.learning_rate)
    stepper = Stepper(prior, goal, [start], options, compiled=True)
    for _ in range(options.iterations):
        adam.zero_grad()
        loss = goal(prior.generate(z, "z")).total.sum()
        loss.backward()
        adam.step()
        assert stepper.step(options.rate(0))[0].item() == loss.item()
        assert torch.equal(torch.from_numpy(stepper.states([start], 1)[0].codes), z.detach())
    with torch.no_grad():
        assert torch.equal(stepper.pictures(), prior.generate(z, "z"))


def test_a_single_code_begins_with_the_nearest_of_several() -> None:
    prior = pggan(3)
    target = made_by(prior, 21, 1)
    goal = objective(target)
    with torch.no_grad():
        drawn = prior.start(16, "z", torch.Generator().manual_seed(7))
        losses = (prior.generate(drawn, "z") - target).square().mean((1, 2, 3))
    chosen = first(prior, replace(ONE, trial=0), 7, goal).codes
    assert (chosen == drawn[losses.argmin()][None].numpy()).all()
    many = replace(MANY, starts=16)
    assert (first(prior, many, 7, goal).codes == first(prior, many, 7).codes).all()


def test_a_single_code_begins_with_the_best_of_several_trials() -> None:
    prior = pggan(3)
    goal = objective(made_by(prior, 21, 1))
    options = replace(ONE, starts=5, trial=12)
    drawn = prior.start(5, "z", torch.Generator().manual_seed(7))
    short = replace(options, iterations=12, checkpoint=0)
    ends = []
    for code in drawn:
        begun = replace(first(prior, options, 0), codes=code[None].numpy().copy())
        ends.append(search(prior, goal, [begun], short).states[0].codes)
    with torch.no_grad():
        losses = [goal(prior.generate(torch.from_numpy(end), "z")).total.item() for end in ends]
    begun = first(prior, options, 7, goal)
    assert (begun.codes == ends[int(np.argmin(losses))]).all()
    assert (begun.iteration, begun.ended) == (0, None)
    assert not begun.codes_mean.any()


def test_trials_find_the_way_where_many_valleys_lie_between() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(13)
        network = Pggan(16, z_space_dim=64, fmaps_base=256, fmaps_max=16)
    prior = PgganPrior(network.eval().requires_grad_(False))
    target = made_by(prior, 20, 3)
    lost = {}
    for trial in (0, 30):
        reached = psnr(found(prior, objective(target), replace(ONE, trial=trial), tries=True)[1], target)
        lost[trial] = int((reached < 30.0).sum())
    assert lost[0] > lost[30] == 0


def test_every_code_begins_with_its_share_of_the_importance() -> None:
    state = first(pggan(3), replace(MANY, codes=4), 7)
    assert state.codes.shape == (4, WIDTH)
    assert len({row.tobytes() for row in state.codes}) == 4
    assert state.alpha.shape == (4, pggan(3).channels(MANY.layer))
    assert (state.alpha == 0.25).all()
    assert (first(pggan(3), replace(MANY, codes=4), 8).codes != state.codes).all()


def test_codes_of_a_sphere_stay_on_it() -> None:
    prior = pggan(0)
    made, _ = found(prior, objective(made_by(prior, 20, 1)), replace(ONE, sphere=True, iterations=5))
    assert np.linalg.norm(made.states[0].codes[0]) == pytest.approx(math.sqrt(WIDTH), rel=1e-5)
    free, _ = found(prior, objective(made_by(prior, 20, 1)), replace(ONE, iterations=5))
    assert abs(np.linalg.norm(free.states[0].codes[0]) - math.sqrt(WIDTH)) > 1e-3


def test_a_search_goes_on_from_any_state_to_the_same_bits() -> None:
    prior = pggan(1)
    target = made_by(pggan(11), 20, 1).clamp(-1, 1)
    options = replace(MANY, codes=3, iterations=45, window=20, checkpoint=15, early_stop=1e-9)
    kept: list[State] = []
    goal = objective(target)
    whole = search(prior, goal, [first(prior, options, 5)], options, lambda states: kept.append(states[0])).states[0]
    assert [state.iteration for state in kept] == [15, 30, 45]
    for state in kept[:2]:
        again = State.from_bytes(state.to_bytes())
        assert again is not None
        rest = search(prior, goal, [again], options)
        assert rest.done == 45 - state.iteration
        assert rest.states[0].to_bytes() == whole.to_bytes()
    assert kept[2].to_bytes() == whole.to_bytes()


def test_bytes_that_are_no_state_are_not_taken_for_one() -> None:
    state = first(pggan(1, side=8, width=4, most=4), replace(MANY, codes=2), 5)
    data = state.to_bytes()
    assert State.from_bytes(data[: len(data) // 2]) is None
    assert State.from_bytes(b"") is None
    assert State.from_bytes(b"not a state at all") is None
    array = io.BytesIO()
    np.save(array, state.codes)
    assert State.from_bytes(array.getvalue()) is None
    for place in range(len(data)):
        for bit in (0x01, 0x08, 0x40):
            spoilt = State.from_bytes(data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :])
            assert spoilt is None or spoilt.to_bytes() == data


def test_parts_of_the_codes_at_a_time_find_the_same() -> None:
    prior = pggan(1)
    goal = objective(made_by(pggan(11), 20, 1).clamp(-1, 1))
    options = replace(MANY, codes=6, iterations=10)
    at_once, in_parts = (found(prior, goal, replace(options, chunk=chunk))[1] for chunk in (0, 4))
    assert torch.allclose(at_once, in_parts, atol=2e-3)


def test_faces_of_a_batch_do_not_meet() -> None:
    prior = pggan(1)
    target = made_by(pggan(11), 20, 3).clamp(-1, 1)
    options = replace(MANY, codes=3, iterations=12)
    _, together = found(prior, objective(target), options)
    _, alone = found(prior, objective(target[1:2]), options, seed=101)
    assert torch.allclose(together[1:2], alone, atol=1e-3)


def test_what_no_longer_improves_ends() -> None:
    prior = pggan(0)
    goal = objective(made_by(pggan(10), 20, 2).clamp(-1, 1))
    options = replace(ONE, iterations=400, window=20, early_stop=0.02)
    made, _ = found(prior, goal, options)
    assert {state.ended for state in made.states} == {"early_stop"}
    assert all(state.iteration % 20 == 0 and state.iteration < 400 for state in made.states)


def test_only_noise_is_left() -> None:
    prior = pggan(2)
    clean = made_by(prior, 22, 1)
    clean = clean / clean.abs().amax((1, 2, 3), keepdim=True)
    noise = Noise("gaussian", 0.15)
    light = ((clean[0] + 1) / 2).permute(1, 2, 0).numpy()
    noisy = torch.from_numpy(noise.added(light, np.random.default_rng(1))).permute(2, 0, 1)[None] * 2 - 1
    options = replace(MANY, layer=4, iterations=400)
    observation = Observation((), 16, None, clean.new_zeros(()))
    made, pictures = found(prior, Objective(observation, noisy, noise=noise), options)
    assert made.states[0].ended == "noise_level"
    _, to_the_end = found(prior, Objective(observation, noisy), options)
    assert psnr(pictures, clean)[0] > psnr(noisy, clean)[0] + 1.0
    assert psnr(pictures, clean)[0] > psnr(to_the_end, clean)[0] + 1.0


def test_time_that_is_up_ends_a_search() -> None:
    prior = pggan(0)
    goal = objective(made_by(prior, 20, 1))
    times = iter(range(1000))
    options = replace(ONE, seconds=7.0)
    made = search(prior, goal, [first(prior, options, 1)], options, clock=lambda: float(next(times)))
    assert made.states[0].ended == "seconds"
    assert made.states[0].iteration == 7


def test_memory_does_not_grow_with_iterations() -> None:
    prior = pggan(0)
    goal = objective(made_by(prior, 20, 1))
    options = replace(MANY, codes=4, iterations=120, checkpoint=40, window=10)
    objects: list[int] = []
    held: list[int] = []

    def keep(_states: object) -> None:
        gc.collect()
        living = gc.get_objects()
        objects.append(len(living))
        held.append(sum(one.nbytes for one in living if type(one) is torch.Tensor))

    search(prior, goal, [first(prior, options, 1)], options, keep)
    assert len(held) == 3
    assert held[2] == held[1] == held[0]
    assert abs(objects[2] - objects[1]) < 40  # one for each iteration would be 40


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"codes": 0}, "codes"),
        ({"codes": 2, "importance": "full"}, "full"),
        ({"space": "w", "sphere": True}, "sphere"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"early_stop": 1.0}, "early_stop"),
        ({"seconds": 0.0}, "seconds"),
        ({"iterations": True}, "iterations"),
    ],
)
def test_settings_that_cannot_be(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        SearchOptions(**wrong)  # type: ignore[arg-type]


def test_the_rate_rises_and_falls() -> None:
    options = SearchOptions(iterations=100, learning_rate=2.0)
    rates = [options.rate(iteration) for iteration in range(100)]
    assert rates[0] == pytest.approx(0.4)
    assert rates[4] == rates[50] == 2.0
    assert 0.0 < rates[99] < 0.02
    assert {replace(options, schedule="constant").rate(iteration) for iteration in range(100)} == {2.0}
