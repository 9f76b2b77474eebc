"""CycleGAN in training: cycles close, domains are told apart, and every term counts as it is written."""

from __future__ import annotations

import functools
import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, distributed, multiprocessing
from torch.nn import functional

from operators import networks
from operators.networks.cyclegan.network import CycleGan
from operators.training.contract import At, Hardware
from operators.training.discriminators.patch import PatchDiscriminator
from operators.training.draws import Draws
from operators.training.history import History
from operators.training.schedules.contract import Given
from operators.training.schedules.cyclegan.entry import ENTRY
from operators.training.schedules.cyclegan.options import Network, Objective, Schedule
from operators.training.schedules.cyclegan.schedule import GENERATORS, JUDGES, Cycle
from operators.training.shared_history import SharedHistory
from tests.operators.training.schedules.tiny_faces import at, far, files, resumed, weights

SIDE = 16
NETWORK = Network(features=4, blocks=1, judge_features=4, judge_layers=1)
STEPS = Schedule(steps=8, batch=4, rate=2e-3, history=3)
EVEN = Objective(1.0, 1.0, 1.0)
ONE = Hardware()


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def domains(number: int, count: int = 4, side: int = SIDE) -> dict[str, Tensor]:
    """Reddish pictures, and bluish ones that are no negatives of them."""
    drawn = torch.Generator().manual_seed(number)
    coarse = torch.rand(2, count, 1, 4, 4, generator=drawn) * 1.2 - 0.6
    first, second = (functional.interpolate(x, (side, side), mode="bilinear") for x in coarse)
    tone = torch.tensor([0.3, 0.0, -0.3]).view(1, 3, 1, 1)
    return {"first": first + tone, "second": -0.8 * second - tone}


def built(objective: Objective = EVEN, schedule: Schedule = STEPS, hardware: Hardware = ONE, **given: Any) -> Cycle:
    made = ENTRY.build(
        Given(objective=objective, schedule=schedule, hardware=hardware, **{"network": NETWORK, "seed": 1} | given)
    )
    assert isinstance(made, Cycle)
    return made


def plain(hardware: Hardware) -> Cycle:
    return built(hardware=hardware)


def averaging(hardware: Hardware) -> Cycle:
    return built(schedule=replace(STEPS, half_life=8.0), hardware=hardware)


def play(schedule: Cycle, first: int, last: int) -> list[dict[str, Tensor]]:
    return [schedule.step(at(step), domains(step)) for step in range(first, last)]


def copies(training: Cycle) -> list[Any]:
    """G, F, D_X and D_Y as they are now."""
    made: list[Any] = []
    for name in GENERATORS + JUDGES:
        made.append(CycleGan(ngf=4, n_blocks=1) if name in GENERATORS else PatchDiscriminator(3, 4, 1, "instance"))
        made[-1].load_state_dict(training.networks[name].state_dict())
    return made


def felt(training: Cycle) -> dict[str, Tensor]:
    """All weights but biases that a normalisation takes away: their gradient is rounding, which Adam makes steps of."""
    idle = set()
    for network, module in training.networks.items():
        for place, part in module.named_modules():
            if isinstance(part, torch.nn.Sequential):
                for name, behind in itertools.pairwise(part.named_children()):
                    if isinstance(behind[1], torch.nn.InstanceNorm2d):
                        idle.add(f"{network} {place}.{name[0]}.bias")
    return {name: one for name, one in weights(training).items() if name not in idle}


def numbers(row: dict[str, Tensor]) -> dict[str, float]:
    return {name: float(one) for name, one in row.items()}


def test_cycles_close_and_pictures_come_into_the_other_domain() -> None:
    steps = 120
    objective = Objective(identity=0.5)  # that of a network that only copies
    training = built(objective, Schedule(steps, 2, rate=4e-3, history=4), network=Network(8, 1, "reflect", 8, 1))
    unseen = domains(10**6, 16)
    before = training.shown(unseen)
    for step in range(steps):
        training.step(At(step, steps, Draws(0, step), 2), domains(step, 2))
    after = training.shown(unseen)
    first, last = (float((one["made"] - one["truth"]).abs().mean()) for one in (before, after))
    assert last < 0.4 * first
    home, away = (unseen[name].mean((0, 2, 3)) for name in ("first", "second"))
    assert (after["in second"].mean((0, 2, 3)) - away).abs().max() < 0.1
    assert (after["in first"].mean((0, 2, 3)) - home).abs().max() < 0.1
    assert torch.equal(after["truth"], unseen["first"])


