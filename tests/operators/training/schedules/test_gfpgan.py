"""GFPGAN's training at tiny size: its terms and games, its prior, its resumption, its workers."""

from __future__ import annotations

import copy
import dataclasses
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from operators.faces.templates import template_points
from operators.features.identity import Embedder
from operators.networks import from_state_dict
from operators.networks.gfpgan.kit import CLEAN
from operators.networks.gfpgan.network import Gfpgan
from operators.training.contract import Hardware
from operators.training.schedules.contract import Given
from operators.training.schedules.gfpgan.components import Components
from operators.training.schedules.gfpgan.entry import ENTRY
from operators.training.schedules.gfpgan.options import Network, Objective, Schedule
from operators.training.schedules.gfpgan.schedule import GfpganTraining
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

NETWORK = Network(size=32, num_style_feat=8, num_mlp=1, narrow=1 / 64, judge_narrow=1 / 64, component_width=4)
SMALLER = dataclasses.replace(NETWORK, size=16)
TUNED = Schedule(steps=40, batch=4, prior="tuned", every=2, pyramid_steps=4, half_life=8)
PAPER = Objective()
SEEN = Objective(perceptual=0.0, identity=0.0)
ALONE = Objective(perceptual=0.0, identity=0.0, adversarial=0.0, component=0.0)
PLAIN = Hardware()
COMPONENTS = ["left_eye", "right_eye", "mouth"]


def training(
    schedule: Schedule = TUNED,
    objective: Objective = SEEN,
    network: Network = NETWORK,
    hardware: Hardware = PLAIN,
    **starts: nn.Module,
) -> GfpganTraining:
    states = {name: dict(module.state_dict()) for name, module in starts.items()}
    built = ENTRY.build(Given(network, objective, schedule, hardware, seed=3, starts=states))
    assert isinstance(built, GfpganTraining)
    return built


def games(hardware: Hardware) -> GfpganTraining:
    """Of a module, so that other processes find it. Larger steps would make more of rounding."""
    return training(dataclasses.replace(TUNED, rate=1e-4), hardware=hardware)


def shared(hardware: Hardware) -> GfpganTraining:
    """The same, with a batch of which two workers get a whole group each."""
    return training(dataclasses.replace(TUNED, rate=1e-4, batch=8), hardware=hardware)


@pytest.fixture(scope="module")
def whole() -> tuple[GfpganTraining, list[dict[str, Tensor]]]:
    """Five steps of it, with their rows."""
    schedule = games(PLAIN)
    return schedule, run(schedule, pairs(4, 32), 0, 5)


@pytest.fixture(scope="module")
def papers() -> dict[str, Tensor]:
    """The generator after two steps with all terms."""
    schedule = training(objective=PAPER)
    run(schedule, pairs(4, 32), 0, 2)
    return dict(schedule.networks["generator"].state_dict())


def other(size: int = 32, stored_noise: bool = True) -> Gfpgan:
    """A GFPGAN with other weights than a training's."""
    torch.manual_seed(11)
    return Gfpgan(size, kit=CLEAN, num_style_feat=8, num_mlp=1, narrow=1 / 64, stored_noise=stored_noise)


def test_it_learns() -> None:
    schedule, batch = training(dataclasses.replace(TUNED, rate=1e-2, pyramid_steps=100), ALONE, SMALLER), pairs(4, 16)
    rows = run(schedule, batch, 0, 40)
    assert rows[-1]["content"] < 0.5 * rows[0]["content"]
    assert rows[-1]["pyramid"] < 0.65 * rows[0]["pyramid"]
    made = schedule.shown(batch)["made"]
    assert (made - batch["truth"]).abs().mean() < 0.5 * rows[0]["content"]


def test_it_learns_in_the_game() -> None:
    mostly = Objective(1.0, 1.0, 0.0, adversarial=0.01, component=0.01, component_style=1.0, identity=0.0)
    schedule, batch = training(dataclasses.replace(TUNED, rate=5e-3, pyramid_steps=100), mostly), pairs(4, 32)
    rows = run(schedule, batch, 0, 25)
    assert rows[-1]["content"] < 0.75 * rows[0]["content"]
    assert rows[-1]["pyramid"] < 0.85 * rows[0]["pyramid"]


def test_discriminators_learn() -> None:
    faces, components = pairs(4, 32)["truth"] / 2, Components(NETWORK, 1e-2, Given(NETWORK, SEEN, TUNED))
    sides = [faces[::2] + 0.5, faces[1::2] + 0.5], [faces[::2] - 0.5, faces[1::2] - 0.5]
    terms = [float(components.improve(*sides, 1.0)) for _ in range(25)]
    assert terms[0] == pytest.approx(6 * math.log(2), rel=0.05)
    assert terms[-1] < 0.7 * terms[0]


