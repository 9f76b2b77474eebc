"""GPEN's training at tiny size: the order of its steps, its terms, its rates, its resumption, its workers."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from operators.features.networks import sface_features
from operators.features.perceptual import perceptual_distance
from operators.networks import from_state_dict
from operators.networks.stylegan2.network import StyleGan2
from operators.training.contract import Hardware
from operators.training.schedules.contract import Given
from operators.training.schedules.gpen.entry import ENTRY
from operators.training.schedules.gpen.latents import Latents
from operators.training.schedules.gpen.options import Network, Objective, Schedule
from operators.training.schedules.gpen.schedule import GpenTraining
from tests.operators.training.schedules.tiny_faces import (
    at,
    far,
    files,
    from_two_workers,
    pairs,
    resumed,
    run,
    weights,
)

NETWORK = Network(size=16, style_dim=8, n_mlp=2, narrow=1 / 64, judge_narrow=1 / 64)
PAPER = Objective()
ALL = Objective(perceptual=0.5, identity=0.5)
PLAIN = Hardware()
LARGER = dataclasses.replace(NETWORK, size=32)
LARGEST = dataclasses.replace(NETWORK, size=64)
_OTHER = {"perceptual": "identity", "identity": "perceptual"}
TUNED = Schedule(steps=40, batch=4, prior_steps=0)
THREE = Schedule(steps=12, batch=4, prior_steps=4, alone=3, every=2, path_every=2, half_life=8)
TURNED = dataclasses.replace(THREE, batch=8, optimizer="muon", rate=1e-3, window=32, in_turn=True)


def training(
    schedule: Schedule = TUNED,
    objective: Objective = PAPER,
    network: Network = NETWORK,
    hardware: Hardware = PLAIN,
    **starts: nn.Module,
) -> GpenTraining:
    states = {name: dict(module.state_dict()) for name, module in starts.items()}
    built = ENTRY.build(Given(network, objective, schedule, hardware, seed=3, starts=states))
    assert isinstance(built, GpenTraining)
    return built


def three(hardware: Hardware) -> GpenTraining:
    """Of a module, so that other processes find it."""
    return training(THREE, hardware=hardware)


def shared(hardware: Hardware) -> GpenTraining:
    """The same, with a batch of which two workers get a whole group each."""
    return training(dataclasses.replace(THREE, batch=8), hardware=hardware)


def turned(hardware: Hardware) -> GpenTraining:
    """By Muon, terms in turn and of a window, for two workers; slowly, since each step multiplies rounding."""
    return training(TURNED, ALL, LARGEST, hardware)


def halves(hardware: Hardware) -> GpenTraining:
    """As `three`, going through a worker's samples in two parts."""
    return training(dataclasses.replace(THREE, accumulate=2), hardware=hardware)


def turned_halves(hardware: Hardware) -> GpenTraining:
    """As `turned`, in two parts."""
    return training(dataclasses.replace(TURNED, accumulate=2), ALL, LARGEST, hardware)


def test_the_prior_learns_what_faces_look_like() -> None:
    schedule = training(
        dataclasses.replace(TUNED, steps=100, prior_steps=100, prior_rate=1e-2, half_life=20),
        Objective(path=0.1),
        dataclasses.replace(NETWORK, size=8),
    )
    batch = pairs(4, 8)
    batch["truth"] = batch["truth"] * 0.1 + 0.8
    before = schedule.shown(batch)["prior"].mean()
    run(schedule, batch, 0, 60)
    after = schedule.shown(batch)["prior"].mean()
    assert abs(after - 0.8) < 0.4 * abs(before - 0.8)


@pytest.mark.parametrize("adversarial", [0.0, 0.01])
def test_tuning_learns(adversarial: float) -> None:
    quick = dataclasses.replace(TUNED, rate=1e-2, decoder_share=1.0, momentum=0.9, half_life=8)
    schedule, batch = training(quick, Objective(adversarial=adversarial)), pairs(4, 16)
    rows = run(schedule, batch, 0, 40)
    assert rows[-1]["content"] < 0.5 * rows[0]["content"]
    made = schedule.shown(batch)["made"]
    assert (made - batch["truth"]).abs().mean() < 0.6 * rows[0]["content"]