def test_the_terms_of_a_step_are_those_of_the_equations() -> None:
    training = built(schedule=replace(STEPS, history=0))
    play(training, 0, 2)
    g, f, dx, dy = copies(training)
    batch = domains(2)
    x, y = batch["first"], batch["second"]
    told = training.step(at(2), batch)
    gx, fy = g(x), f(y)
    expected = {
        "adversarial_first": ((dx(fy) - 1) ** 2).mean(),
        "adversarial_second": ((dy(gx) - 1) ** 2).mean(),
        "cycle": (f(gx) - x).abs().mean() + (g(fy) - y).abs().mean(),
        "identity": (g(y) - y).abs().mean() + (f(x) - x).abs().mean(),
        "discriminator_first": (((dx(x) - 1) ** 2).mean() + (dx(fy) ** 2).mean()) / 2,
        "discriminator_second": (((dy(y) - 1) ** 2).mean() + (dy(gx) ** 2).mean()) / 2,
    }
    assert numbers(told) == pytest.approx({name: float(one.detach()) for name, one in expected.items()}, rel=1e-4)
    assert not any(one.requires_grad for one in told.values())


def test_the_first_step_goes_down_the_weighted_gradient() -> None:
    objective = Objective(0.7, 3.0, 2.0)
    training = built(objective, replace(STEPS, history=0))
    g, f, dx, dy = copies(training)
    batch = domains(0)
    x, y = batch["first"], batch["second"]
    loss = 0.7 * (((dx(f(y)) - 1) ** 2).mean() + ((dy(g(x)) - 1) ** 2).mean())
    loss = loss + 3.0 * ((f(g(x)) - x).abs().mean() + (g(f(y)) - y).abs().mean())
    loss = loss + 2.0 * ((g(y) - y).abs().mean() + (f(x) - x).abs().mean())
    parameters = [*g.parameters(), *f.parameters()]
    gradients = torch.autograd.grad(loss, parameters)
    training.step(at(0), batch)
    held = training.state()["makes"]["optimiser"]["state"]
    for number, gradient in enumerate(gradients):
        # Adam's first moment is a half of the first gradient.
        torch.testing.assert_close(held[number]["exp_avg"], 0.5 * gradient, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("left_out", "gone"),
    [
        (
            {"adversarial": 0.0},
            {"adversarial_first", "adversarial_second", "discriminator_first", "discriminator_second"},
        ),
        ({"cycle": 0.0}, {"cycle"}),
        ({"identity": 0.0}, {"identity"}),
    ],
)
def test_every_term_is_wired_in(left_out: dict[str, float], gone: set[str]) -> None:
    whole, ablated = built(), built(replace(EVEN, **left_out))
    start = weights(ablated)
    rows = [play(training, 0, 4) for training in (whole, ablated)]
    assert rows[0][0].keys() - rows[1][0].keys() == gone
    for name in GENERATORS:
        assert far(ablated.networks[name].state_dict(), whole.networks[name].state_dict()) > 1e-5
    moved = {name.split()[0] for name, one in weights(ablated).items() if not torch.equal(one, start[name])}
    assert moved == set(GENERATORS if "adversarial" in left_out else GENERATORS + JUDGES)
    assert ablated.watched == ("" if "cycle" in left_out else "cycle")


@pytest.mark.parametrize("build", [averaging, plain])
def test_a_training_that_is_resumed_comes_to_the_same_bits(build: Any) -> None:
    undisturbed = build(ONE)
    rows, kept = [], {}
    for step in range(STEPS.steps):
        kept[step] = files(undisturbed)
        rows += play(undisturbed, step, step + 1)
    last = files(undisturbed)
    for step in (1, 4, 7):
        training = resumed(build, kept[step])
        assert files(training) == kept[step]
        torch.manual_seed(step)  # nothing depends on it
        again = play(training, step, STEPS.steps)
        assert files(training) == last
        assert all(torch.equal(row[name], rows[step + n][name]) for n, row in enumerate(again) for name in row)