def test_terms_come_when_they_count() -> None:
    rows = run(training(objective=PAPER), pairs(4, 32), 0, 6)
    always = {
        *("content", "perceptual", "identity", "adversarial", "component", "component_style"),
        *("discriminator", "component_discriminator"),
    }
    for step, row in enumerate(rows):
        assert set(row) == always | ({"pyramid"} if step < 4 else set()) | ({"penalty"} if step % 2 == 0 else set())
        assert all(not one.requires_grad and one.dim() == 0 and one.isfinite() for one in row.values())


@pytest.mark.parametrize(
    "name",
    ["content", "pyramid", "perceptual", "adversarial", "component", "component_style", "identity", "penalty"],
)
def test_every_term_counts(name: str, papers: dict[str, Tensor]) -> None:
    schedule = training(objective=dataclasses.replace(PAPER, **{name: 0.0}))
    rows = run(schedule, pairs(4, 32), 0, 2)
    assert far(papers, dict(schedule.networks["generator"].state_dict())) > 1e-7
    assert name == "content" or name not in rows[0]


def test_what_is_not_played_is_not_there() -> None:
    everything = {"generator", "average", "discriminator", *COMPONENTS}
    assert set(training().networks) == everything
    assert set(training(objective=dataclasses.replace(SEEN, component=0.0)).networks) == everything - set(COMPONENTS)
    assert set(training(objective=dataclasses.replace(SEEN, adversarial=0.0)).networks) == everything - {
        "discriminator"
    }
    assert set(run(training(objective=ALONE, network=SMALLER), pairs(4, 16), 0, 1)[0]) == {"content", "pyramid"}


@pytest.mark.parametrize("prior", ["frozen", "tuned"])
def test_a_prior_is_frozen_or_tuned(prior: str) -> None:
    given = other(16)
    schedule = training(dataclasses.replace(TUNED, prior=prior), ALONE, SMALLER, prior=given)
    generator, batch = schedule.networks["generator"], pairs(4, 16)
    inside = given.stylegan_decoder.state_dict()
    assert far(generator.stylegan_decoder.state_dict(), inside) == 0
    assert far(dict(generator.conv_body_first.state_dict()), dict(given.conv_body_first.state_dict())) > 1e-3
    before = copy.deepcopy(generator)
    run(schedule, batch, 0, 3)
    moved = far(generator.stylegan_decoder.state_dict(), inside)
    assert (moved == 0) == (prior == "frozen")
    assert (far(schedule.networks["average"].stylegan_decoder.state_dict(), inside) == 0) == (prior == "frozen")
    assert far(generator.condition_scale.state_dict(), before.condition_scale.state_dict()) > 1e-5


def test_the_priors_share_of_the_rate() -> None:
    schedule = training(dataclasses.replace(TUNED, prior_share=0.1), ALONE, SMALLER)
    before = weights(schedule)
    run(schedule, pairs(4, 16), 0, 1)
    after = weights(schedule)
    for prefix, rate in (("generator conv_body_down", 2e-3), ("generator stylegan_decoder.style_convs", 2e-4)):
        steps = torch.cat([(after[name] - before[name]).abs().reshape(-1) for name in after if name.startswith(prefix)])
        assert float(steps[steps > 0].median()) == pytest.approx(rate, rel=0.02)
        assert float(steps.max()) < rate * 1.05


@pytest.mark.parametrize("stored", [True, False])
def test_begins_as_it_is_told(stored: bool) -> None:
    given, judges = other(32, stored), training(objective=SEEN, network=NETWORK).networks
    with torch.no_grad():
        judges["mouth"].conv1[0].weight.add_(1.0)
        judges["discriminator"].final_conv[0].weight.add_(1.0)
    frozen = dataclasses.replace(TUNED, prior="frozen")
    schedule = training(frozen, SEEN, generator=given, mouth=judges["mouth"], discriminator=judges["discriminator"])
    for name, one in {"generator": given, "mouth": judges["mouth"], "discriminator": judges["discriminator"]}.items():
        assert far(dict(schedule.networks[name].state_dict()), dict(one.state_dict())) == 0
    batch = pairs(2, 32)
    assert torch.allclose(schedule.shown(batch)["made"], given(batch["degraded"]), atol=1e-6)


@pytest.mark.parametrize("kept", [1, 4])
def test_going_on_is_the_same(kept: int, whole: tuple[GfpganTraining, list[dict[str, Tensor]]]) -> None:
    undisturbed, rows = whole
    begun = games(PLAIN)
    run(begun, pairs(4, 32), 0, kept)
    second = resumed(games, files(begun))
    again = run(second, pairs(4, 32), kept, 5)
    assert [{name: float(one) for name, one in row.items()} for row in again] == [
        {name: float(one) for name, one in row.items()} for row in rows[kept:]
    ]
    assert files(second) == files(undisturbed)
    assert second.state()["average"] == 5