@pytest.mark.parametrize("hardware", [PLAIN, Hardware(channels_last=True), Hardware(precision="bf16")])
def test_tuning_learns_by_muon_too(hardware: Hardware) -> None:
    quick = dataclasses.replace(TUNED, decoder_share=1.0, rate=0.03, half_life=8, momentum=0.9)
    rows = {}
    for kind in ("adam", "muon"):
        schedule = training(dataclasses.replace(quick, optimizer=kind), Objective(adversarial=0.0), hardware=hardware)
        rows[kind] = run(schedule, pairs(4, 16), 0, 40)
    assert rows["muon"][-1]["content"] < 0.3 * rows["muon"][0]["content"]
    assert rows["muon"][1]["content"] != rows["adam"][1]["content"]


def test_phases_change_at_their_steps() -> None:
    rows = run(training(THREE), pairs(4, 16), 0, 10)
    prior, game = {"discriminator", "adversarial"}, {"content", "adversarial", "matching", "discriminator"}
    seen = [set(row) for row in rows]
    assert seen[:4] == [prior | {"penalty", "path"}, prior, prior | {"penalty", "path"}, prior]
    assert seen[4:7] == [{"content"}] * 3
    assert seen[7:] == [game, game | {"penalty"}, game]
    phases = [training(THREE).phase(step) for step in (0, 3, 4, 11)]
    assert phases == ["prior", "prior", "restoring", "restoring"]
    assert all(not one.requires_grad and one.dim() == 0 for row in rows for one in row.values())


@pytest.mark.parametrize(
    ("settings", "objective", "starts", "expected"),
    [
        ({"prior_steps": None}, {}, (), 6),
        ({"prior_steps": None}, {}, ("decoder",), 0),
        ({"prior_steps": None}, {}, ("generator",), 0),
        ({"prior_steps": None}, {"adversarial": 0.0}, (), 0),
        ({"prior_steps": 2}, {}, ("decoder",), 2),
    ],
)
def test_how_long_the_prior_is_trained(settings: dict, objective: dict, starts: tuple[str, ...], expected: int) -> None:
    given = training()
    found = {"decoder": given.networks["generator"].generator, "generator": given.networks["generator"]}
    schedule = training(
        dataclasses.replace(THREE, alone=0, **settings),
        Objective(**objective),
        **{name: found[name] for name in starts},
    )
    rows = run(schedule, pairs(4, 16), 0, 8)
    assert ["content" in row for row in rows].index(True) == expected


def test_the_priors_mean_becomes_the_decoder() -> None:
    schedule, batch = training(dataclasses.replace(THREE, rate=1e-12)), pairs(4, 16)
    before = weights(schedule)
    run(schedule, batch, 0, 4)
    last = copy.deepcopy(schedule.networks["generator"])
    mean = copy.deepcopy(schedule.networks["average"])
    assert far(last.generator.state_dict(), mean.generator.state_dict()) > 1e-4
    run(schedule, batch, 4, 5)
    after = schedule.networks["generator"]
    assert far(after.generator.state_dict(), mean.generator.state_dict()) < 1e-9
    encoder = {name: one for name, one in weights(schedule).items() if name.startswith("generator ecd")}
    assert encoder
    assert far(encoder, {name: before[name] for name in encoder}) < 1e-9
    assert far(schedule.networks["average"].state_dict(), after.state_dict()) < 1e-9


@pytest.mark.parametrize(
    ("network", "schedule", "starts", "expected"),
    [
        ({}, TUNED, (), 1.0),
        ({"opening": 0.25}, TUNED, (), 0.25),
        ({}, THREE, (), 0.0),
        ({"opening": 0.25}, THREE, (), 0.25),
        ({}, TUNED, ("generator",), 0.5),
        ({"opening": 0.25}, TUNED, ("decoder",), 0.5),
    ],
)
def test_how_far_the_encoder_is_open(
    network: dict, schedule: Schedule, starts: tuple[str, ...], expected: float
) -> None:
    start = training(network=dataclasses.replace(NETWORK, opening=0.5)).networks["generator"]
    made = training(schedule, network=dataclasses.replace(NETWORK, **network), **dict.fromkeys(starts, start))
    found = {
        float(one) for name, one in made.networks["generator"].state_dict().items() if name.endswith("noise.weight")
    }
    assert found == {expected}