WORKED = 3
"""Steps after which rounding is still that: L1 and Adam make much of it later."""


def _worker(rank: int, place: Path) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{place}/meet", rank=rank, world_size=2)
    schedule = averaging(Hardware(rank=rank, world=2))
    rows = []
    for step in range(WORKED):
        own = {name: one[rank::2] for name, one in domains(step).items()}
        rows.append(schedule.step(at(step, 4, rank, 2), own))
    torch.save((weights(schedule), rows, schedule.state()["first"]), place / f"{rank}.pt")
    distributed.destroy_process_group()


def test_two_workers_come_to_what_one_comes_to_and_have_one_history(tmp_path: Path) -> None:
    multiprocessing.spawn(_worker, (tmp_path,), nprocs=2)
    (found, rows, history), (other, others, same) = (torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1))
    alone = averaging(ONE)
    start, expected = felt(alone), play(alone, 0, WORKED)
    assert all(torch.equal(one, other[name]) for name, one in found.items())
    end = felt(alone)
    assert far(end, {name: found[name] for name in end}) < 0.03 * far(end, start)
    for row, first, second in zip(expected, rows, others, strict=True):
        assert {name: (float(first[name]) + float(second[name])) / 2 for name in first} == pytest.approx(
            numbers(row), rel=2e-3
        )
    assert torch.equal(history["draws"], same["draws"])
    for one, two, three in zip(history["kept"], same["kept"], alone.state()["first"]["kept"], strict=True):
        assert torch.equal(one, two)
        torch.testing.assert_close(one, three, rtol=5e-3, atol=2e-3)


def test_parts_of_a_batch_make_the_step_of_the_whole() -> None:
    whole, parted = built(), built(schedule=replace(STEPS, accumulate=2))
    start = felt(whole)
    for first, second in zip(play(whole, 0, 4), play(parted, 0, 4), strict=True):
        assert numbers(first) == pytest.approx(numbers(second), rel=5e-3)
    # Adam makes a step of rounding where a gradient is nothing else; how much of that there is depends on the CPU.
    assert far(felt(whole), felt(parted)) < 0.2 * far(felt(whole), start)


def test_old_pictures_are_shown_to_the_discriminators_again() -> None:
    rows = [play(built(schedule=replace(STEPS, history=size)), 0, 3) for size in (0, 3)]
    first, then = (
        {name for name, one in without.items() if float(one) != float(row[name])}
        for without, row in (zip(rows[0][:2], rows[1][:2], strict=True))
    )
    # Of four pictures three are kept, and the fourth may be changed for one of them.
    assert first <= {"discriminator_first", "discriminator_second"} <= then
    state = built(schedule=replace(STEPS, history=3)).state()
    assert not torch.equal(state["first"]["draws"], state["second"]["draws"])


def test_a_history_alone_is_the_papers() -> None:
    shared, alone = SharedHistory(2, 5), History(2, 5)
    for step in range(6):
        pictures = domains(step, 3)["first"]
        assert torch.equal(shared.shown(pictures), alone.shown(pictures))
    held = shared.state()
    assert len(held["kept"]) == 2
    shared.forget()
    assert shared.state()["kept"] == []
    assert torch.equal(shared.state()["draws"], held["draws"])
    nothing = SharedHistory(0, 5)
    assert torch.equal(nothing.shown(pictures), pictures)
    assert nothing.state()["kept"] == []


@pytest.mark.parametrize("half_life", [0.0, 8.0])
def test_both_generators_are_exported_as_they_are_recognised(half_life: float) -> None:
    training = built(schedule=replace(STEPS, half_life=half_life))
    play(training, 0, 3)
    exported = training.exports()
    assert set(exported) == {"to_second", "to_first"}
    picture = domains(9)["first"]
    for name, module in exported.items():
        assert module is training.networks[f"{name}_average" if half_life else name]
        loaded = networks.from_state_dict(module.state_dict())
        assert networks.recognise(module.state_dict()).architecture == "cyclegan"
        assert torch.equal(loaded(picture), module(picture))
    shown = training.shown(domains(9))
    assert torch.equal(shown["in second"], exported["to_second"](picture))
    assert torch.equal(shown["made"], exported["to_first"](shown["in second"]))