def test_slower_is_kept() -> None:
    schedule, batch = games(PLAIN), pairs(4, 32)
    schedule.slower(0.0)
    before = weights(schedule)
    second = resumed(games, files(schedule))
    run(second, batch, 0, 1)
    assert far(before, weights(second)) < 1e-9


def test_two_workers_are_one(tmp_path: Path) -> None:
    batch, alone = pairs(8, 32), shared(PLAIN)
    before = weights(alone)
    rows = run(alone, batch, 0, 3)
    found = from_two_workers(shared, batch, range(3), tmp_path)
    _same(found["rows"], rows)
    assert far(found["weights"], weights(alone)) < 1e-3 * far(before, weights(alone))


def test_parts_of_a_batch_are_the_batch() -> None:
    batch, once = pairs(8, 32), games(PLAIN)
    parts = training(dataclasses.replace(TUNED, rate=1e-4, accumulate=2))
    before = weights(once)
    _same(run(parts, batch, 0, 3), run(once, batch, 0, 3))
    assert far(weights(parts), weights(once)) < 1e-3 * far(before, weights(once))


def test_terms_by_hand() -> None:
    schedule, batch = training(objective=dataclasses.replace(SEEN, identity=1.0)), pairs(4, 32)
    networks = {name: copy.deepcopy(module) for name, module in schedule.networks.items()}
    (row,) = run(schedule, batch, 1, 2)
    truth = batch["truth"]
    with torch.no_grad():
        made, smaller = networks["generator"].with_pyramid(batch["degraded"])
    real, fake = networks["discriminator"](truth), networks["discriminator"](made)
    assert float(row["content"]) == pytest.approx(float((made - truth).abs().mean()), rel=1e-5)
    levels = [float((one - functional.avg_pool2d(truth, 32 // one.shape[-1])).abs().mean()) for one in smaller]
    assert [one.shape[-1] for one in smaller] == [8, 16, 32]
    assert float(row["pyramid"]) == pytest.approx(sum(levels), rel=1e-4)
    assert float(row["adversarial"]) == pytest.approx(-_mean_log(fake), rel=1e-4)
    assert float(row["discriminator"]) == pytest.approx(-_mean_log(real) - _mean_log(-fake), rel=1e-4)
    embedder = Embedder((template_points("ffhq", 32) + 0.5) / 32)
    angles = (embedder(made) * embedder(truth)).sum(1)
    assert float(row["identity"]) == pytest.approx(float((1 - angles).mean()), rel=1e-4)
    _components_by_hand(row, networks, made, truth)


def _components_by_hand(row: dict[str, Tensor], networks: dict[str, nn.Module], made: Tensor, truth: Tensor) -> None:
    """Squares by interpolation in every pixel, Gram matrices by loops."""
    points = template_points("ffhq", 32)
    centres = {"left_eye": points[0], "right_eye": points[1], "mouth": (points[3] + points[4]) / 2}
    game, judged, style = 0.0, 0.0, 0.0
    for name, centre in centres.items():
        side = 8 if name == "mouth" else 5
        some, others = (_square(one, float(centre[0]), float(centre[1]), side) for one in (made, truth))
        judge = networks[name]
        game -= _mean_log(judge(some))
        judged -= _mean_log(judge(others)) + _mean_log(-judge(some))
        for one, two in zip(judge.judged(some)[1], judge.judged(others)[1], strict=True):
            style += float((_gram(one) - _gram(two)).abs().mean())
    assert float(row["component"]) == pytest.approx(game, rel=1e-3)
    assert float(row["component_discriminator"]) == pytest.approx(judged, rel=1e-3)
    assert float(row["component_style"]) == pytest.approx(style, rel=2e-3)


def test_components_lie_where_the_template_has_them() -> None:
    """Pictures whose values are their places: red across, green down."""
    size = 64
    network = dataclasses.replace(NETWORK, size=size, template="gpen")
    components = Components(network, 1e-3, Given(network, SEEN, TUNED))
    places = torch.arange(size).float().expand(1, 1, size, size)
    pictures = torch.cat([places, places.transpose(2, 3), places], 1)
    found = components.cut(pictures)
    points = template_points("gpen", size)
    assert {name: one.shape[-1] for name, one in found.items()} == {"left_eye": 10, "right_eye": 10, "mouth": 15}
    for name, point in zip(COMPONENTS, (points[0], points[1], (points[3] + points[4]) / 2), strict=True):
        assert found[name][0, :2].mean((1, 2)).tolist() == pytest.approx(point.tolist(), abs=1e-3)


def test_what_is_exported_is_known() -> None:
    schedule, batch = training(network=SMALLER, objective=ALONE), pairs(4, 16)
    run(schedule, batch, 0, 2)
    assert set(schedule.exports()) == {"generator"}
    again = from_state_dict(schedule.exports()["generator"].state_dict())
    assert again.recognised.architecture == "gfpgan_clean"
    assert torch.allclose(again(batch["degraded"]), schedule.shown(batch)["made"], atol=1e-5)


@pytest.mark.parametrize("hardware", [Hardware(channels_last=True), Hardware(precision="bf16")])
def test_other_hardware_comes_to_nearly_the_same(
    hardware: Hardware, whole: tuple[GfpganTraining, list[dict[str, Tensor]]]
) -> None:
    _, rows = whole
    others = run(games(hardware), pairs(4, 32), 0, 2)
    for row, two in zip(rows[:2], others, strict=True):
        assert row.keys() == two.keys()
        assert all(float(row[name]) == pytest.approx(float(two[name]), rel=0.1, abs=0.02) for name in row)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"network": {"size": 33}}, r"model\.size is 33"),
        ({"network": {"template": "nose"}}, r"model\.template is 'nose'"),
        ({"network": {"component_width": 0}}, r"model\.component_width is 0"),
        ({"objective": {"component": -1.0}}, r"objective\.component is -1\.0"),
        ({"schedule": {"prior": "thawed"}}, r"schedule\.prior is 'thawed'"),
        ({"schedule": {"every": 0}}, "every"),
    ],
)
def test_impossible_settings_are_refused(settings: dict, message: str) -> None:
    kinds = {"network": NETWORK, "objective": SEEN, "schedule": TUNED}
    with pytest.raises(ValueError, match=message):
        for name, changes in settings.items():
            dataclasses.replace(kinds[name], **changes)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"schedule\.prior is frozen, and nothing says what it is"):
        training(dataclasses.replace(TUNED, prior="frozen"))
    with pytest.raises(ValueError, match=r"objective\.component is 1\.0, and model\.size 16"):
        training(network=SMALLER)
    with pytest.raises(ValueError, match="prior: "):
        training(prior=other(64))
    with pytest.raises(ValueError, match=r"schedule\.batch is 12, in 2 workers x 1 parts"):
        training(dataclasses.replace(TUNED, batch=12), hardware=Hardware(world=2))
    with pytest.raises(ValueError, match="no such network"):
        training(decoder=nn.Linear(1, 1))


