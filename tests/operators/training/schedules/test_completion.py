"""Completion in training: it learns to fill holes as it is asked to, grows, and every term counts as it is written."""

from __future__ import annotations

import functools
import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from operators import networks
from operators.completion.drawing import random_masks
from operators.features import sface_features
from operators.networks.completion.discriminator import CompletionDiscriminator
from operators.networks.completion.generator import CompletionGenerator
from operators.networks.completion.growth import Stage
from operators.networks.completion.packing import pack
from operators.training.contract import At, Hardware
from operators.training.draws import Draws
from operators.training.schedules.completion.entry import ENTRY
from operators.training.schedules.completion.faces import at_stage, faded, flipped, with_draws
from operators.training.schedules.completion.objective import completion_terms, game_terms, penalty
from operators.training.schedules.completion.options import Network, Objective, Schedule, check_growth
from operators.training.schedules.completion.schedule import Completion
from operators.training.schedules.contract import Given
from tests.operators.training.schedules.tiny_faces import SEED, at, far, files, from_two_workers, resumed, weights

SIDE = 8
NETWORK = Network(SIDE, (12, 8))
# Steps of four: 4 px until step 2, then 8 px, which is wholly there from step 6 on.
GROWS = Schedule(steps=12, batch=4, rate=0.01, half_life=8, fading=16, steady=8, history=3)
FADES, GROWN = 2, 6
EVEN = Objective(adversarial=1.0, attributes=1.0, reconstruction=1.0, feature=0.0, boundary=1.0)
WHOLE = replace(EVEN, feature=1.0)
ONE = Hardware()


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Toys:
    """Faces of three numbers, mouth open or not: what is masked follows from what is seen, but for the mouth."""

    def __init__(self, side: int = SIDE) -> None:
        self.side = side
        y, x = torch.meshgrid(torch.linspace(-1, 1, side), torch.linspace(-1, 1, side), indexing="ij")
        self.x, self.y = x, y
        self.mouth = ((y > 0.2) & (x.abs() < 0.5)).float()[None, None]
        self.around = ((y > 0.0) & (x.abs() < 0.8)).float()[None, None]

    def batch(self, number: int, count: int) -> dict[str, Tensor]:
        drawn = torch.Generator().manual_seed(number)
        opened = (torch.rand(count, 1, generator=drawn) > 0.5).float()
        slope, level, bend = torch.rand(3, count, 1, 1, 1, generator=drawn) * 2 - 1
        colour = torch.tensor([1.0, 0.6, 0.3]).view(1, 3, 1, 1)
        skin = (0.6 * slope * self.x + 0.4 * level + 0.5 * bend * self.y.square()) * colour
        truth = (skin + (opened.view(-1, 1, 1, 1) - 0.5) * self.mouth).clamp(-1, 1)
        mask = torch.from_numpy(random_masks(count, self.side, seed=3, first=number * count))
        mask[::2] = torch.maximum(mask[::2], self.around)
        return {"truth": truth, "mask": mask, "attributes": opened}


def built(
    objective: Objective = EVEN, schedule: Schedule = GROWS, hardware: Hardware = ONE, **given: Any
) -> Completion:
    settings = {"network": NETWORK, "attributes": ("open",), "seed": 1} | given
    made = ENTRY.build(Given(objective=objective, schedule=schedule, hardware=hardware, **settings))
    assert isinstance(made, Completion)
    return made


def worker(hardware: Hardware) -> Completion:
    return built(hardware=hardware)


def calm(hardware: Hardware) -> Completion:
    return built(replace(EVEN, game="logistic", penalty_every=2), hardware=hardware)


def play(schedule: Completion, first: int, last: int) -> list[dict[str, Tensor]]:
    return [schedule.step(at(step), Toys().batch(step, 4)) for step in range(first, last)]