def test_the_learning_rate_falls_to_zero_in_the_second_half() -> None:
    settings = Schedule(steps=100)
    factors = [settings.factor(step) for step in range(100)]
    assert factors[:51] == [1.0] * 51
    assert factors[75] == pytest.approx(0.5)
    assert factors[99] == pytest.approx(0.02)
    assert Schedule(steps=1000).factor(999) == pytest.approx(0.002)
    assert Schedule(steps=100, warm=4).factor(0) == 0.25
    assert Schedule(steps=100, decay=0.0).factor(99) == 1.0
    training = built(schedule=replace(STEPS, decay=1.0))
    training.slower(0.5)
    play(training, 0, 7)
    for player in ("makes", "judges"):
        group = training.state()[player]["optimiser"]["param_groups"][0]
        assert group["lr"] == pytest.approx(2e-3 * 0.5 * 2 / 8)
        assert tuple(group["betas"]) == (0.5, 0.999)


def test_less_precise_arithmetic_and_another_layout_come_close() -> None:
    kinds = (ONE, Hardware(channels_last=True), Hardware(precision="bf16", channels_last=True))
    rows = [play(built(hardware=hardware), 0, 3) for hardware in kinds]
    for exact, laid, half in zip(*rows, strict=True):
        assert numbers(laid) == pytest.approx(numbers(exact), rel=1e-2)
        assert half["cycle"].dtype == torch.float32
        assert 0 < abs(float(half["cycle"] - exact["cycle"])) < 0.05


def test_a_compiled_network_is_the_same_network(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = play(built(), 0, 2)
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="eager"))
    for row, other in zip(play(built(hardware=Hardware(compiled=True)), 0, 2), expected, strict=True):
        assert numbers(row) == pytest.approx(numbers(other), rel=1e-3)


def test_it_begins_as_what_it_is_given() -> None:
    earlier = built(seed=7)
    starts = {name: dict(earlier.networks[name].state_dict()) for name in ("to_first", "judge_second")}
    begun, fresh = built(starts=starts), built()
    for name in GENERATORS + JUDGES:
        like = earlier if name in starts else fresh
        assert far(begun.networks[name].state_dict(), like.networks[name].state_dict()) == 0
    assert far(fresh.networks["to_first"].state_dict(), fresh.networks["to_second"].state_dict()) > 1e-3
    with pytest.raises(ValueError, match="start: generator: no such network; expected one of to_second, to_first"):
        built(starts={"generator": starts["to_first"]})
    with pytest.raises(ValueError, match=r"start: to_first: .* shape"):
        built(starts=starts, network=replace(NETWORK, features=5))
    lacking = {name: one for name, one in starts["to_first"].items() if name != "model.1.bias"}
    with pytest.raises(ValueError, match=r"start: to_first: lacks model\.1\.bias"):
        built(starts={"to_first": lacking})


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Network(blocks=0), "blocks: 0; expected 1 or more"),
        (lambda: Network(padding="mirror"), "padding: 'mirror'; expected reflect or zero"),  # type: ignore[arg-type]
        (lambda: Objective(cycle=-1.0), "cycle: -1.0; expected a weight from 0"),
        (lambda: Objective(0.0, 0.0, 0.0), "no term counts"),
        (lambda: Schedule(history=-1), "history: -1"),
        (lambda: built().step(at(0), domains(0, side=18)), "18 x 18 pixels; CycleGAN takes multiples of 4"),
    ],
)
def test_what_cannot_be_is_refused(make: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make()


def test_the_papers_settings_are_those_that_need_no_words() -> None:
    assert (Objective().cycle, Objective().identity) == (10.0, 5.0)
    assert (Schedule().batch, Schedule().rate, Schedule().decay, Schedule().history) == (1, 2e-4, 0.5, 50)
    training = built(Objective(), Schedule(), network=Network(blocks=1))
    drawn = training.networks["to_second"].state_dict()["model.4.weight"]
    assert float(drawn.std()) == pytest.approx(0.02, rel=0.05)
    assert not training.networks["to_second"].state_dict()["model.4.bias"].any()
