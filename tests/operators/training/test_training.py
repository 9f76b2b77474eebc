import itertools
import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from operators.degradations.shipped import shipped
from operators.faces.templates import template_points
from operators.features import Embedder, sface_features
from operators.networks.gpen.network import Gpen
from operators.training.average import Average
from operators.training.captured import Captured
from operators.training.crew import Crew
from operators.training.discriminators.style import Discriminator
from operators.training.restoration import Restoration, Weights
from operators.training.samples import FacePairs, Jitter, Mixture
from operators.training.terms.adversarial import gradient_penalty, logistic_discriminator, logistic_generator
from operators.training.terms.content import absolute, feature_matching, identity_distance, squared

MOVED = Jitter()
STILL = Jitter(scale=0.0, turn=0.0, shift=0.0, mirror=0.0, gain=0.0, gamma=0.0)


def faces(count: int = 3, side: int = 72) -> np.ndarray:
    """Smooth pictures, (count, side, side, 3) uint8."""
    coarse = torch.rand(count, 3, 9, 9, generator=torch.Generator().manual_seed(1))
    pictures = functional.interpolate(coarse, side, mode="bicubic", align_corners=False).clamp(0, 1) * 255
    return pictures.permute(0, 2, 3, 1).byte().numpy()


def pairs(jitter: Jitter = MOVED, *names: str) -> FacePairs:
    chosen = names or ("gfpgan", "archival-print")
    return FacePairs(faces(), 1 / 16, 64, Mixture(tuple(map(shipped, chosen)), (1.0,) * len(chosen)), 5, jitter)


def test_a_number_is_a_pair() -> None:
    first, second = pairs(), pairs()
    for number in (0, 7, 1000):
        for one, other in zip(first.pair(number), second.pair(number), strict=True):
            assert one.shape == (64, 64, 3)
            assert np.array_equal(one, other)
    assert not np.array_equal(first.pair(0)[1], first.pair(3)[1])


def test_every_face_comes_once_in_a_round() -> None:
    made = [pairs(STILL, "scratch-repair").pair(number)[1].tobytes() for number in range(6)]
    assert len(set(made[:3])) == len(set(made[3:])) == 3
    assert set(made[:3]) == set(made[3:])


def test_without_jitter_the_target_is_the_middle_of_the_face() -> None:
    target = pairs(STILL, "scratch-repair").pair(0)[1]
    expected = [picture[4:68, 4:68] for picture in faces()]
    assert any(np.array_equal(target, one) for one in expected)


def test_a_mirrored_face_is_the_face_mirrored() -> None:
    mirrored = Jitter(scale=0.0, turn=0.0, shift=0.0, mirror=1.0, gain=0.0, gamma=0.0)
    plain, other = (pairs(one, "scratch-repair").pair(1)[1] for one in (STILL, mirrored))
    assert np.abs(plain[:, ::-1].astype(int) - other).max() <= 1


def test_a_recipe_that_shrinks_gives_the_targets_size() -> None:
    degraded, target = pairs(STILL, "real-esrgan").pair(0)
    assert degraded.shape == target.shape


def test_batches_come_in_order_from_any_crew() -> None:
    alone, crew = iter(Crew(pairs(), 2, first=3)), iter(Crew(pairs(), 2, first=3, workers=2))
    for _ in range(6):
        assert np.array_equal(next(alone), next(crew))
    crew.close()


def test_logistic_terms_by_hand() -> None:
    real, made = torch.tensor([0.5, -2.0]), torch.tensor([3.0, -1.0])
    likelihood = -sum(math.log(1 / (1 + math.exp(-x))) for x in real.tolist()) / 2
    likelihood -= sum(math.log(1 - 1 / (1 + math.exp(-x))) for x in made.tolist()) / 2
    assert float(logistic_discriminator(real, made)) == pytest.approx(likelihood, rel=1e-5)
    hidden = -sum(math.log(1 / (1 + math.exp(-x))) for x in made.tolist()) / 2
    assert float(logistic_generator(made)) == pytest.approx(hidden, rel=1e-5)


def test_penalty_is_the_squared_gradient() -> None:
    weight = torch.randn(3, 4, 4, dtype=torch.float64)
    pictures = torch.randn(2, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    logits = (pictures.square() * weight).sum((1, 2, 3))
    expected = (2 * pictures.detach() * weight).square().sum((1, 2, 3)).mean()
    assert torch.allclose(gradient_penalty(pictures, logits), expected)


@pytest.mark.parametrize("term", [absolute, squared])
def test_content_terms(term) -> None:
    one, other = (torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True) for _ in range(2))
    difference = (one - other).detach().numpy()
    expected = np.abs(difference).mean() if term is absolute else (difference**2).mean()
    assert term(one, other).item() == pytest.approx(expected)
    assert torch.autograd.gradcheck(term, (one, other))