def test_a_stylegan2_can_be_the_decoder() -> None:
    prior = StyleGan2(16, style_dim=8, n_mlp=2, narrow=1 / 64, isconcat=True, stored_noise=True, latent_avg=True)
    schedule = training(decoder=prior)
    inside = schedule.networks["generator"].generator.state_dict()
    assert inside
    assert all(torch.equal(one, prior.state_dict()[name]) for name, one in inside.items())
    assert torch.equal(schedule.networks["average"].generator.input.input, prior.input.input)


def test_rates_are_a_hundred_to_ten_to_one() -> None:
    schedule, batch = training(objective=Objective(penalty=0.0)), pairs(4, 16)
    before = weights(schedule)
    run(schedule, batch, 1, 2)
    moved = {name: (one - before[name]).abs() for name, one in weights(schedule).items()}
    # Adam's first step is the learning rate, whatever the gradient, unless that is next to nothing.
    for prefix, rate in (("generator ecd0", 2e-3), ("generator generator.convs", 2e-4), ("discriminator convs", 2e-5)):
        steps = torch.cat([one.reshape(-1) for name, one in moved.items() if name.startswith(prefix)])
        assert float(steps[steps > 0].median()) == pytest.approx(rate, rel=0.02)
        assert float(steps.max()) < rate * 1.05


def test_warming_up_begins_anew_with_tuning_and_decay_ends_it() -> None:
    paces = []
    for settings in ({"warm": 10}, {}, {"decay": 1.0}):
        schedule, batch = training(dataclasses.replace(THREE, alone=0, **settings)), pairs(4, 16)
        run(schedule, batch, 0, 4)
        first = weights(schedule)
        run(schedule, batch, 4, 5)
        moved = {name: (one - first[name]).abs() for name, one in weights(schedule).items() if "generator ecd0" in name}
        paces.append(float(torch.cat([one.reshape(-1) for one in moved.values()]).max()))
    assert paces[0] == pytest.approx(paces[1] / 10, rel=0.05)
    assert paces[2] == pytest.approx(paces[1] * 8 / 12, rel=0.05)


@pytest.fixture(scope="module")
def with_all_terms() -> dict[str, Tensor]:
    """The generator after two steps of tuning."""
    schedule = training(TUNED, ALL, LARGER)
    run(schedule, pairs(4, 32), 0, 2)
    return dict(schedule.networks["generator"].state_dict())


@pytest.mark.parametrize("name", ["content", "matching", "adversarial", "perceptual", "identity", "penalty"])
def test_every_term_of_tuning_counts(name: str, with_all_terms: dict[str, Tensor]) -> None:
    schedule = training(TUNED, dataclasses.replace(ALL, **{name: 0.0}), LARGER)
    rows = run(schedule, pairs(4, 32), 0, 2)
    assert far(with_all_terms, dict(schedule.networks["generator"].state_dict())) > 1e-7
    assert name == "content" or name not in rows[0]


@pytest.mark.parametrize("name", ["penalty", "path"])
def test_every_term_of_the_prior_counts(name: str) -> None:
    batch, came_to = pairs(4, 16), []
    for objective in (Objective(), Objective(**{name: 0.0})):
        schedule = training(THREE, objective)
        rows = run(schedule, batch, 0, 3)
        came_to.append(dict(schedule.networks["generator"].state_dict()))
    assert far(*came_to) > 1e-6
    assert name not in rows[0]


def test_a_weight_is_that_of_its_term() -> None:
    batch, moved = pairs(4, 16), []
    for content in (1.0, 4.0):
        objective = Objective(content=content, adversarial=0.0)
        schedule = training(TUNED, objective)
        generator = schedule.networks["generator"]
        run(schedule, batch, 0, 1)
        moved.append([one.grad.clone() for one in generator.parameters() if one.grad is not None])
    for one, other in zip(*moved, strict=True):
        assert torch.allclose(4 * one, other, rtol=1e-4, atol=1e-7)


