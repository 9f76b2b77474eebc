"""SRGAN in training: what it learns, what its terms are, and that it goes on exactly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from operators.features import perceptual_distance, sface_features
from operators.networks import from_state_dict
from operators.networks.srresnet.network import SrResNet
from operators.networks.vgg16.network import Vgg16
from operators.training.contract import Hardware
from operators.training.discriminators.vgg import VggDiscriminator
from operators.training.schedules.contract import Given
from operators.training.schedules.srgan.entry import ENTRY
from operators.training.schedules.srgan.options import Network, Objective, Schedule
from operators.training.schedules.srgan.schedule import LAYERS, Srgan
from tests.operators.training.schedules.tiny_faces import at, far, files, resumed, run
from tests.operators.training.schedules.tiny_pictures import HELD_OUT, SIDE, moments, shapes, trained

TINY = Network(size=SIDE, enlargement=4, channels=8, blocks=1, judge_width=4, judge_hidden=8)
HERE, PAPER = Hardware(), Objective()
SHORT = Schedule(steps=6, batch=4, rate=1e-3, alone=2, half_life=8.0)


def pairs(numbers: range, times: int = 4) -> dict[str, Tensor]:
    truth = shapes(numbers)
    small = functional.interpolate(truth, scale_factor=1 / times, mode="bicubic", antialias=True).clamp(-1, 1)
    return {"degraded": small, "truth": truth}


def tiny(
    hardware: Hardware = HERE,
    network: Network = TINY,
    objective: Objective = PAPER,
    schedule: Schedule = SHORT,
    **starts: dict[str, Any],
) -> Srgan:
    made = ENTRY.build(Given(network, objective, schedule, hardware, starts=starts))
    assert isinstance(made, Srgan)
    return made


def careful(hardware: Hardware) -> Srgan:
    return tiny(hardware, schedule=replace(SHORT, rate=1e-4))


def test_pixels_alone_come_before_the_game() -> None:
    assert [tiny().phase(step) for step in range(4)] == ["alone", "alone", "game", "game"]


def test_it_beats_bicubic_where_nobody_trained_it() -> None:
    schedule = tiny(
        network=Network(
            size=SIDE, enlargement=2, form="modified", channels=16, blocks=2, judge_width=8, judge_hidden=16
        ),
        schedule=Schedule(steps=220, batch=4, rate=4e-3, alone=160),
    )
    eyes, held_out = sface_features(), pairs(HELD_OUT, 2)

    def distance(name: str) -> float:
        shown = schedule.shown(held_out)
        with torch.no_grad():
            return float(perceptual_distance(eyes, shown[name], shown["truth"]).mean())

    rows = trained(schedule, 160, 4, lambda numbers: pairs(numbers, 2))
    assert np.mean([row["pixel"] for row in rows[140:]]) < 0.75 * np.mean([row["pixel"] for row in rows[:20]])
    alone = distance("made")
    trained(schedule, 220, 4, lambda numbers: pairs(numbers, 2), first=160)
    assert distance("made") < 0.85 * distance("given")
    assert distance("made") < 0.95 * alone, "the game is for what is seen"


def test_terms_and_gradients_by_hand() -> None:
    schedule = tiny(objective=Objective(content=2.0, adversarial=0.3, pixel=0.5), schedule=replace(SHORT, alone=0))
    batch = pairs(range(4))
    plain, judge = SrResNet(channels=8, blocks=1), VggDiscriminator(SIDE, 4, 8)
    plain.load_state_dict(schedule.networks["generator"].state_dict())
    judge.load_state_dict(schedule.networks["discriminator"].state_dict())
    made = plain(batch["degraded"] / 2 + 0.5) * 2 - 1
    eyes = sface_features(tuple(LAYERS["sface"]))
    found, expected = eyes(made), eyes(batch["truth"])
    squares = [weight * ((found[name] - expected[name]) ** 2).mean() for name, weight in LAYERS["sface"].items()]
    terms = {
        "pixel": ((made - batch["truth"]) ** 2).mean(),
        "content": sum(squares),
        "adversarial": -torch.log(torch.sigmoid(judge(made))).mean(),
    }
    real, fake = torch.sigmoid(judge(batch["truth"])), torch.sigmoid(judge(made.detach()))
    against = -torch.log(real).mean() - torch.log(1 - fake).mean()
    (slope,) = torch.autograd.grad(
        2.0 * terms["content"] + 0.3 * terms["adversarial"] + 0.5 * terms["pixel"],
        plain.get_submodule("block1.0").weight,
    )
    (rival,) = torch.autograd.grad(against, judge.classifier[0].weight)
    told = schedule.step(at(0), batch)
    for name, value in (terms | {"discriminator": against}).items():
        assert not told[name].requires_grad
        assert float(told[name]) == pytest.approx(value.item(), rel=1e-4), name
    assert told.keys() == {*terms, "discriminator"}
    moments = schedule.state()
    first = moments["generator"]["optimiser"]["state"][0]["exp_avg"]
    torch.testing.assert_close(first, 0.1 * slope, rtol=1e-3, atol=1e-6)
    places = [name for name, _ in judge.named_parameters()]
    second = moments["discriminator"]["optimiser"]["state"][places.index("classifier.0.weight")]["exp_avg"]
    torch.testing.assert_close(second, 0.1 * rival, rtol=1e-3, atol=1e-6)


def test_phases_and_rates() -> None:
    schedule = tiny(schedule=replace(SHORT, half_life=0.0))
    batch = pairs(range(4))
    judge = {name: one.clone() for name, one in schedule.networks["discriminator"].state_dict().items()}
    rows = run(schedule, batch, 0, 2)
    assert [set(row) for row in rows] == [{"pixel"}, {"pixel"}]
    assert all(torch.equal(one, judge[name]) for name, one in schedule.networks["discriminator"].state_dict().items())
    assert set(run(schedule, batch, 2, 3)[0]) == {"pixel", "content", "adversarial", "discriminator"}
    assert schedule.state()["generator"]["optimiser"]["state"][0]["step"] == 1, "the game begins with a new optimiser"
    paper = Schedule()
    assert [paper.factor(step) for step in (0, 999_999, 1_000_000, 1_099_999)] == [1.0] * 4
    assert [paper.factor(step) for step in (1_100_000, 1_199_999)] == pytest.approx([0.1, 0.1])
    assert Schedule(steps=10, alone=10).factor(9) == 1.0


@pytest.mark.parametrize("name", ["content", "adversarial", "pixel"])
def test_every_term_is_wired_in(name: str) -> None:
    full = Objective(content=1.0, adversarial=0.1, pixel=1.0)
    batch = pairs(range(4))
    some, without = (
        tiny(objective=one, schedule=replace(SHORT, alone=0)) for one in (full, replace(full, **{name: 0.0}))
    )
    rows = run(some, batch, 0, 1), run(without, batch, 0, 1)
    assert name == "pixel" or name not in rows[1][0]
    assert ("discriminator" in without.networks) == (name != "adversarial")
    one, other = (schedule.networks["generator"].state_dict() for schedule in (some, without))
    assert far(one, other) > 1e-6


def test_goes_on_exactly() -> None:
    batch = pairs(range(4))
    whole = tiny()
    kept = {}
    for step in range(5):
        kept[step] = files(whole)
        run(whole, batch, step, step + 1)
    for step in (1, 2, 4):
        again = resumed(replaced, kept[step])
        run(again, batch, step, 5)
        assert files(again) == files(whole)


def replaced(hardware: Hardware) -> Srgan:
    """One whose weights at the beginning are others."""
    return Srgan(Given(TINY, Objective(), SHORT, hardware, seed=9))


def test_parts_of_a_batch_make_one_step() -> None:
    batch = pairs(range(4))
    network = replace(TINY, form="modified")
    objective = Objective(adversarial=0.0)
    one, other = (tiny(network=network, objective=objective, schedule=replace(SHORT, accumulate=k)) for k in (1, 2))
    for step in range(4):
        first, second = (run(schedule, batch, step, step + 1)[0] for schedule in (one, other))
        assert {name: float(value) for name, value in first.items()} == pytest.approx(
            {name: float(value) for name, value in second.items()}, rel=1e-4
        )
    for player in ("alone", "generator"):
        expected = moments(one, player)
        torch.testing.assert_close(moments(other, player), expected, rtol=2e-2, atol=2e-3 * float(expected.abs().max()))


@pytest.mark.parametrize("form", ["paper", "modified"])
@pytest.mark.parametrize("half_life", [0.0, 8.0])
def test_exports_are_recognised(form: Any, half_life: float) -> None:
    network = replace(TINY, form=form, enlargement=2)
    schedule = tiny(network=network, schedule=replace(SHORT, half_life=half_life))
    batch = pairs(range(4), 2)
    run(schedule, batch, 0, 3)
    (exported,) = schedule.exports().values()
    assert (exported is schedule.networks["generator"]) == (half_life == 0)
    again = from_state_dict(exported.state_dict())
    shown = schedule.shown(batch)
    assert shown["given"].shape == shown["made"].shape == shown["truth"].shape
    with torch.no_grad():
        torch.testing.assert_close(again(batch["degraded"] / 2 + 0.5) * 2 - 1, shown["made"], rtol=1e-4, atol=1e-4)
    assert schedule.networks["generator"].training, "a look changes nothing"


def test_other_hardware_gives_about_the_same() -> None:
    batch = pairs(range(4))
    usual, half, laid = (
        run(tiny(one, schedule=replace(SHORT, alone=1)), batch, 0, 2)
        for one in (Hardware(), Hardware(precision="bf16"), Hardware(channels_last=True))
    )
    for number, row in enumerate(usual):
        for name, value in row.items():
            assert float(half[number][name]) == pytest.approx(float(value), rel=0.1, abs=0.02)
            assert float(laid[number][name]) == pytest.approx(float(value), rel=1e-3)
    assert half != usual


def test_starts() -> None:
    other = tiny()
    run(other, pairs(range(4)), 0, 3)
    started = tiny(generator=other.exports()["generator"].state_dict())
    assert far(weights_of(started.networks["generator"]), weights_of(other.exports()["generator"])) == 0
    with pytest.raises(ValueError, match=r"generator: .* shape"):
        tiny(network=replace(TINY, channels=4), generator=other.exports()["generator"].state_dict())
    with pytest.raises(ValueError, match="encoder"):
        tiny(encoder={})
    with pytest.raises(ValueError, match=r"features is a SrResNet"):
        tiny(features=other.exports()["generator"].state_dict())


def test_vgg_counts_where_it_is_given() -> None:
    vgg = Vgg16((4, 4, 4, 4, 4), 4, 4)
    schedule = tiny(schedule=replace(SHORT, alone=0), features=vgg.state_dict())
    batch = pairs(range(4))
    plain = SrResNet(channels=8, blocks=1)
    plain.load_state_dict(schedule.networks["generator"].state_dict())
    maps = vgg.trunk(("relu5_3",))
    with torch.no_grad():
        made = plain(batch["degraded"] / 2 + 0.5) * 2 - 1
        expected = 0.006 * (maps(made)["relu5_3"] - maps(batch["truth"])["relu5_3"]).square().mean()
    assert float(schedule.step(at(0), batch)["content"]) == pytest.approx(float(expected), rel=1e-4)


def test_other_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="of 16 pixels a side and of 32"):
        tiny().step(at(0), pairs(range(4), 2))


def test_slower_lasts() -> None:
    schedule = tiny()
    schedule.slower(0.5)
    again = resumed(replaced, files(schedule))
    run(again, pairs(range(4)), 2, 3)
    for name in ("generator", "discriminator"):
        assert again.state()[name]["optimiser"]["param_groups"][0]["lr"] == pytest.approx(0.5e-3)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (lambda: Network(size=40), "size is 40"),
        (lambda: Network(enlargement=5), "enlargement is 5"),
        (lambda: Network(size=16, enlargement=3), "size is 16"),
        (lambda: Network(form="other"), "form is 'other'"),
        (lambda: Network(blocks=0), "blocks is 0"),
        (lambda: Objective(content=-1.0), "content is -1"),
        (lambda: Objective(0.0, 0.0, 0.0), "content is 0"),
        (lambda: Schedule(steps=1000), "alone is 1000000"),
        (lambda: Schedule(late=2.0), "late is 2"),
        (lambda: Schedule(late_rate=0.0), "late_rate is 0"),
    ],
)
def test_what_cannot_be_is_refused(settings: Any, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        settings()


def weights_of(module: nn.Module) -> dict[str, Tensor]:
    return {name: one.float() for name, one in module.state_dict().items()}
