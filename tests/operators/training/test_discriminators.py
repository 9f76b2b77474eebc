from collections.abc import Callable

import pytest
import torch

from operators.training.discriminators.component import ComponentDiscriminator
from operators.training.discriminators.patch import PatchDiscriminator
from operators.training.discriminators.vgg import VggDiscriminator


def seen(network: torch.nn.Module, side: int) -> int:
    """Pixels a side that one number depends on."""
    picture = torch.zeros(1, 3, side, side, requires_grad=True)
    judged = network.eval()(picture)
    middle = judged.shape[-1] // 2
    (gradient,) = torch.autograd.grad(judged[0, 0, middle, middle], picture)
    rows = gradient.abs().sum((0, 1, 3)).nonzero()
    return int(rows[-1] - rows[0] + 1)


@pytest.mark.parametrize(("layers", "expected"), [(1, 16), (3, 70)])
def test_a_patch_has_the_papers_size(layers: int, expected: int) -> None:
    torch.manual_seed(0)
    assert seen(PatchDiscriminator(width=4, layers=layers), 160) == expected


def test_patch_has_the_published_names() -> None:
    batch, instance = (set(PatchDiscriminator(norm=norm).state_dict()) for norm in ("batch", "instance"))
    assert instance == {f"model.{place}.{kind}" for place in (0, 2, 5, 8, 11) for kind in ("weight", "bias")}
    assert {"model.0.bias", "model.2.weight", "model.3.running_mean", "model.11.bias"} <= batch
    assert "model.2.bias" not in batch
    shapes = {name: tuple(one.shape) for name, one in PatchDiscriminator(6).state_dict().items()}
    assert shapes["model.0.weight"] == (64, 6, 4, 4)
    assert shapes["model.8.weight"] == (512, 256, 4, 4)
    assert shapes["model.11.weight"] == (1, 512, 4, 4)


def test_vgg_halves_four_times() -> None:
    network = VggDiscriminator(32, width=4, hidden=8)
    assert network(torch.randn(2, 3, 32, 32)).shape == (2, 1)
    widths = [layer.out_channels for layer in network.features if isinstance(layer, torch.nn.Conv2d)]
    strides = [layer.stride[0] for layer in network.features if isinstance(layer, torch.nn.Conv2d)]
    assert widths == [4, 4, 8, 8, 16, 16, 32, 32]
    assert strides == [1, 2, 1, 2, 1, 2, 1, 2]
    with pytest.raises(ValueError, match="multiple of 16"):
        VggDiscriminator(40)


def test_component_gives_logits_and_features() -> None:
    network = ComponentDiscriminator(4)
    logits, features = network.judged(torch.randn(2, 3, 20, 20))
    assert logits.shape == (2, 1, 5, 5)
    assert [tuple(one.shape) for one in features] == [(2, 8, 10, 10), (2, 16, 5, 5)]


@pytest.mark.parametrize(
    "make", [lambda: PatchDiscriminator(width=4), lambda: VggDiscriminator(32, 4, 8), lambda: ComponentDiscriminator(4)]
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_each_learns_to_tell_two_pictures(make: Callable[[], torch.nn.Module], seed: int) -> None:
    torch.manual_seed(seed)
    network = make()
    pictures = torch.stack([torch.full((3, 32, 32), 0.5), torch.full((3, 32, 32), -0.5)]).repeat(2, 1, 1, 1)
    pictures = pictures + 0.1 * torch.randn(4, 3, 32, 32)
    wanted = torch.tensor([1.0, 0.0, 1.0, 0.0])
    optimiser = torch.optim.Adam(network.parameters(), 2e-3)
    losses = []
    for _ in range(100):
        judged = network(pictures).flatten(1).mean(1)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(judged, wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
