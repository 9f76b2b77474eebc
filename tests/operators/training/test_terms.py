"""Each term against a plain computation, with a gradient check."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from operators.training.history import History
from operators.training.terms import adversarial, components, content, perceptual

DOUBLE = torch.float64


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=DOUBLE, generator=torch.Generator().manual_seed(seed + sum(shape)))


def test_least_squares_by_hand() -> None:
    real, made = drawn(5), drawn(5, seed=1)
    expected = (np.mean((real.numpy() - 1) ** 2) + np.mean(made.numpy() ** 2)) / 2
    assert adversarial.least_squares_discriminator(real, made).item() == pytest.approx(expected)
    assert adversarial.least_squares_generator(made).item() == pytest.approx(np.mean((made.numpy() - 1) ** 2))


def test_wasserstein_by_hand() -> None:
    real, made = drawn(5), drawn(5, seed=1)
    assert adversarial.wasserstein_discriminator(real, made).item() == pytest.approx(made.mean() - real.mean())
    assert adversarial.wasserstein_generator(made).item() == pytest.approx(-made.mean())


def test_wasserstein_penalty_of_a_critic_whose_gradient_is_known() -> None:
    slope = drawn(3, 4, 4)
    real, made = drawn(6, 3, 4, 4), drawn(6, 3, 4, 4, seed=1)
    places = torch.rand(6, 1, 1, 1, dtype=DOUBLE, generator=torch.Generator().manual_seed(4))
    linear = adversarial.wasserstein_penalty(lambda x: (x * slope).sum((1, 2, 3)), real, made, places)
    assert linear.item() == pytest.approx((float(slope.norm()) - 1) ** 2)
    # The gradient of |x|^2 / 2 is x: the penalty says where the pictures between were.
    between = places * real + (1 - places) * made
    expected = np.mean([(np.linalg.norm(one) - 1) ** 2 for one in between.numpy()])
    square = adversarial.wasserstein_penalty(lambda x: x.square().sum((1, 2, 3)) / 2, real, made, places)
    assert square.item() == pytest.approx(expected)


def test_wasserstein_penalty_reaches_the_critics_weights() -> None:
    critic = torch.nn.Conv2d(3, 1, 4)
    adversarial.wasserstein_penalty(
        critic, torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4), torch.rand(2, 1, 1, 1)
    ).backward()
    assert critic.weight.grad is not None
    assert critic.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("layers", [0, 3])
def test_path_lengths_are_those_of_the_jacobian(layers: int) -> None:
    latents = drawn(2, *((layers,) if layers else ()), 5).requires_grad_()
    mixing = drawn(5, 3 * 4 * 4, seed=1)

    def generate(codes: torch.Tensor) -> torch.Tensor:
        together = codes.prod(1) if codes.ndim == 3 else codes
        return torch.tanh(together @ mixing).view(-1, 3, 4, 4)

    noise = drawn(2, 3, 4, 4, seed=2)
    found = adversarial.path_lengths(generate(latents), latents, noise)
    for index in range(2):
        jacobian = torch.autograd.functional.jacobian(generate, latents[index : index + 1].detach())
        moved = (jacobian[0, :, :, :, 0] * noise[index].view(3, 4, 4, *[1] * (latents.ndim - 1))).sum((0, 1, 2)) / 4
        expected = float(moved.square().sum(-1).mean().sqrt())
        assert found[index].item() == pytest.approx(expected)
    usual = torch.tensor(0.5, dtype=DOUBLE)
    assert adversarial.path_length(found, usual).item() == pytest.approx(np.mean((found.detach().numpy() - 0.5) ** 2))


def test_pyramid_compares_with_averages() -> None:
    truth = drawn(2, 3, 8, 8)
    made = [drawn(2, 3, side, side, seed=side) for side in (8, 4, 2)]
    expected = 0.0
    for one in made:
        factor = 8 // one.shape[-1]
        blocks = truth.numpy().reshape(2, 3, 8 // factor, factor, 8 // factor, factor).mean((3, 5))
        expected += np.abs(one.numpy() - blocks).mean()
    assert content.pyramid(made, truth).item() == pytest.approx(expected)
    assert torch.autograd.gradcheck(lambda one: content.pyramid([one], truth), made[1].requires_grad_())


def test_masked_by_hand() -> None:
    made, truth = drawn(2, 3, 4, 5), drawn(2, 3, 4, 5, seed=1)
    mask = (drawn(2, 1, 4, 5, seed=2) > 0).double()
    total = 0.0
    for (n, _, y, x), difference in np.ndenumerate(np.abs(made.numpy() - truth.numpy())):
        total += difference * (0.7 if mask[n, 0, y, x] else 0.3)
    assert content.masked(made, truth, mask, 0.7).item() == pytest.approx(total / made.numel())
    assert torch.autograd.gradcheck(lambda one: content.masked(one, truth, mask, 0.7), made.requires_grad_())


def test_boundary_weights_are_a_blurred_edge() -> None:
    mask = torch.zeros(1, 1, 12, 15, dtype=DOUBLE)
    mask[0, 0, 3:8, 4:11] = 1
    plain = mask[0, 0].numpy().astype(bool)
    cross = ndimage.generate_binary_structure(2, 1)
    edge = (plain ^ ndimage.binary_erosion(plain, cross)) | (plain ^ ndimage.binary_dilation(plain, cross))
    weights = content.boundary_weights(mask, 1)[0, 0].numpy()
    blurred = ndimage.uniform_filter(edge.astype(float), 3, mode="constant")
    assert np.allclose(weights[1:-1, 1:-1], blurred[1:-1, 1:-1])
    assert weights[5, 7] == 0.0
    assert weights[0, 0] == 0.0
    assert weights.max() > 0.6
    made, truth = drawn(1, 3, 12, 15), drawn(1, 3, 12, 15, seed=1)
    expected = (weights * np.abs(made.numpy() - truth.numpy())[0]).mean()
    assert content.boundary(made, truth, torch.from_numpy(weights)[None, None]).item() == pytest.approx(expected)


def test_attributes_by_hand() -> None:
    logits, wanted = drawn(3, 4), torch.rand(3, 4, dtype=DOUBLE, generator=torch.Generator().manual_seed(1))
    likely = 1 / (1 + np.exp(-logits.numpy()))
    entropy = -(wanted.numpy() * np.log(likely) + (1 - wanted.numpy()) * np.log(1 - likely)).sum(1).mean()
    assert content.attributes(logits, wanted).item() == pytest.approx(entropy)
    assert torch.autograd.gradcheck(lambda one: content.attributes(one, wanted), logits.requires_grad_())


def maps(seed: int, count: int = 2) -> dict[str, torch.Tensor]:
    return {"a": drawn(count, 3, 4, 5, seed=seed), "b": drawn(count, 2, 2, 2, seed=seed)}


def test_gram_by_hand() -> None:
    features = drawn(2, 3, 4, 5)
    expected = np.einsum("nchw,ndhw->ncd", features.numpy(), features.numpy()) / (3 * 4 * 5)
    assert np.allclose(perceptual.gram(features).numpy(), expected)
    assert torch.autograd.gradcheck(perceptual.gram, features.requires_grad_())


def test_style_and_feature_content_by_hand() -> None:
    made, truth = maps(0), maps(7)
    weights = {"a": 2.0, "b": 0.5}
    values = sum(weights[name] * np.mean((made[name].numpy() - truth[name].numpy()) ** 2) for name in weights)
    assert perceptual.feature_content(made, truth, weights).item() == pytest.approx(values)
    total = 0.0
    for name, weight in weights.items():
        for index in range(2):
            sizes = made[name][index].numel()
            one, other = (
                np.einsum("chw,dhw->cd", each[name][index].numpy(), each[name][index].numpy()) / sizes
                for each in (made, truth)
            )
            total += weight * ((one - other) ** 2).sum() / 2
    assert perceptual.style(made, truth, weights).item() == pytest.approx(total)
    only = perceptual.style(made, truth, {"a": 2.0})
    assert only.item() < perceptual.style(made, truth, weights).item()


def test_style_of_one_picture_for_all() -> None:
    made, one = maps(0), maps(7, 1)
    repeated = {name: each.expand(2, *each.shape[1:]) for name, each in one.items()}
    assert perceptual.style(made, one, {"a": 1.0}).item() == pytest.approx(
        perceptual.style(made, repeated, {"a": 1.0}).item()
    )


def test_component_style_by_hand() -> None:
    made, truth = [drawn(2, 3, 4, 4)], [drawn(2, 3, 4, 4, seed=1)]
    grams = [np.einsum("nchw,ndhw->ncd", one[0].numpy(), one[0].numpy()) / 48 for one in (made, truth)]
    assert components.component_style(made, truth).item() == pytest.approx(np.abs(grams[0] - grams[1]).mean())


def test_regions_are_squares_around_landmarks() -> None:
    pictures = drawn(2, 3, 64, 64)
    landmarks = torch.tensor([[[20.5, 25.5], [41.5, 24.5], [31, 35], [23, 47], [40, 48]]] * 2, dtype=DOUBLE)
    landmarks[1] += 1
    found = components.regions(pictures, landmarks)
    assert {name: tuple(one.shape) for name, one in found.items()} == {
        "left_eye": (2, 3, 10, 10),
        "right_eye": (2, 3, 10, 10),
        "mouth": (2, 3, 15, 15),
    }
    # Ten pixels around 20.5 are those from 16 to 25.
    assert torch.allclose(found["left_eye"][0], pictures[0, :, 21:31, 16:26])
    assert torch.allclose(found["right_eye"][1], pictures[1, :, 21:31, 38:48])
    between = ndimage.shift(pictures[0, 0].numpy(), (-47.5 + 47, -31.5 + 31), order=1)
    assert np.allclose(found["mouth"][0, 0].numpy(), between[40:55, 24:39])


def test_regions_have_a_gradient_and_repeat_the_edge() -> None:
    pictures = drawn(1, 1, 16, 16).requires_grad_()
    landmarks = torch.zeros(1, 5, 2, dtype=DOUBLE)
    found = components.regions(pictures, landmarks)["left_eye"]
    assert torch.allclose(found[0, 0, 0, 0], pictures[0, 0, 0, 0])
    assert torch.autograd.gradcheck(lambda one: components.regions(one, landmarks)["mouth"], pictures)


def test_history_shows_old_and_new_pictures() -> None:
    history = History(5, seed=1)
    first = torch.arange(5.0)[:, None]
    assert torch.equal(history.shown(first), first)
    seen = torch.cat([history.shown(torch.full((1, 1), 10.0 + step)) for step in range(200)]).flatten()
    fresh = (seen == 10.0 + torch.arange(200.0)).float().mean()
    assert 0.4 < float(fresh) < 0.6
    assert set(first.flatten().tolist()) <= set(seen.tolist())
    assert torch.equal(History(0).shown(first), first)


def test_history_goes_on_exactly() -> None:
    one = History(3, seed=2)
    for step in range(10):
        one.shown(torch.full((1, 1), float(step)))
    other = History(3, seed=9)
    other.resume(one.state())
    for step in range(30):
        assert torch.equal(*(each.shown(torch.full((1, 1), 50.0 + step)) for each in (one, other)))


def test_history_lets_no_gradient_through() -> None:
    picture = torch.ones(1, 2, requires_grad=True)
    assert not History(2).shown(picture).requires_grad