def test_it_fills_holes_better_than_their_mean_and_as_it_is_asked_to() -> None:
    steps, batch = 200, 8
    toys = Toys()
    objective = Objective("logistic", 0.3, 1.0, attributes=1.0, reconstruction=100.0, boundary=30.0, feature=0.0)
    objective = replace(objective, flipped_truth=False)
    settings = Schedule(steps, batch, rate=0.01, half_life=80, fading=20 * batch, steady=20 * batch, history=16)
    training = built(objective, settings, network=Network(SIDE, (16, 12)), seed=0)
    for step in range(steps):
        training.step(At(step, steps, Draws(SEED, step), batch), toys.batch(step, batch))
    unseen = toys.batch(10**6, 64)
    real, mask = unseen["truth"], unseen["mask"]
    made, known, inside = training.shown(unseen)["made"], 1 - mask, mask.expand_as(real) > 0
    assert torch.equal(made[~inside], real[~inside])
    mean = (real * known).sum((2, 3), keepdim=True) / known.sum((2, 3), keepdim=True)
    assert (made - real)[inside].abs().mean() < 0.75 * (mean - real)[inside].abs().mean()
    hidden = {"truth": real, "mask": toys.around.expand_as(mask)}
    opened, closed = (training.shown({**hidden, "attributes": torch.full((64, 1), value)}) for value in (1.0, 0.0))
    change = opened["made"] - closed["made"]
    assert change[toys.mouth.expand_as(change) > 0].mean() > 0.15
    assert torch.equal(opened["open turned round"], closed["made"])
    judged = training.networks["discriminator"](real).attributes
    assert ((judged > 0) == (unseen["attributes"] > 0.5)).float().mean() > 0.9


# What a step says, computed again from copies of the networks, the equations and the draws.