@pytest.fixture(scope="module")
def whole() -> tuple[GpenTraining, list[dict[str, Tensor]]]:
    """Nine steps through all phases, with their rows."""
    schedule = three(PLAIN)
    return schedule, run(schedule, pairs(4, 16), 0, 9)


@pytest.mark.parametrize("kept", [2, 4, 8])
def test_going_on_is_the_same(kept: int, whole: tuple[GpenTraining, list[dict[str, Tensor]]]) -> None:
    undisturbed, rows = whole
    begun = three(PLAIN)
    run(begun, pairs(4, 16), 0, kept)
    second = resumed(three, files(begun))
    again = run(second, pairs(4, 16), kept, 9)
    assert [{name: float(one) for name, one in row.items()} for row in again] == [
        {name: float(one) for name, one in row.items()} for row in rows[kept:]
    ]
    assert files(second) == files(undisturbed)
    assert second.state()["average"] == 5


def test_going_on_by_muon_is_the_same() -> None:
    undisturbed, begun, batch = turned(PLAIN), turned(PLAIN), pairs(8, 64)
    run(undisturbed, batch, 0, 9)
    run(begun, batch, 0, 6)
    second = resumed(turned, files(begun))
    run(second, batch, 6, 9)
    assert files(second) == files(undisturbed)


@pytest.mark.parametrize(("build", "side"), [(three, 16), (turned, 64)])
def test_slower_is_kept(build: Callable[[Hardware], GpenTraining], side: int) -> None:
    batch = pairs(8, side)
    schedule = build(PLAIN)
    schedule.slower(0.0)
    before = weights(schedule)
    second = resumed(build, files(schedule))
    for one in (schedule, second):
        run(one, batch, 0, 3)
        assert far(before, weights(one)) < 1e-9


@pytest.mark.parametrize(("build", "side", "tolerance"), [(shared, 16, 1e-3), (turned, 64, 1e-2)])
def test_two_workers_are_one(
    build: Callable[[Hardware], GpenTraining], side: int, tolerance: float, tmp_path: Path
) -> None:
    batch = pairs(8, side)
    alone = build(PLAIN)
    before = weights(alone)
    rows = run(alone, batch, 0, 8)
    found = from_two_workers(build, batch, range(8), tmp_path)
    _same(found["rows"], rows)
    assert far(found["weights"], weights(alone)) < tolerance * far(before, weights(alone))


@pytest.mark.parametrize(
    ("whole", "half", "side", "tolerance"), [(three, halves, 16, 1e-3), (turned, turned_halves, 64, 1e-2)]
)
def test_parts_of_a_batch_are_the_batch(
    whole: Callable[[Hardware], GpenTraining],
    half: Callable[[Hardware], GpenTraining],
    side: int,
    tolerance: float,
) -> None:
    batch, once, parts = pairs(8, side), whole(PLAIN), half(PLAIN)
    before = weights(once)
    _same(run(parts, batch, 0, 8), run(once, batch, 0, 8))
    assert far(weights(parts), weights(once)) < tolerance * far(before, weights(once))


def test_parts_have_to_be_of_one_size() -> None:
    parts = halves(PLAIN)
    with pytest.raises(ValueError, match=r"schedule\.accumulate is 2, and a worker has 3 samples"):
        run(parts, pairs(3, 16), 0, 1)


def test_terms_of_tuning_by_hand() -> None:
    objective = Objective(perceptual=1.0)
    schedule, batch = training(TUNED, objective, LARGER), pairs(4, 32)
    networks = {name: copy.deepcopy(module) for name, module in schedule.networks.items()}
    (row,) = run(schedule, batch, 0, 1)
    judge, truth = networks["discriminator"], batch["truth"]
    made = networks["generator"](batch["degraded"]).detach()
    real, fake = judge(truth).squeeze(1), judge(made).squeeze(1)
    assert float(row["content"]) == pytest.approx(float((made - truth).abs().mean()), rel=1e-5)
    assert float(row["adversarial"]) == pytest.approx(-_mean_log(fake), rel=1e-4)
    assert float(row["discriminator"]) == pytest.approx(-_mean_log(real) - _mean_log(-fake), rel=1e-4)
    apart = [
        float((one - other).detach().abs().mean())
        for one, other in zip(judge.judged(made)[1], judge.judged(truth)[1], strict=True)
    ]
    assert len(apart) == 4
    assert float(row["matching"]) == pytest.approx(sum(apart), rel=1e-4)
    expected = perceptual_distance(sface_features(), made, truth).mean()
    assert float(row["perceptual"]) == pytest.approx(float(expected), rel=1e-4)