def test_matching_and_identity() -> None:
    made = [torch.full((1, 2, 2, 2), 3.0), torch.zeros(1, 4, 1, 1)]
    truth = [torch.full((1, 2, 2, 2), 1.0), torch.full((1, 4, 1, 1), -0.5)]
    assert float(feature_matching(made, truth)) == pytest.approx(2.5)
    angles = torch.tensor([0.0, 60.0]).deg2rad()
    vectors = torch.stack([angles.cos(), angles.sin()], 1)
    assert float(identity_distance(vectors, torch.tensor([[1.0, 0.0], [1.0, 0.0]]))) == pytest.approx(0.25, abs=1e-6)


def test_discriminator_sees_how_alike_a_group_is() -> None:
    torch.manual_seed(0)
    network = Discriminator({4: 6, 8: 6, 16: 4})
    same = torch.randn(1, 3, 16, 16).expand(4, 3, 16, 16)
    other = torch.cat([same[:1], torch.randn(3, 3, 16, 16)])
    assert not torch.allclose(network(same)[0], network(other)[0])
    logits, features = network.judged(other)
    assert logits.shape == (4, 1)
    assert [tuple(one.shape[1:]) for one in features] == [(4, 16, 16), (6, 8, 8), (6, 4, 4)]
    names = {name.split(".")[0] for name in network.state_dict()}
    assert names == {"convs", "final_conv", "final_linear"}


def test_average_follows() -> None:
    module = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(module.weight)
    average = Average(module, 10)
    torch.nn.init.ones_(module.weight)
    seen = []
    for _ in range(200):
        average.update(module)
        seen.append(float(average.module.weight))
    assert all(one < other for one, other in itertools.pairwise(seen[:20]))
    assert seen[-1] == pytest.approx(1.0, abs=1e-3)
    assert seen[0] < 0.6


def training(weights: Weights, discriminator: Discriminator | None, seed: int = 0) -> Restoration:
    torch.manual_seed(seed)
    generator = Gpen(32, 32, style_dim=16, n_mlp=2, channel_multiplier=0.25, narrow=0.25)
    embedder = Embedder((template_points("gpen", 32) + 0.5) / 32)
    return Restoration(
        generator, discriminator, sface_features(("conv_2",)), embedder, weights, torch.float32, torch.tensor(5e-3)
    )


def small_batch() -> tuple[torch.Tensor, torch.Tensor]:
    mixture = Mixture((shipped("gfpgan"),), (1.0,))
    made = FacePairs(faces(4, 36), 1 / 16, 32, mixture, 5, STILL).batch(range(4))
    degraded, truth = torch.from_numpy(made).permute(0, 1, 4, 2, 3).float().div(127.5).sub(1).unbind()
    return degraded, truth


def test_a_restorer_learns() -> None:
    batch = small_batch()
    plain = training(Weights(perceptual=0.0, identity=0.0), None)
    step = Captured(plain.step, plain.drop_gradients)
    seen = [float(step(*batch)["content"]) for _ in range(16)]
    assert seen[-1] < 0.7 * seen[0]


@pytest.mark.parametrize("name", ["content", "perceptual", "identity"])
def test_each_term_is_wired_in(name: str) -> None:
    batch = small_batch()
    weights = {"content": 0.0, "perceptual": 0.0, "identity": 0.0, name: 1.0}
    alone = training(Weights(**weights), None)
    first = float(alone.step(*batch)[name])
    for _ in range(4):
        terms = alone.step(*batch)
    assert float(terms[name]) < first


def test_the_game_moves_both_networks() -> None:
    batch = small_batch()
    torch.manual_seed(3)
    judge = Discriminator({4: 8, 8: 8, 16: 8, 32: 4})
    game = training(Weights(adversarial=0.1, matching=0.02), judge)
    before = [one.clone() for one in judge.parameters()]
    first = float(game.step(*batch)["discriminator"])
    assert any(not torch.equal(one, other) for one, other in zip(before, judge.parameters(), strict=True))
    for _ in range(5):
        terms = game.step(*batch)
    assert float(terms["discriminator"]) < first
    penalty = game.regularise(batch[1])
    assert float(penalty) > 0
    assert all(one.requires_grad for one in judge.parameters())
