"""The transformation network in training: what it learns, what its terms are, and that it goes on exactly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import skimage.data
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from operators.features import sface_features
from operators.networks import from_state_dict
from operators.networks.transform.network import Transform
from operators.networks.vgg16.network import Vgg16
from operators.training.contract import Hardware
from operators.training.schedules.contract import Given
from operators.training.schedules.transform.entry import ENTRY
from operators.training.schedules.transform.options import Network, Objective, Schedule
from operators.training.schedules.transform.schedule import CONTENT, STYLE, TransformSchedule
from operators.training.schedules.transform.variation import variation
from operators.training.terms.perceptual import style
from tests.operators.training.schedules.tiny_faces import at, far, files, resumed, run
from tests.operators.training.schedules.tiny_pictures import HELD_OUT, SIDE, moments, shapes, trained

TINY = Network(size=SIDE, style_size=48, channels=4, blocks=1, large=5)
HERE, PAPER = Hardware(), Objective()
SHORT = Schedule(steps=6, batch=4, rate=1e-3, half_life=8.0)
EYES = tuple({**CONTENT["sface"], **STYLE["sface"]})


def bricks() -> NDArray[np.uint8]:
    return np.stack([np.asarray(skimage.data.brick()[:96, :128], np.uint8)] * 3, -1)


def pictures(numbers: range) -> dict[str, Tensor]:
    return {"truth": shapes(numbers)}


def tiny(
    hardware: Hardware = HERE,
    network: Network = TINY,
    objective: Objective = PAPER,
    schedule: Schedule = SHORT,
    seed: int = 0,
    **starts: dict[str, Any],
) -> TransformSchedule:
    styles = {"style": bricks()} if network.task == "style" else {}
    made = ENTRY.build(Given(network, objective, schedule, hardware, seed=seed, starts=starts, pictures=styles))
    assert isinstance(made, TransformSchedule)
    return made


def careful(hardware: Hardware) -> TransformSchedule:
    return tiny(hardware, schedule=replace(SHORT, rate=1e-4))


def style_maps(eyes: Any) -> dict[str, Tensor]:
    """Features of the style picture at the size it is brought to: 96 x 128 becomes 48 x 64."""
    picture = torch.from_numpy(bricks()).permute(2, 0, 1)[None].float() / 127.5 - 1
    return eyes(functional.interpolate(picture, (48, 64), mode="bicubic", antialias=True).clamp(-1, 1))


def test_style_comes_nearer_where_nobody_trained_it() -> None:
    network = replace(TINY, channels=8)
    schedule = tiny(network=network, schedule=Schedule(steps=40, batch=2, rate=5e-3))
    rows = trained(schedule, 40, 2, pictures)
    assert np.mean([row["style"] for row in rows[-5:]]) < 0.7 * rows[0]["style"]
    shown = schedule.shown(pictures(HELD_OUT))
    eyes = sface_features(EYES)
    with torch.no_grad():
        wanted = style_maps(eyes)
        own, made = (float(style(eyes(shown[name]), wanted, STYLE["sface"])) for name in ("truth", "made"))
    assert made < 0.5 * own


def test_content_comes_nearer_by_itself() -> None:
    schedule = tiny(objective=Objective(1.0, 0.0, 0.0), schedule=Schedule(steps=40, batch=2, rate=5e-3))
    rows = trained(schedule, 40, 2, lambda numbers: pictures(range(4)))
    assert set(rows[0]) == {"content"}
    assert rows[-1]["content"] < 0.8 * rows[0]["content"]


def test_detail_comes_back() -> None:
    network = replace(TINY, task="super_resolution", enlargement=2, channels=8)
    schedule = tiny(network=network, schedule=Schedule(steps=40, batch=2, rate=5e-3))
    batch = pictures(range(2))
    shown = schedule.shown(batch)
    small = functional.interpolate(batch["truth"], scale_factor=0.5, mode="bicubic", antialias=True)
    torch.testing.assert_close(
        shown["given"], functional.interpolate(small, scale_factor=2, mode="bicubic").clamp(-1, 1), rtol=0, atol=1e-5
    )
    rows = trained(schedule, 40, 2, lambda numbers: batch)
    assert set(rows[0]) == {"content", "variation"}, "there is no style to be learnt"
    assert rows[-1]["content"] < 0.8 * rows[0]["content"]


def gram(maps: Tensor) -> NDArray[np.float64]:
    flat = maps.detach().double().numpy().reshape(len(maps), maps.shape[1], -1)
    return np.einsum("nci,ndi->ncd", flat, flat) / flat[0].size


def test_terms_and_gradients_by_hand() -> None:
    objective = Objective(2.0, 3.0, 7.0)
    schedule = tiny(objective=objective)
    batch = pictures(range(4))
    plain = Transform(channels=4, blocks=1, large=5)
    plain.load_state_dict(schedule.networks["generator"].state_dict())
    made = plain((batch["truth"] + 1) * 127.5) / 127.5 - 1
    eyes = sface_features(EYES)
    found, truth, wanted = eyes(made), eyes(batch["truth"]), style_maps(eyes)
    content = 2.5 * (found["conv_4"] - truth["conv_4"]).square().mean()
    across, down = made[..., 1:] - made[..., :-1], made[..., 1:, :] - made[..., :-1, :]
    smooth = (across**2).mean() + (down**2).mean()
    squares = [((gram(found[name]) - gram(wanted[name])) ** 2).sum((1, 2)).mean() for name in STYLE["sface"]]
    styled = sum(weight * one for weight, one in zip(STYLE["sface"].values(), squares, strict=True))
    last = plain.deconv3.conv2d.weight
    (slope,) = torch.autograd.grad(2.0 * content + 3.0 * style(found, wanted, STYLE["sface"]) + 7.0 * smooth, last)
    told = schedule.step(at(0), batch)
    assert {name: float(one) for name, one in told.items()} == pytest.approx(
        {"content": content.item(), "style": styled, "variation": smooth.item()}, rel=1e-3, abs=1e-7
    )
    place = [name for name, _ in plain.named_parameters()].index("deconv3.conv2d.weight")
    moments = schedule.state()["generator"]["optimiser"]["state"][place]["exp_avg"]
    torch.testing.assert_close(moments, 0.1 * slope, rtol=1e-3, atol=1e-7)


def test_variation_by_hand() -> None:
    drawn = torch.randn(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    plain = drawn.detach().numpy()
    expected = np.mean(np.diff(plain, axis=2) ** 2) + np.mean(np.diff(plain, axis=3) ** 2)
    assert variation(drawn).item() == pytest.approx(expected)
    assert torch.autograd.gradcheck(variation, (drawn,))
    assert variation(torch.full((1, 3, 4, 4), 0.3)).item() == 0


@pytest.mark.parametrize("name", ["content", "style", "variation"])
def test_every_term_is_wired_in(name: str) -> None:
    batch = pictures(range(4))
    full = Objective(1.0, 1.0, 10.0)
    some, without = (tiny(objective=one) for one in (full, replace(full, **{name: 0.0})))
    rows = run(some, batch, 0, 2), run(without, batch, 0, 2)
    assert set(rows[0][0]) - set(rows[1][0]) == {name}
    one, other = (schedule.networks["generator"].state_dict() for schedule in (some, without))
    assert far(one, other) > 1e-6
    assert without.watched == ("content" if name == "style" else "style")


def test_goes_on_exactly() -> None:
    batch = pictures(range(4))
    whole = tiny()
    kept = {}
    for step in range(4):
        kept[step] = files(whole)
        run(whole, batch, step, step + 1)
    for step in (1, 3):
        again = resumed(lambda hardware: tiny(hardware, seed=9), kept[step])
        run(again, batch, step, 4)
        assert files(again) == files(whole)


def test_parts_of_a_batch_make_one_step() -> None:
    batch = pictures(range(4))
    one, other = (tiny(schedule=replace(SHORT, rate=1e-4, accumulate=k)) for k in (1, 2))
    for step in range(3):
        first, second = (run(schedule, batch, step, step + 1)[0] for schedule in (one, other))
        assert {name: float(value) for name, value in first.items()} == pytest.approx(
            {name: float(value) for name, value in second.items()}, rel=1e-3, abs=1e-7
        )
        if step == 0:  # later, rounding decides about what lies at a kink of ReLU
            expected = moments(one, "generator")
            atol = 2e-3 * float(expected.abs().max())
            torch.testing.assert_close(moments(other, "generator"), expected, rtol=2e-2, atol=atol)


@pytest.mark.parametrize("half_life", [0.0, 8.0])
def test_exports_are_recognised(half_life: float) -> None:
    schedule = tiny(schedule=replace(SHORT, half_life=half_life))
    batch = pictures(range(4))
    run(schedule, batch, 0, 2)
    (exported,) = schedule.exports().values()
    assert (exported is schedule.networks["generator"]) == (half_life == 0)
    again = from_state_dict(exported.state_dict())
    shown = schedule.shown(batch)
    assert torch.equal(shown["truth"], batch["truth"])
    with torch.no_grad():
        torch.testing.assert_close(again((batch["truth"] + 1) * 127.5) / 127.5 - 1, shown["made"], rtol=1e-4, atol=1e-4)


def test_other_hardware_gives_about_the_same() -> None:
    batch = pictures(range(4))
    usual, half, laid = (
        run(tiny(one), batch, 0, 2) for one in (Hardware(), Hardware(precision="bf16"), Hardware(channels_last=True))
    )
    for number, row in enumerate(usual):
        for name, value in row.items():
            assert float(half[number][name]) == pytest.approx(float(value), rel=0.1, abs=1e-3)
            assert float(laid[number][name]) == pytest.approx(float(value), rel=1e-2, abs=1e-5)
    assert half != usual


def test_starts_and_styles() -> None:
    other = tiny()
    run(other, pictures(range(4)), 0, 1)
    state = other.networks["generator"].state_dict()
    assert far(tiny(generator=state).networks["generator"].state_dict(), state) == 0
    with pytest.raises(ValueError, match="generator"):
        tiny(network=replace(TINY, channels=8), generator=state)
    with pytest.raises(ValueError, match=r"data\.style"):
        TransformSchedule(Given(TINY, Objective(), SHORT))
    other.slower(0.5)
    again = resumed(tiny, files(other))
    run(again, pictures(range(4)), 1, 2)
    assert again.state()["generator"]["optimiser"]["param_groups"][0]["lr"] == pytest.approx(0.5e-3)


def test_vgg_counts_where_it_is_given() -> None:
    vgg = Vgg16((4, 4, 4, 4, 4), 4, 4)
    schedule = tiny(features=vgg.state_dict())
    batch = pictures(range(4))
    plain = Transform(channels=4, blocks=1, large=5)
    plain.load_state_dict(schedule.networks["generator"].state_dict())
    maps = vgg.trunk(("relu1_2", "relu2_2", "relu3_3", "relu4_3"))
    with torch.no_grad():
        found, truth = maps(plain((batch["truth"] + 1) * 127.5) / 127.5 - 1), maps(batch["truth"])
        wanted = style_maps(maps)
    told = schedule.step(at(0), batch)
    expected = (found["relu2_2"] - truth["relu2_2"]).square().mean().item()
    assert float(told["content"]) == pytest.approx(expected, rel=1e-3)
    styled = sum(((gram(found[name]) - gram(wanted[name])) ** 2).sum((1, 2)).mean() for name in wanted)
    assert float(told["style"]) == pytest.approx(styled, rel=1e-3)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (lambda: Network(size=30), "size is 30"),
        (lambda: Network(size=28), "size is 28"),
        (lambda: Network(task="other"), "task is 'other'"),
        (lambda: Network(enlargement=5), "enlargement is 5"),
        (lambda: Network(task="super_resolution", size=64, enlargement=3), "multiple of the enlargement"),
        (lambda: Network(style_size=8), "style_size is 8"),
        (lambda: Network(large=4), "large is 4"),
        (lambda: Network(blocks=0), "blocks is 0"),
        (lambda: Objective(style=-1.0), "style is -1"),
        (lambda: Objective(0.0, 0.0), "content is 0"),
    ],
)
def test_what_cannot_be_is_refused(settings: Any, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        settings()