def test_step_numbers_are_the_papers() -> None:
    """The pyramid counts in the first 50 000 of 800 000 steps, R1 in every sixteenth."""
    paper = Schedule()
    assert (paper.steps, paper.batch, paper.pyramid_steps, paper.every) == (800_000, 12, 50_000, 16)
    schedule, batch = (
        training(Schedule(prior="tuned"), dataclasses.replace(ALONE, adversarial=0.1), SMALLER),
        pairs(4, 16),
    )
    for step, expected in ((49_999, {"pyramid"}), (50_000, {"penalty"}), (50_001, set())):
        row = schedule.step(at(step), batch)
        assert set(row) & {"pyramid", "penalty"} == expected


def _mean_log(logits: Tensor) -> float:
    """E[log sigmoid(x)]."""
    found = [-math.log(1 + math.exp(-value)) for value in logits.detach().reshape(-1).tolist()]
    return sum(found) / len(found)


def _gram(features: Tensor) -> Tensor:
    count, channels = features.shape[:2]
    found = torch.zeros(count, channels, channels)
    for one in range(channels):
        for two in range(channels):
            found[:, one, two] = (features[:, one] * features[:, two]).detach().mean((1, 2)) / channels
    return found


def _square(pictures: Tensor, x: float, y: float, side: int) -> Tensor:
    """(N, 3, side, side) around a place, each pixel between its four neighbours."""
    found = torch.zeros(len(pictures), 3, side, side)
    for row in range(side):
        for column in range(side):
            down, across = y + row - (side - 1) / 2, x + column - (side - 1) / 2
            top, left = math.floor(down), math.floor(across)
            for dy, dx in ((0, 0), (0, 1), (1, 0), (1, 1)):
                share = (1 - abs(down - top - dy)) * (1 - abs(across - left - dx))
                found[:, :, row, column] += share * pictures[:, :, top + dy, left + dx]
    return found


def _same(rows: list[dict[str, Tensor]], others: list[dict[str, Tensor]]) -> None:
    for row, two in zip(rows, others, strict=True):
        assert row.keys() == two.keys()
        assert all(float(row[name]) == pytest.approx(float(two[name]), rel=1e-3, abs=1e-5) for name in row)