def test_a_window_is_what_the_perceptual_term_looks_at() -> None:
    network, batch = dataclasses.replace(NETWORK, size=64), pairs(2, 64)
    objective, seen = Objective(adversarial=0.0, perceptual=1.0), set()
    schedule = training(dataclasses.replace(TUNED, batch=2, window=40), objective, network)
    for step in range(3):
        made = copy.deepcopy(schedule.networks["generator"])(batch["degraded"]).detach()
        (row,) = run(schedule, batch, step, step + 1)
        top, left = torch.randint(25, (2,), generator=at(step).draws.generator("window")).tolist()
        squares = (one[..., top : top + 40, left : left + 40] for one in (made, batch["truth"]))
        assert float(row["perceptual"]) == pytest.approx(
            float(perceptual_distance(sface_features(), *squares).mean()), rel=1e-4
        )
        seen.add((top, left))
    assert len(seen) == 3


def test_perceptual_and_identity_take_turns_at_twice_the_weight() -> None:
    batch = pairs(4, 32)
    objective = Objective(content=0.0, adversarial=0.0, perceptual=0.5, identity=0.25)
    for step, name in ((0, "perceptual"), (1, "identity")):
        schedule = training(dataclasses.replace(TUNED, in_turn=True), objective, LARGER)
        alone = training(TUNED, dataclasses.replace(objective, **{_OTHER[name]: 0.0}), LARGER)
        assert run(schedule, batch, step, step + 1)[0].keys() == {"content", name}
        run(alone, batch, step, step + 1)
        twice, once = (one.networks["generator"].parameters() for one in (schedule, alone))
        pulls = [(one.grad, other.grad) for one, other in zip(twice, once, strict=True) if one.grad is not None]
        assert pulls
        assert all(torch.allclose(one, 2 * other, rtol=1e-4, atol=1e-7) for one, other in pulls)


def test_the_penalty_by_hand() -> None:
    """It is what the discriminator has after the step of its game, which step 1 of a fresh training makes alone."""
    schedule, alone, batch = training(), training(), pairs(4, 16)
    (row,) = run(schedule, batch, 0, 1)
    run(alone, batch, 1, 2)
    truth = batch["truth"].clone().requires_grad_()
    (gradient,) = torch.autograd.grad(alone.networks["discriminator"](truth).sum(), truth)
    assert float(row["penalty"]) == pytest.approx(float(gradient.square().sum() / 4), rel=1e-3)


def test_terms_of_the_prior_by_hand() -> None:
    schedule, batch = training(dataclasses.replace(THREE, mixing=0.0, every=3)), pairs(4, 16)
    networks = {name: copy.deepcopy(module) for name, module in schedule.networks.items()}
    (row,) = run(schedule, batch, 1, 2)
    generator, judge = networks["generator"].generator, networks["discriminator"]
    drawn = Latents(generator, 8, 0.0, PLAIN).drawn(at(1).draws, "judged", 4)
    fake = judge(generator(drawn.codes[:, 0], drawn.noises)).squeeze(1)
    assert float(row["discriminator"]) == pytest.approx(-_mean_log(judge(batch["truth"])) - _mean_log(-fake), rel=1e-4)
    shown = Latents(generator, 8, 0.0, PLAIN).drawn(at(1).draws, "shown", 4)
    fake = schedule.networks["discriminator"](generator(shown.codes[:, 0], shown.noises)).squeeze(1)
    assert float(row["adversarial"]) == pytest.approx(-_mean_log(fake), rel=1e-4)


