"""Muon, against singular values and against the plain reading of its definition."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from operators.training.muon import Muon, as_matrix, orthogonal
from operators.training.packing import packed, unpacked
from operators.training.player import Player


@pytest.mark.parametrize("shape", [(8, 8), (16, 72), (96, 24)])
def test_singular_values_come_near_one(shape: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(4)
    matrix = torch.randn(shape, generator=generator) * 1e-4
    left, _, right = np.linalg.svd(matrix.numpy(), full_matrices=False)
    made = orthogonal(matrix)
    # The same singular vectors, so that in their bases it is diagonal.
    inside = left.T @ made.numpy() @ right.T
    assert np.abs(inside - np.diag(np.diag(inside))).max() < 1e-4
    values = np.diag(inside)
    assert (values > 0.3).all()
    assert (values < 1.25).all()
    assert abs(np.median(values) - 0.95) < 0.25
    assert not orthogonal(torch.zeros(shape)).any()


def test_what_is_a_matrix() -> None:
    shapes: dict[tuple[int, ...], tuple[int, int] | None] = {
        (8, 9): (8, 9),
        (16, 8, 3, 3): (16, 72),
        (1, 16, 8, 3, 3): (16, 72),
        (16,): None,
        (3, 64, 1, 1): None,
        (1, 3, 64, 1, 1): None,
        (1, 64, 4, 4): None,
        (64, 3, 1, 1): None,
    }
    for shape, expected in shapes.items():
        matrix = as_matrix(torch.zeros(shape))
        assert (None if matrix is None else tuple(matrix.shape)) == expected, shape


def test_steps_are_those_of_the_definition() -> None:
    generator = torch.Generator().manual_seed(5)
    weight, bias = (nn.Parameter(torch.randn(*shape, generator=generator)) for shape in ((12, 8, 3, 3), (12,)))
    optimiser = Muon([{"params": [weight, bias], "lr": 0.1}], (0.9, 0.99))
    adam = nn.Parameter(bias.detach().clone())
    other = torch.optim.Adam([adam], lr=0.1, betas=(0.9, 0.99))
    expected, momentum = weight.detach().double().numpy(), np.zeros((12, 8, 3, 3))
    for _ in range(3):
        gradients = [torch.randn(one.shape, generator=generator) for one in (weight, bias)]
        weight.grad, bias.grad, adam.grad = gradients[0], gradients[1], gradients[1].clone()
        optimiser.step()
        other.step()
        g = gradients[0].double().numpy()
        momentum = 0.95 * momentum + 0.05 * g
        x = (0.05 * g + 0.95 * momentum).reshape(12, 72)
        x = x / np.sqrt((x**2).sum())
        for _ in range(5):
            square = x @ x.T
            x = 3.4445 * x - 4.7750 * square @ x + 2.0315 * square @ square @ x
        expected = expected - 0.1 * 0.2 * np.sqrt(72) * x.reshape(12, 8, 3, 3)
    assert np.abs(weight.detach().numpy() - expected).max() < 1e-4
    assert (bias - adam).abs().max() < 1e-6


def test_matrices_go_the_way_of_torchs_own() -> None:
    generator = torch.Generator().manual_seed(8)
    start = torch.randn(24, 40, generator=generator)
    own, other = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    optimiser = Muon([{"params": [own], "lr": 0.1}], (0.9, 0.99))
    theirs = torch.optim.Muon([other], lr=0.1, weight_decay=0.0, adjust_lr_fn="match_rms_adamw")
    for _ in range(4):
        own.grad = torch.randn(24, 40, generator=generator)
        other.grad = own.grad.clone()
        optimiser.step()
        theirs.step()
    # Torch's rounds are made in bfloat16.
    assert (own - other).norm() < 0.03 * (other - start).norm()


def test_updates_are_as_large_as_said() -> None:
    generator = torch.Generator().manual_seed(6)
    for shape in ((32, 32), (16, 144), (144, 16)):
        weight = nn.Parameter(torch.zeros(shape))
        weight.grad = 1e3 * torch.randn(shape, generator=generator)
        Muon([{"params": [weight], "lr": 1.0}], (0.9, 0.99)).step()
        assert 0.13 < float(weight.detach().square().mean().sqrt()) < 0.25, shape


def test_a_player_goes_on_exactly() -> None:
    def player() -> tuple[nn.Module, Player]:
        torch.manual_seed(7)
        network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.LeakyReLU(0.2), nn.Conv2d(8, 8, 3), nn.Conv2d(8, 3, 1))
        return network, Player([(network, 1.0)], 0.02, (0.9, 0.99), "muon")

    def play(network: nn.Module, player: Player, steps: range) -> None:
        for step in steps:
            picture = torch.randn(2, 3, 9, 9, generator=torch.Generator().manual_seed(step))
            player.improve((network(picture) - 1.0).square().mean(), 0.5)

    network, whole = player()
    play(network, whole, range(6))
    again, first = player()
    play(again, first, range(3))
    state = unpacked(packed({"weights": again.state_dict(), "player": first.state()}))
    resumed, second = player()
    resumed.load_state_dict(state["weights"])
    second.resume(state["player"])
    play(resumed, second, range(3, 6))
    assert all(torch.equal(one, other) for one, other in zip(network.parameters(), resumed.parameters(), strict=True))


def test_a_closure_is_refused() -> None:
    with pytest.raises(ValueError, match="takes no closure"):
        Muon([{"params": [nn.Parameter(torch.zeros(8, 8))]}], (0.9, 0.99)).step(lambda: 0.0)
