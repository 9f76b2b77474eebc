import itertools
import math

import numpy as np
import pytest
import torch

from operators.training.average import Average
from operators.training.discriminators.style import Discriminator
from operators.training.terms.adversarial import gradient_penalty, logistic_discriminator, logistic_generator
from operators.training.terms.content import absolute, feature_matching, identity_distance, squared


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