def test_path_lengths_by_hand() -> None:
    """The first length is compared with 0: its mean square is that of J^T y, with J column by column."""
    plain, objective, batch = dataclasses.replace(THREE, mixing=0.0), Objective(penalty=0.0), pairs(1, 16)
    schedule, alone = training(plain, objective), training(plain, objective)
    (row,) = run(schedule, batch, 0, 1)
    # The same draws as step 0, in a step without a path length: what the generator is before that.
    alone.step(dataclasses.replace(at(0), step=1), batch)
    latents = Latents(alone.networks["generator"].generator, 8, 0.0, PLAIN)
    drawn = latents.drawn(at(0).draws, "path", 1)
    noise = at(0).draws.normal("path noise", 1, 3, 16, 16, like=batch["truth"])
    mapped = latents.mapped(drawn).detach()
    jacobian = torch.autograd.functional.jacobian(lambda w: latents.made(w, drawn.noises), mapped)
    product = torch.einsum("nchw,nchwmld->ld", noise / 16, jacobian)
    assert float(row["path"]) == pytest.approx(float(product.square().sum(1).mean()), rel=1e-3)


def test_the_usual_path_length_follows() -> None:
    schedule = training(THREE)
    usual = [float(schedule.state()["prior"]["usual"])]
    for step in range(4):
        run(schedule, pairs(4, 16), step, step + 1)
        usual.append(float(schedule.state()["prior"]["usual"]))
    assert usual[0] == 0
    assert 0 < usual[1] == usual[2] < usual[3] == usual[4]


def test_latents_change_at_a_layer() -> None:
    generator = training().networks["generator"].generator
    drawn = Latents(generator, 8, 1.0, PLAIN).drawn(at(0).draws, "x", 64)
    plain = Latents(generator, 8, 0.0, PLAIN).drawn(at(0).draws, "x", 64)
    layers = len(generator.convs) + 2
    assert set(drawn.places.tolist()) == set(range(1, layers))
    assert set(plain.places.tolist()) == {layers}
    mapped = Latents(generator, 8, 1.0, PLAIN).mapped(drawn)
    first, second = (generator.style(drawn.codes[:, number]) for number in range(2))
    for sample, place in enumerate(drawn.places.tolist()):
        assert torch.allclose(mapped[sample, :place], first[sample].expand(place, -1))
        assert torch.allclose(mapped[sample, place:], second[sample].expand(layers - place, -1))


def test_without_a_game_there_is_no_discriminator() -> None:
    schedule, batch = training(objective=Objective(adversarial=0.0)), pairs(4, 16)
    assert set(schedule.networks) == {"generator", "average"}
    assert set(run(schedule, batch, 0, 1)[0]) == {"content"}
    with pytest.raises(ValueError, match=r"schedule\.prior_steps is 4 and objective\.adversarial 0"):
        training(THREE, Objective(adversarial=0.0))


@pytest.mark.parametrize("skip", [None, 0.25])
def test_what_is_exported_is_known(skip: float | None) -> None:
    network = dataclasses.replace(NETWORK, skip=skip)
    schedule, batch = training(THREE, network=network), pairs(4, 16)
    run(schedule, batch, 0, 2)
    assert set(schedule.exports()) == {"prior"}
    again = from_state_dict(schedule.exports()["prior"].state_dict())
    assert again.recognised.architecture == "stylegan2"
    run(schedule, batch, 2, 6)
    assert set(schedule.exports()) == {"generator"}
    again = from_state_dict(schedule.exports()["generator"].state_dict())
    assert again.recognised.architecture == "gpen"
    assert torch.allclose(again(batch["degraded"]), schedule.shown(batch)["made"], atol=1e-5)


def test_a_share_of_the_input_is_in_the_output() -> None:
    batch = pairs(4, 16)
    plain = training()
    half = training(network=dataclasses.replace(NETWORK, skip=0.5), generator=plain.networks["generator"])
    most = training(network=dataclasses.replace(NETWORK, skip=0.75), generator=plain.networks["generator"])
    for one, share in ((half, 0.5), (most, 0.75)):
        expected = (1 - share) * plain.shown(batch)["made"] + share * batch["degraded"]
        assert torch.allclose(one.shown(batch)["made"], expected, atol=1e-5)
    with pytest.raises(ValueError, match=r"start\.generator holds a share of its input in its output, 0\.5"):
        training(generator=half.networks["generator"])