def averaged(x: Tensor, side: int) -> Tensor:
    return x.reshape(*x.shape[:2], side, x.shape[-1] // side, side, -1).mean((3, 5))


def doubled(x: Tensor) -> Tensor:
    return x.repeat_interleave(2, -1).repeat_interleave(2, -2)


def cross_entropy(logits: Tensor, wanted: Tensor) -> Tensor:
    likely = torch.sigmoid(logits)
    return -(wanted * likely.log() + (1 - wanted) * (1 - likely).log()).sum() / len(logits)


def beside_the_edge(mask: Tensor, radius: int) -> Tensor:
    found = torch.zeros_like(mask)
    count, _, height, width = mask.shape
    edge = torch.zeros_like(mask)
    for place, y, x in itertools.product(range(count), range(height), range(width)):
        around = [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
        near = [mask[place, 0, v, u] for v, u in around if 0 <= v < height and 0 <= u < width]
        edge[place, 0, y, x] = float(any(one != mask[place, 0, y, x] for one in near))
    for y, x in itertools.product(range(height), range(width)):
        window = edge[:, 0, max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1]
        found[:, 0, y, x] = window.mean((1, 2))
    return found


@pytest.mark.parametrize("game", ["wasserstein", "logistic"])
@pytest.mark.parametrize(
    ("number", "stage"), [(1, Stage(4)), (FADES, Stage(8, 0.0)), (4, Stage(8, 0.5)), (7, Stage(8))]
)
def test_the_terms_of_a_step_are_those_of_the_equations(game: str, number: int, stage: Stage) -> None:
    torch.manual_seed(0)
    training = built(replace(WHOLE, game=game, inside=0.6), replace(GROWS, history=0))
    play(training, 0, number)
    generator, judge = (
        CompletionGenerator(SIDE, channels=(12, 8), attributes=1),
        CompletionDiscriminator(SIDE, channels=(12, 8), attributes=1),
    )
    generator.load_state_dict(training.networks["generator"].state_dict())
    judge.load_state_dict(training.networks["discriminator"].state_dict())
    batch = Toys().batch(number, 4)
    told = training.step(at(number), batch)
    real, mask, attributes = (
        averaged(batch["truth"], stage.size),
        averaged(batch["mask"], stage.size),
        batch["attributes"],
    )
    p = at(number).draws.uniform("completion.flip", 4, 2, like=real)[:, :1]
    asked = torch.where(p < 0.5, attributes, 1 - attributes)
    assert stage.alpha < 1 or 0 < (asked != attributes).sum() < 4
    made = generator(pack(real, mask), asked, stage).detach()
    coarse = doubled(averaged(real, stage.size // 2)) if stage.fades else real
    seen = stage.alpha * real + (1 - stage.alpha) * coarse
    first, second = judge(seen, stage), judge(made, stage)
    expected = {"attributes_real": cross_entropy(first.attributes, attributes)}
    if game == "wasserstein":
        expected["discriminator"] = second.realness.mean() - first.realness.mean()
        expected["drift"] = (first.realness**2).mean()
        t = at(number).draws.uniform("completion.places", 4, 1, 1, 1, like=real)
        lengths = []
        for point in (t * seen + (1 - t) * made).split(1):
            x = point.detach().requires_grad_()
            judge(x, stage).realness.sum().backward()
            assert x.grad is not None
            lengths.append(x.grad.norm())
        expected["penalty"] = ((torch.stack(lengths) - 1) ** 2).mean()
    else:
        likely = torch.sigmoid(first.realness).log() + (1 - torch.sigmoid(second.realness)).log()
        expected["discriminator"] = -likely.mean()
        x = seen.clone().requires_grad_()
        judge(x, stage).realness.sum().backward()
        assert x.grad is not None
        expected["penalty"] = (x.grad**2).sum() / 4
    judge.load_state_dict(training.networks["discriminator"].state_dict())
    after = judge(made, stage)
    expected["adversarial"] = (
        -after.realness.mean() if game == "wasserstein" else -torch.sigmoid(after.realness).log().mean()
    )
    expected["attributes"] = cross_entropy(after.attributes, asked)
    difference = (real - made).abs()
    expected["reconstruction"] = (0.6 * mask * difference + 0.4 * (1 - mask) * difference).mean()
    expected["boundary"] = (beside_the_edge((mask > 0).float(), 3) * difference).mean()
    features = sface_features(("conv_4",))
    large = [x.repeat_interleave(32 // stage.size, -1).repeat_interleave(32 // stage.size, -2) for x in (real, made)]
    maps = [features(x)["conv_4"] for x in large]
    expected["feature"] = ((maps[0] - maps[1]) ** 2).mean()
    assert told.keys() == expected.keys()
    for name, value in expected.items():
        assert float(told[name]) == pytest.approx(float(value.detach()), rel=2e-3, abs=1e-5), name
        assert not told[name].requires_grad


@pytest.mark.parametrize(("game", "smooth"), [("wasserstein", 7.0), ("logistic", 3.5)])
def test_a_step_goes_down_the_weighted_gradients(game: Any, smooth: float) -> None:
    objective = Objective(
        game, 0.3, 7.0, penalty_every=3, drift=0.2, attributes=1.5, reconstruction=2.0, feature=0.0, boundary=4.0
    )
    training = built(objective, replace(GROWS, first=SIDE, history=0))
    generator = CompletionGenerator(SIDE, channels=(12, 8), attributes=1)
    judge = CompletionDiscriminator(SIDE, channels=(12, 8), attributes=1)
    generator.load_state_dict(training.networks["generator"].state_dict())
    judge.load_state_dict(training.networks["discriminator"].state_dict())
    batch, stage = Toys().batch(0, 4), Stage(SIDE)
    faces = at_stage(with_draws(at(0), batch), stage, objective.radius)
    made = generator(faces.seen, faces.asked, stage)
    terms = game_terms(objective, judge, faces, made.detach())
    loss = terms["discriminator"] + 1.5 * terms["attributes_real"]
    loss = loss + 0.2 * terms.get("drift", 0.0) + 3 * smooth * penalty(game, judge, faces, made.detach())
    training.step(at(0), batch)
    _same_gradients(training.state()["judges"], loss, judge)
    judge.load_state_dict(training.networks["discriminator"].state_dict())
    terms = completion_terms(objective, judge, None, faces, made)
    loss = 0.3 * terms["adversarial"] + 1.5 * terms["attributes"] + 2 * terms["reconstruction"] + 4 * terms["boundary"]
    _same_gradients(training.state()["makes"], loss, generator)
    assert "penalty" not in training.step(at(1), batch)
    assert "penalty" in training.step(at(3), batch)


def _same_gradients(player: Any, loss: Tensor, module: torch.nn.Module) -> None:
    """Adam's first moment is the gradient, as its first beta is 0."""
    held = player["optimiser"]["state"]
    gradients = torch.autograd.grad(loss, list(module.parameters()), allow_unused=True, retain_graph=True)
    assert held.keys() == {number for number, one in enumerate(gradients) if one is not None}
    for number, one in held.items():
        torch.testing.assert_close(one["exp_avg"], gradients[number], rtol=1e-3, atol=1e-5)


def test_without_the_truth_of_flipped_faces_only_their_holes_are_free() -> None:
    batch = Toys().batch(3, 4)
    drawn = torch.tensor([[0.9, 0.0], [0.1, 0.0], [0.5, 0.0], [0.49, 0.0]])
    part = {**batch, "asked": flipped(batch["attributes"], drawn), "places": torch.zeros(4, 1, 1, 1)}
    faces = at_stage(part, Stage(SIDE), 1)
    made = (faces.truth + torch.linspace(0.1, 0.9, 64).view(1, 1, SIDE, SIDE)).requires_grad_()
    free = replace(EVEN, flipped_truth=False, inside=0.6)
    terms = completion_terms(free, None, None, faces, made)
    counts = 1 - torch.tensor([1.0, 0.0, 1.0, 0.0]).view(-1, 1, 1, 1) * faces.mask
    weight = 0.6 * faces.mask + 0.4 * (1 - faces.mask)
    difference = counts * (made.detach() - faces.truth).abs()
    assert terms["reconstruction"].item() == pytest.approx((weight * difference).mean().item(), rel=1e-4)
    assert terms["boundary"].item() == pytest.approx((faces.edges * difference).mean().item(), rel=1e-4)
    (gradient,) = torch.autograd.grad(terms["reconstruction"] + terms["boundary"], made)
    assert ((gradient != 0) <= (counts > 0)).all()


@pytest.mark.parametrize(
    ("left_out", "gone"),
    [
        ({"adversarial": 0.0}, {"adversarial", "discriminator", "drift", "penalty"}),
        ({"attributes": 0.0}, {"attributes", "attributes_real"}),
        ({"reconstruction": 0.0}, {"reconstruction"}),
        ({"feature": 0.0}, {"feature"}),
        ({"boundary": 0.0}, {"boundary"}),
        ({"drift": 0.0}, {"drift"}),
        ({"penalty": 0.0}, {"penalty"}),
        ({"inside": 0.2}, set()),
        ({"radius": 0}, set()),
        ({"flipped_truth": False}, set()),
    ],
)
def test_every_term_is_wired_in(left_out: dict[str, Any], gone: set[str]) -> None:
    whole, ablated = built(WHOLE), built(replace(WHOLE, **left_out))
    rows = [play(training, 0, 8) for training in (whole, ablated)]
    assert rows[0][0].keys() - rows[1][0].keys() == gone
    generators = [
        {name: one for name, one in weights(training).items() if name.startswith("generator ")}
        for training in (whole, ablated)
    ]
    assert far(*generators) > 1e-4


def test_the_game_can_be_attributes_alone_and_a_network_may_have_none() -> None:
    plain = built(attributes=())
    batch = Toys().batch(0, 4)
    del batch["attributes"]
    assert plain.names == {"truth", "mask"}
    assert not {"attributes", "attributes_real"} & plain.step(at(0), batch).keys()
    assert plain.shown(batch).keys() == {"given", "made", "truth"}
    assert networks.recognise(plain.exports()["generator"].state_dict()).arguments["attributes"] == 0
    told = built(replace(EVEN, adversarial=0.0)).step(at(0), Toys().batch(0, 4))
    assert told.keys() == {"attributes", "attributes_real", "reconstruction", "boundary"}
    alone = built(Objective(adversarial=0.0, attributes=0.0, feature=0.0))
    before = weights(alone)
    alone.step(at(0), Toys().batch(0, 4))
    moved = {name.split()[0] for name, one in weights(alone).items() if not torch.equal(one, before[name])}
    assert moved == {"generator", "average"}


def test_it_grows_through_all_sizes_without_a_jump() -> None:
    size = 16
    settings = Schedule(steps=20, batch=4, rate=0.01, fading=8, steady=8, history=2)
    training = built(EVEN, settings, network=Network(size, (8, 6, 4)))
    toys = Toys(size)
    sides, exported = [], []
    for step in range(settings.steps):
        batch = toys.batch(step, 4)
        # Blocks of equal pixels, so that the tone is the same at both sizes.
        shown = {name: doubled(doubled(averaged(one, 4))) if one.ndim == 4 else one for name, one in batch.items()}
        if step in (2, 6):
            stage = training._stage(step)
            assert stage == Stage(4 << (1 + step // 6), 0.0)
            generator = training.networks["generator"]
            before = generator(
                pack(averaged(shown["truth"], stage.size // 2), averaged(shown["mask"], stage.size // 2)),
                batch["attributes"],
                Stage(stage.size // 2),
            )
            after = generator(
                pack(averaged(shown["truth"], stage.size), averaged(shown["mask"], stage.size)),
                batch["attributes"],
                stage,
            )
            assert torch.allclose(after, doubled(before), atol=1e-5)
        training.step(at(step), batch)
        sides.append(training._stage(step).size)
        exported.append(networks.recognise(training.exports()["generator"].state_dict()).arguments["size"])
        assert training.shown(batch)["made"].shape == batch["truth"].shape
    assert sides == [4] * 2 + [8] * 4 + [16] * 14
    assert [training.phase(step) for step in range(settings.steps)] == [f"{side} pixels" for side in sides]
    # A size that still fades in is not what is kept.
    assert exported == [4] * 4 + [8] * 4 + [16] * 12
    assert float((faded(batch["truth"], Stage(16, 0.0)) - batch["truth"]).abs().max()) > 0


def test_moments_are_forgotten_where_a_size_is_added_unless_they_are_to_stay() -> None:
    for fresh, expected in ((True, {2.0}), (False, {2.0, 4.0})):
        training = built(schedule=replace(GROWS, fresh=fresh))
        play(training, 0, FADES + 2)
        for player in ("makes", "judges"):
            held = training.state()[player]["optimiser"]["state"].values()
            assert {float(one["step"]) for one in held} == expected
        assert {one.shape[-1] for one in training.state()["history"]["kept"]} == {8}


@pytest.mark.parametrize("build", [worker, calm])
def test_a_training_that_is_resumed_comes_to_the_same_bits(build: Any) -> None:
    undisturbed = build(ONE)
    rows, kept = [], {}
    for step in range(GROWS.steps):
        kept[step] = files(undisturbed)
        rows += play(undisturbed, step, step + 1)
    last = files(undisturbed)
    for step in (1, FADES, 4, GROWN, 11):
        training = resumed(build, kept[step])
        assert files(training) == kept[step]
        torch.manual_seed(step)  # nothing depends on it
        again = play(training, step, GROWS.steps)
        assert files(training) == last
        assert all(torch.equal(row[name], rows[step + n][name]) for n, row in enumerate(again) for name in row)
        assert torch.equal(training.shown(Toys().batch(0, 4))["made"], undisturbed.shown(Toys().batch(0, 4))["made"])


def test_two_workers_come_to_what_one_comes_to(tmp_path: Path) -> None:
    batch, steps = Toys().batch(0, 4), range(8)
    alone = worker(ONE)
    rows = [alone.step(at(step), batch) for step in steps]
    found = from_two_workers(worker, batch, steps, tmp_path)
    for name, one in weights(alone).items():
        torch.testing.assert_close(found["weights"][name], one, rtol=1e-3, atol=1e-4, msg=name)
    for row, other in zip(rows, found["rows"], strict=True):
        assert {name: float(one) for name, one in other.items()} == pytest.approx(
            {name: float(one) for name, one in row.items()}, rel=1e-3, abs=1e-4
        )


def test_parts_of_a_batch_make_the_step_of_the_whole() -> None:
    whole, parted = built(), built(schedule=replace(GROWS, accumulate=4))
    for rows in zip(play(whole, 0, 8), play(parted, 0, 8), strict=True):
        first, second = ({name: float(one) for name, one in row.items()} for row in rows)
        assert first == pytest.approx(second, rel=1e-3, abs=1e-4)
    for name, one in weights(whole).items():
        torch.testing.assert_close(weights(parted)[name], one, rtol=1e-3, atol=1e-4)


def test_old_faces_are_shown_to_the_discriminator_again() -> None:
    told = [play(built(schedule=replace(GROWS, history=size)), 0, 2)[-1] for size in (0, 2)]
    assert float(told[0]["discriminator"]) != float(told[1]["discriminator"])


def test_what_is_exported_is_the_running_mean_as_a_restorer_loads_it() -> None:
    training = built()
    play(training, 0, 8)
    exported = training.exports()["generator"]
    assert exported is training.networks["average"]
    assert far(exported.state_dict(), training.networks["generator"].state_dict()) > 1e-4
    loaded = networks.from_state_dict(exported.state_dict())
    batch = Toys().batch(9, 4)
    x = pack(batch["truth"], batch["mask"], batch["attributes"])
    expected = exported(x)
    assert torch.equal(loaded(x), expected)
    shown = training.shown(batch)["made"]
    assert torch.allclose(shown, torch.lerp(batch["truth"], expected, batch["mask"]), atol=1e-6)
    bare = built(schedule=replace(GROWS, half_life=0.0))
    assert bare.exports()["generator"] is bare.networks["generator"] or bare.exports()["generator"].size == 4
    assert "average" not in bare.networks


def test_less_precise_arithmetic_and_another_layout_come_close() -> None:
    rows = [
        play(built(hardware=hardware), 0, 5)
        for hardware in (Hardware(), Hardware(channels_last=True), Hardware(precision="bf16", channels_last=True))
    ]
    for exact, laid, half in zip(*rows, strict=True):
        assert {name: float(one) for name, one in laid.items()} == pytest.approx(
            {name: float(one) for name, one in exact.items()}, rel=1e-2, abs=1e-3
        )
        assert half["reconstruction"].dtype == torch.float32
        assert 0 < abs(float(half["reconstruction"] - exact["reconstruction"])) < 0.02


def test_a_compiled_network_is_the_same_network(monkeypatch: pytest.MonkeyPatch) -> None:
    short = replace(GROWS, fading=4, steady=4)
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="eager"))
    with torch._dynamo.config.patch(recompile_limit=4, fail_on_recompile_limit_hit=True):
        rows = play(built(schedule=short, hardware=Hardware(compiled=True)), 0, 4)
    plain = play(built(schedule=short), 0, 4)
    for row, other in zip(rows, plain, strict=True):
        assert {name: float(one) for name, one in row.items()} == pytest.approx(
            {name: float(one) for name, one in other.items()}, rel=1e-3, abs=1e-4
        )


def test_attributes_are_flipped_one_at_a_time_half_of_the_time() -> None:
    drawn = Draws(SEED, 0).uniform("any", 4000, 2, like=torch.zeros(1))
    attributes = torch.tensor([[1.0, 0.0, 0.25]]).expand(4000, 3)
    changed = flipped(attributes, drawn) != attributes
    assert set(changed.sum(1).tolist()) == {0, 1}
    assert changed.any(1).float().mean() == pytest.approx(0.5, abs=0.03)
    assert changed.float().mean(0).tolist() == pytest.approx([1 / 6] * 3, abs=0.02)
    assert flipped(attributes, drawn).unique(dim=0).tolist() == [[0, 0, 0.25], [1, 0, 0.25], [1, 0, 0.75], [1, 1, 0.25]]


def test_the_learning_rate_is_the_schedules_and_can_be_lowered() -> None:
    training, slow = built(schedule=replace(GROWS, warm=4)), built(schedule=replace(GROWS, warm=4))
    slow.slower(0.5)
    for one, factor in ((training, 1.0), (slow, 0.5)):
        play(one, 0, 1)
        for player in ("makes", "judges"):
            assert one.state()[player]["optimiser"]["param_groups"][0]["lr"] == pytest.approx(0.01 * factor / 4)


def test_it_begins_as_what_it_is_given() -> None:
    earlier = built(seed=7)
    play(earlier, 0, 3)
    starts = {name: dict(earlier.networks[name].state_dict()) for name in ("generator", "discriminator")}
    begun = built(starts=starts)
    for name, start in starts.items():
        assert all(torch.equal(one, start[key]) for key, one in begun.networks[name].state_dict().items())
    assert far(begun.networks["average"].state_dict(), starts["generator"]) == 0
    with pytest.raises(ValueError, match=r"start: encoder: no such network; expected one of generator, discriminator"):
        built(starts={"encoder": starts["generator"]})
    with pytest.raises(ValueError, match=r"start: generator: .* shape"):
        built(starts=starts, network=Network(SIDE, (12, 7)))
    with pytest.raises(ValueError, match=r"start: features.*VGG-16"):
        built(WHOLE, starts={"features": starts["generator"]})


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Network(24), "size: 24; expected a power of two"),
        (lambda: Network(16, (8, 8)), r"channels: \[8, 8\]; expected 3 counts"),
        (lambda: Objective(game="hinge"), "game: 'hinge'; expected wasserstein"),  # type: ignore[arg-type]
        (lambda: Objective(feature=-1.0), "feature: -1.0; expected a weight from 0"),
        (lambda: Objective(inside=1.5), "inside: 1.5"),
        (lambda: Schedule(first=6), "first: 6; expected a power of two"),
        (lambda: Schedule(fading=0), "fading: 0"),
        (lambda: check_growth(Network(8), Schedule(first=16)), "first: 16 pixels; expected at most"),
        (lambda: built(schedule=replace(GROWS, steps=6)), "takes 7 steps or more: raise `steps`"),
        (
            lambda: built(Objective(adversarial=0, reconstruction=0, boundary=0, feature=0), attributes=()),
            "no term counts",
        ),
    ],
)
def test_what_cannot_be_is_refused(make: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make()


def test_the_papers_settings_are_those_that_need_no_words() -> None:
    assert ENTRY.check is not None
    ENTRY.check(Given(Network(), Objective(), Schedule()))
    built(schedule=replace(GROWS, steps=7))
    built(schedule=Schedule(steps=2, batch=4, first=8, history=0))
