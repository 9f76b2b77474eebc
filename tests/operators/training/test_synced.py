"""Batch normalisation over all workers against torch's over the whole batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import distributed, multiprocessing, nn

from operators.training.contract import Hardware, Schedule
from operators.training.synced import SyncedBatchNorm2d, synced
from tests.operators.training.schedules import test_pix2pix, test_srgan, test_transform
from tests.operators.training.schedules.tiny_faces import at, far, run, weights

SCHEDULES: dict[str, tuple[Callable[[Hardware], Schedule], Callable[[], Mapping[str, torch.Tensor]]]] = {
    "srgan": (test_srgan.careful, lambda: test_srgan.pairs(range(8))),
    "pix2pix": (test_pix2pix.careful, lambda: test_pix2pix.pairs(range(8), test_pix2pix.LARGE)),
    "transform": (test_transform.careful, lambda: test_transform.pictures(range(4))),
}
STEPS = 4
"""With these SRGAN has come to its game."""

ROUNDS = 2


def network() -> nn.Sequential:
    torch.manual_seed(3)
    made = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Tanh(), nn.Sequential(nn.BatchNorm2d(4, momentum=None))
    )
    for norm in (made[1], made[3][0]):
        nn.init.normal_(norm.weight, 1.0, 0.3)
        nn.init.normal_(norm.bias, 0.0, 0.3)
    return made.double()


def pictures(offset: float = 0.0) -> torch.Tensor:
    return torch.randn(8, 3, 6, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64) + offset


def passed(module: nn.Module, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Results, gradients, gradients of a penalty on gradients, and statistics of a mean loss over samples."""
    found = {}
    for number in range(ROUNDS):
        given = x.clone().requires_grad_()
        y = module(given)
        (slope,) = torch.autograd.grad(y.pow(3).sum(), given, create_graph=True)
        parameters = list(module.parameters())
        plain = torch.autograd.grad(y.pow(4).mean(), parameters, retain_graph=True)
        penalty = torch.autograd.grad(slope.square().sum((1, 2, 3)).mean(), parameters, allow_unused=True)
        found |= {f"{number} result": y.detach(), f"{number} slope": slope.detach()}
        found |= {f"{number} plain {place}": one for place, one in enumerate(plain)}
        found |= {f"{number} penalty {place}": one for place, one in enumerate(penalty) if one is not None}
    found |= {f"state {name}": one.clone() for name, one in module.state_dict().items()}
    return found


def _worker(rank: int, place: str) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{place}/meet", rank=rank, world_size=2)
    found = {f"{offset}": passed(synced(network()), pictures(offset)[rank::2]) for offset in (0.0, 100.0)}
    resting = synced(network()).eval()
    found["eval"] = {"result": resting(pictures()[rank::2]).detach()}
    found["narrow"] = passed(synced(network()).float(), pictures(1000.0)[rank::2].float())
    half = synced(network().float())[1](torch.randn(2, 4, 3, 3, dtype=torch.bfloat16))
    found["half"] = {"result": half.detach()}
    for name, (build, batch) in SCHEDULES.items():
        schedule, whole = build(Hardware(rank=rank, world=2)), batch()
        own, samples = {key: one[rank::2] for key, one in whole.items()}, len(whole["truth"])
        rows = [schedule.step(at(step, samples, rank, 2), own) for step in range(STEPS)]
        found[name] = {"rows": rows, "weights": weights(schedule)}
    torch.save(found, f"{place}/{rank}.pt")
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each of two workers came to."""
    place = tmp_path_factory.mktemp("two")
    multiprocessing.spawn(_worker, (str(place),), nprocs=2)
    return [torch.load(place / f"{rank}.pt") for rank in range(2)]


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_of_two_workers_are_one(two: list[dict[str, Any]], name: str) -> None:
    first, second = (one[name] for one in two)
    for key, one in first["weights"].items():
        assert torch.equal(one, second["weights"][key]), key
    build, batch = SCHEDULES[name]
    alone = build(Hardware())
    before = weights(alone)
    for step, row in enumerate(run(alone, batch(), 0, STEPS)):
        means = {key: float(one + second["rows"][step][key]) / 2 for key, one in first["rows"][step].items()}
        assert {key: float(one) for key, one in row.items()} == pytest.approx(means, rel=2e-3, abs=1e-6)
    assert far(first["weights"], weights(alone)) < 0.02 * far(before, weights(alone))


def test_two_workers_are_one(two: list[dict[str, Any]]) -> None:
    first, second = two
    for offset in (0.0, 100.0):
        whole = passed(network(), pictures(offset))
        one, other = first[str(offset)], second[str(offset)]
        assert one.keys() == whole.keys()
        for name, expected in whole.items():
            if name.startswith("state"):
                assert torch.equal(one[name], other[name]), name
                found = one[name]
            elif "result" in name or "slope" in name:
                found = torch.empty_like(expected)
                found[0::2], found[1::2] = one[name], other[name]
            else:
                found = (one[name] + other[name]) / 2
            torch.testing.assert_close(found, expected, rtol=1e-7, atol=1e-9)
    narrow = passed(network().float(), pictures(1000.0).float())
    # A variance from sums of squares would be a fifth off here.
    torch.testing.assert_close(first["narrow"]["0 result"], narrow["0 result"][0::2], rtol=2e-2, atol=2e-3)
    expected = network().eval()(pictures())
    torch.testing.assert_close(first["eval"]["result"], expected[0::2])
    assert first["half"]["result"].dtype == torch.bfloat16


def test_alone_it_is_torchs_own() -> None:
    expected, found = passed(network(), pictures()), passed(synced(network()), pictures())
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_names_parameters_and_statistics_stay() -> None:
    plain = network()
    state, parameters = plain.state_dict(), list(plain.parameters())
    made = synced(plain)
    assert made is plain
    assert isinstance(made[1], SyncedBatchNorm2d)
    assert isinstance(made[3][0], SyncedBatchNorm2d)
    assert made[3][0].momentum is None
    assert made.state_dict().keys() == state.keys()
    assert all(one is other for one, other in zip(made.parameters(), parameters, strict=True))
    assert all(one.data_ptr() == state[name].data_ptr() for name, one in made.state_dict().items())
    assert synced(made)[1] is made[1], "a second time changes nothing"


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_stays(training: bool) -> None:
    assert synced(network().train(training))[1].training is training