@pytest.mark.parametrize("hardware", [Hardware(channels_last=True), Hardware(precision="bf16")])
def test_other_hardware_comes_to_nearly_the_same(
    hardware: Hardware, whole: tuple[GpenTraining, list[dict[str, Tensor]]]
) -> None:
    _, rows = whole
    others = run(three(hardware), pairs(4, 16), 0, 9)
    for row, other in zip(rows, others, strict=True):
        assert row.keys() == other.keys()
        assert all(float(row[name]) == pytest.approx(float(other[name]), rel=0.1, abs=0.02) for name in row)


def test_drawing_weights_leaves_everybody_elses_numbers() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    first, second = training(), training()
    assert torch.equal(torch.rand(3), expected)
    assert far(weights(first), weights(second)) == 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"network": {"size": 24}}, r"model\.size is 24"),
        ({"network": {"template": "nose"}}, r"model\.template is 'nose'"),
        ({"network": {"skip": 1.0}}, r"model\.skip is 1\.0"),
        ({"network": {"opening": 2.0}}, r"model\.opening is 2\.0"),
        ({"objective": {"content": -1.0}}, r"objective\.content is -1\.0"),
        ({"objective": {"content": 0.0, "adversarial": 0.0}}, "all terms of the generator have weight 0"),
        ({"schedule": {"prior_steps": -1}}, r"schedule\.prior_steps is -1"),
        ({"schedule": {"every": 0}}, "every and path_every"),
        ({"schedule": {"decoder_share": 0.0}}, "decoder_share"),
        ({"schedule": {"momentum": 1.0}}, "momentum"),
        ({"schedule": {"optimizer": "sgd"}}, r"schedule\.optimizer is 'sgd'; expected adam or muon"),
    ],
)
def test_impossible_settings_are_refused(settings: dict, message: str) -> None:
    kinds = {"network": NETWORK, "objective": Objective(), "schedule": TUNED}
    with pytest.raises(ValueError, match=message):
        for name, changes in settings.items():
            dataclasses.replace(kinds[name], **changes)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"objective\.perceptual is 1\.0, and model\.size 16"):
        training(objective=Objective(perceptual=1.0))
    seeing = Objective(perceptual=1.0)
    with pytest.raises(ValueError, match=r"schedule\.in_turn is true, .* objective\.identity 0\.0"):
        training(dataclasses.replace(TUNED, in_turn=True), seeing, LARGER)
    with pytest.raises(ValueError, match=r"schedule\.window is 32 and objective\.perceptual 0"):
        training(dataclasses.replace(TUNED, window=32))
    for window in (16, 64):
        with pytest.raises(ValueError, match=rf"schedule\.window is {window}; expected 0, .* 32 to 32 pixels"):
            training(dataclasses.replace(TUNED, window=window), seeing, LARGER)
    with pytest.raises(ValueError, match=r"decoder: .* has the shape"):
        training(decoder=StyleGan2(16, style_dim=8, n_mlp=2, narrow=1 / 32, isconcat=True))
    with pytest.raises(ValueError, match=r"schedule\.batch is 6, in 1 workers x 1 parts"):
        training(dataclasses.replace(TUNED, batch=6))
    with pytest.raises(ValueError, match=r"schedule\.batch is 4, in 1 workers x 3 parts"):
        training(dataclasses.replace(TUNED, accumulate=3))
    with pytest.raises(ValueError, match=r"in 2 workers x 1 parts .* expected a multiple of 4 samples in each"):
        training(TUNED, hardware=Hardware(world=2))
    with pytest.raises(ValueError, match="no such network"):
        training(mouth=nn.Linear(1, 1))


def test_identity_works_at_any_size() -> None:
    rows = run(training(objective=Objective(identity=1.0, adversarial=0.0)), pairs(4, 16), 0, 2)
    assert 0 < float(rows[1]["identity"]) < 2


def _mean_log(logits: Tensor) -> float:
    """E[log sigmoid(x)]."""
    found = [-math.log(1 + math.exp(-value)) for value in logits.detach().reshape(-1).tolist()]
    return sum(found) / len(found)


def _same(rows: list[dict[str, Tensor]], others: list[dict[str, Tensor]]) -> None:
    for row, other in zip(rows, others, strict=True):
        assert row.keys() == other.keys()
        assert all(float(row[name]) == pytest.approx(float(other[name]), rel=1e-3, abs=1e-5) for name in row)
