"""pix2pix in training: what it learns, what its terms are, its dropout, and that it goes on exactly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from operators.networks import from_state_dict
from operators.networks.pix2pix.network import Pix2Pix
from operators.training.contract import Hardware
from operators.training.discriminators.patch import PatchDiscriminator
from operators.training.draws import Draws
from operators.training.schedules.contract import Given
from operators.training.schedules.pix2pix.dropout import DrawnDropout, Dropouts
from operators.training.schedules.pix2pix.entry import ENTRY
from operators.training.schedules.pix2pix.options import Network, Objective, Schedule
from operators.training.schedules.pix2pix.schedule import Pix2PixSchedule
from tests.operators.training.schedules.tiny_faces import at, far, files, resumed, run
from tests.operators.training.schedules.tiny_pictures import HELD_OUT, SIDE, moments, shapes, trained

# Dropout is in all levels but the innermost and the outermost four: with six there is one of it.
LEVELS, LARGE = 6, 64
TINY = Network(size=SIDE, levels=5, width=4, judge_width=4, judge_layers=2)
DROPPING = Network(size=LARGE, levels=LEVELS, width=4, judge_width=4, judge_layers=2)
HERE, PAPER = Hardware(), Objective()
SHORT = Schedule(steps=6, batch=4, rate=1e-3, half_life=8.0)


def pairs(numbers: range, side: int = SIDE) -> dict[str, Tensor]:
    """Pictures, and their negatives with colours exchanged, half the contrast, and noise."""
    truth = shapes(numbers, side)
    noise = torch.randn(truth.shape, generator=torch.Generator().manual_seed(numbers.start))
    return {"degraded": (truth[:, [1, 2, 0]] * -0.5 + 0.1 * noise).clamp(-1, 1), "truth": truth}


def tiny(
    hardware: Hardware = HERE,
    network: Network = TINY,
    objective: Objective = PAPER,
    schedule: Schedule = SHORT,
    seed: int = 0,
    **starts: dict[str, Any],
) -> Pix2PixSchedule:
    made = ENTRY.build(Given(network, objective, schedule, hardware, seed=seed, starts=starts))
    assert isinstance(made, Pix2PixSchedule)
    return made


def careful(hardware: Hardware) -> Pix2PixSchedule:
    return tiny(hardware, replace(DROPPING, norm="batch"), schedule=replace(SHORT, rate=1e-4))


def other_weights(hardware: Hardware) -> Pix2PixSchedule:
    return tiny(hardware, replace(DROPPING, norm="batch"), schedule=replace(SHORT, rate=1e-4), seed=9)


@pytest.mark.parametrize("game", ["logistic", "least_squares"])
def test_it_beats_the_identity_where_nobody_trained_it(game: Any) -> None:
    settings = Schedule(steps=120, batch=2, rate=2e-3)
    schedule = tiny(network=replace(TINY, width=8), objective=Objective(game=game), schedule=settings)
    rows = trained(schedule, 120, 2, pairs)
    assert np.mean([row["content"] for row in rows[-20:]]) < 0.6 * np.mean([row["content"] for row in rows[:20]])
    shown = schedule.shown(pairs(HELD_OUT))
    identity, made = (float((shown[name] - shown["truth"]).abs().mean()) for name in ("given", "made"))
    assert made < 0.4 * identity


def by_hand(schedule: Pix2PixSchedule, batch: dict[str, Tensor], game: str) -> tuple[dict[str, Tensor], nn.Module]:
    plain = Pix2Pix(num_downs=5, ngf=4, norm="instance")
    judge = PatchDiscriminator(6, 4, 2, "instance")
    plain.load_state_dict(schedule.networks["generator"].state_dict())
    judge.load_state_dict(schedule.networks["discriminator"].state_dict())
    made = plain(batch["degraded"])
    fooled = judge(torch.cat([batch["degraded"], made], 1))
    real = judge(torch.cat([batch["degraded"], batch["truth"]], 1))
    terms = {"content": (made - batch["truth"]).abs().mean()}
    if game == "logistic":
        terms["adversarial"] = -torch.log(torch.sigmoid(fooled)).mean()
        against = -torch.log(torch.sigmoid(real)).mean() - torch.log(1 - torch.sigmoid(fooled)).mean()
    else:
        terms["adversarial"] = ((fooled - 1) ** 2).mean()
        against = ((real - 1) ** 2).mean() + (fooled**2).mean()
    return terms | {"discriminator": against / 2}, plain


@pytest.mark.parametrize("game", ["logistic", "least_squares"])
def test_terms_and_gradients_by_hand(game: Any) -> None:
    schedule = tiny(objective=Objective(30.0, 2.0, game))
    batch = pairs(range(4))
    terms, plain = by_hand(schedule, batch, game)
    last = "model.model.3.weight"
    (slope,) = torch.autograd.grad(30.0 * terms["content"] + 2.0 * terms["adversarial"], plain.get_parameter(last))
    told = schedule.step(at(0), batch)
    assert told.keys() == terms.keys()
    for name, value in terms.items():
        assert not told[name].requires_grad
        assert float(told[name]) == pytest.approx(value.item(), rel=1e-4), name
    place = [name for name, _ in plain.named_parameters()].index(last)
    moments = schedule.state()["generator"]["optimiser"]["state"][place]["exp_avg"]
    torch.testing.assert_close(moments, 0.5 * slope, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("name", ["content", "adversarial"])
def test_every_term_is_wired_in(name: str) -> None:
    batch = pairs(range(4))
    full = Objective(content=1.0)
    some, without = (tiny(objective=one) for one in (full, replace(full, **{name: 0.0})))
    run(some, batch, 0, 1)
    run(without, batch, 0, 1)
    assert ("discriminator" in without.networks) == (name != "adversarial")
    one, other = (schedule.networks["generator"].state_dict() for schedule in (some, without))
    assert far(one, other) > 1e-6


def test_dropout_is_drawn_by_the_step() -> None:
    made = Pix2Pix(num_downs=LEVELS + 1, ngf=2, use_dropout=True)
    names = list(made.state_dict())
    dropouts = Dropouts(made, 3)
    found = [one for one in made.modules() if isinstance(one, DrawnDropout)]
    assert len(found) == 2
    assert list(made.state_dict()) == names
    assert not any(isinstance(one, nn.Dropout) for one in made.modules())
    like = torch.zeros(8, 3, 128, 128)
    whole = dropouts.draw(Draws(1, 5), like, 1)[0]
    assert [tuple(one.shape) for one in whole] == [(8, 16, 4, 4), (8, 16, 8, 8)]
    for one in whole:
        assert set(one.unique().tolist()) == {0.0, 2.0}
        assert float(one.mean()) == pytest.approx(1.0, abs=0.1)
    assert all(
        torch.equal(one, other) for one, other in zip(whole, dropouts.draw(Draws(1, 5), like, 1)[0], strict=True)
    )
    assert not torch.equal(whole[0], dropouts.draw(Draws(1, 6), like, 1)[0][0])
    parts = dropouts.draw(Draws(1, 5), like, 2)
    workers = [dropouts.draw(Draws(1, 5, rank, 2), like[:4], 1)[0] for rank in range(2)]
    for number in range(2):
        assert all(
            torch.equal(one, part) for one, part in zip((one[number::2] for one in whole), parts[number], strict=True)
        )
        assert all(torch.equal(one, part) for one, part in zip(workers[number], parts[number], strict=True))


def test_dropout_drops() -> None:
    one = DrawnDropout(0.25)
    x = torch.randn(2, 3, 4, 4)
    with pytest.raises(RuntimeError, match="nothing was drawn"):
        one(x)
    one.factors = torch.full((2, 3, 4, 4), 4 / 3)
    torch.testing.assert_close(one(x), x * 4 / 3)
    assert one.eval()(x) is x
    batch = pairs(range(4), LARGE)
    some, without = (tiny(network=replace(DROPPING, dropout=dropout)) for dropout in (True, False))
    rows = run(some, batch, 0, 1), run(without, batch, 0, 1)
    assert float(rows[0][0]["content"]) != float(rows[1][0]["content"])
    shown = [schedule.shown(batch)["made"] for schedule in (some, some)]
    assert torch.equal(*shown), "what is exported drops nothing"


def test_goes_on_exactly() -> None:
    batch = pairs(range(4), LARGE)
    whole = careful(Hardware())
    kept = {}
    for step in range(4):
        kept[step] = files(whole)
        run(whole, batch, step, step + 1)
    for step in (1, 3):
        torch.manual_seed(step)
        again = resumed(other_weights, kept[step])
        run(again, batch, step, 4)
        assert files(again) == files(whole)


def test_parts_of_a_batch_make_one_step() -> None:
    batch = pairs(range(4), LARGE)
    one, other = (tiny(network=DROPPING, schedule=replace(SHORT, rate=1e-4, accumulate=k)) for k in (1, 2))
    for step in range(3):
        first, second = (run(schedule, batch, step, step + 1)[0] for schedule in (one, other))
        assert {name: float(value) for name, value in first.items()} == pytest.approx(
            {name: float(value) for name, value in second.items()}, rel=1e-3
        )
    for player in ("generator", "discriminator"):
        expected = moments(one, player)
        torch.testing.assert_close(moments(other, player), expected, rtol=2e-2, atol=2e-3 * float(expected.abs().max()))


@pytest.mark.parametrize("norm", ["instance", "batch"])
@pytest.mark.parametrize("half_life", [0.0, 8.0])
def test_exports_are_recognised(norm: Any, half_life: float) -> None:
    schedule = tiny(network=replace(DROPPING, norm=norm), schedule=replace(SHORT, half_life=half_life))
    batch = pairs(range(4), LARGE)
    run(schedule, batch, 0, 3)
    (exported,) = schedule.exports().values()
    assert (exported is schedule.networks["generator"]) == (half_life == 0)
    again = from_state_dict(exported.state_dict())
    shown = schedule.shown(batch)
    assert torch.equal(shown["given"], batch["degraded"])
    with torch.no_grad():
        torch.testing.assert_close(again(batch["degraded"]), shown["made"], rtol=1e-4, atol=1e-4)
    assert schedule.networks["generator"].training, "a look changes nothing"


def test_other_hardware_gives_about_the_same() -> None:
    batch = pairs(range(4), LARGE)
    usual, half, laid = (
        run(tiny(one, network=DROPPING), batch, 0, 2)
        for one in (Hardware(), Hardware(precision="bf16"), Hardware(channels_last=True))
    )
    for number, row in enumerate(usual):
        for name, value in row.items():
            assert float(half[number][name]) == pytest.approx(float(value), rel=0.1)
            assert float(laid[number][name]) == pytest.approx(float(value), rel=1e-2)
    assert half != usual


def test_starts_and_rates() -> None:
    other = tiny()
    run(other, pairs(range(4)), 0, 2)
    state = other.networks["generator"].state_dict()
    started = tiny(generator=state)
    assert far(started.networks["generator"].state_dict(), state) == 0
    with pytest.raises(ValueError, match="generator"):
        tiny(network=replace(TINY, width=8), generator=state)
    with pytest.raises(ValueError, match="features"):
        tiny(features={})
    other.slower(0.5)
    again = resumed(tiny, files(other))
    run(again, pairs(range(4)), 0, 1)
    for name in ("generator", "discriminator"):
        assert again.state()[name]["optimiser"]["param_groups"][0]["lr"] == pytest.approx(0.5e-3)
    assert [Schedule().factor(step) for step in (0, 39_999, 60_000)] == pytest.approx([1.0, 1.0, 0.5])


def test_weights_begin_as_the_authors_do() -> None:
    schedule = tiny(network=replace(TINY, norm="batch", width=16))
    kernels = [one for one in schedule.networks["generator"].parameters() if one.dim() > 1]
    assert len(kernels) == 2 * TINY.levels
    assert all(0.015 < one.std().item() < 0.025 for one in kernels)
    assert not schedule.networks["generator"].get_parameter("model.model.3.bias").any()
    norm = next(one for one in schedule.networks["generator"].modules() if isinstance(one, nn.BatchNorm2d))
    assert 0.95 < norm.weight.mean().item() < 1.05


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (lambda: Network(levels=4, size=16), "levels is 4"),
        (lambda: Network(size=100), "size is 100"),
        (lambda: Network(norm="none"), "norm is 'none'"),
        (lambda: Network(width=0), "width is 0"),
        (lambda: Network(size=32, levels=5, judge_layers=4), "judge_layers is 4"),
        (lambda: Objective(content=-1.0), "content is -1"),
        (lambda: Objective(0.0, 0.0), "content is 0"),
        (lambda: Objective(game="other"), "game is 'other'"),
    ],
)
def test_what_cannot_be_is_refused(settings: Any, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        settings()
