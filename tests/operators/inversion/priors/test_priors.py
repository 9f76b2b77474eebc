"""What every prior promises, on tiny networks of each kind."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from operators import networks
from operators.inversion.priors.choose import prior_of
from operators.inversion.priors.contract import Features, Prior, compose, shares

from .conftest import NAMES, module_of


def same_bits(a: torch.Tensor, b: torch.Tensor) -> bool:
    return a.shape == b.shape and torch.equal(a.contiguous().view(torch.int32), b.contiguous().view(torch.int32))


def spread_codes(prior, space, count=3, seed=0):
    """Codes that differ from latent to latent in w+."""
    generator = torch.Generator().manual_seed(seed)
    codes = prior.start(count, space, generator)
    return codes + 0.3 * torch.randn(codes.shape, generator=generator)


def test_is_a_prior(prior):
    assert isinstance(prior, Prior)
    assert prior.layers == len(prior.places)
    assert [place.layer for place in prior.places] == list(range(1, prior.layers + 1))
    assert prior.device == torch.device("cpu")


def test_places_are_those_of_the_features(prior):
    for space in prior.spaces:
        codes = spread_codes(prior, space)
        for place in prior.places:
            features = prior.early(codes, space, place.layer)
            assert features.maps.shape == (3, place.channels, place.resolution, place.resolution)
            assert prior.channels(place.layer) == place.channels


def test_two_halves_are_the_whole_at_every_layer(prior):
    for space in prior.spaces:
        codes = spread_codes(prior, space)
        whole = prior.generate(codes, space)
        assert whole.shape == (3, 3, prior.resolution, prior.resolution)
        assert whole.std() > 0.01
        for layer in range(1, prior.layers + 1):
            assert same_bits(prior.late(prior.early(codes, space, layer), space, layer), whole), (space, layer)


@pytest.mark.parametrize("name", NAMES)
def test_codes_in_z_give_the_network_s_own_picture(name):
    module = module_of(name)
    z = torch.randn(2, *module.recognised.input_shape, generator=torch.Generator().manual_seed(3))
    found, expected = prior_of(module).generate(z, "z"), module(z)
    assert (found - expected).abs().max() <= 1e-6 * expected.std()


def test_spaces_agree(styled):
    """A code of z is its w, and a w is w+ with every latent the same."""
    prior = styled
    z = spread_codes(prior, "z")
    w = prior.latents(z, "z")[:, 0]
    assert w.shape == (3, *prior.code_shape("w"))
    assert same_bits(prior.generate(w, "w"), prior.generate(z, "z"))
    assert same_bits(prior.generate(w[:, None].repeat(1, prior.layers + 1, 1), "w+"), prior.generate(z, "z"))


def test_every_latent_of_w_plus_counts(styled):
    prior = styled
    codes = spread_codes(prior, "w+", 1)
    before = prior.generate(codes, "w+")
    for latent in range(prior.layers + 1):
        changed = codes.clone()
        changed[:, latent] += 0.5
        assert (prior.generate(changed, "w+") - before).abs().max() > 1e-4, latent


def test_composing_one_code_with_full_importance_is_the_identity(prior):
    for space in prior.spaces:
        codes = spread_codes(prior, space)
        for layer in range(1, prior.layers + 1):
            features = prior.early(codes, space, layer)
            composed = compose(features, torch.ones(3, 1, prior.channels(layer)))
            for before, after in ((getattr(features, part), getattr(composed, part)) for part in vars(features)):
                assert (before is None) == (after is None)
                assert before is None or same_bits(before, after)


def test_composing_keeps_negative_zeros():
    maps = torch.tensor([-0.0, 0.0, -1.0, 2.0]).view(1, 1, 2, 2)
    assert same_bits(compose(Features(maps, maps, maps[0]), torch.ones(1, 1, 1)).maps, maps)


def test_composition_is_the_paper_s_sum(prior):
    """Against a plain einsum, and shares that sum to one."""
    count, codes = 2, 3
    for layer in range(1, prior.layers + 1):
        features = prior.early(spread_codes(prior, "z", count * codes), "z", layer)
        alpha = torch.randn(count, codes, prior.channels(layer), generator=torch.Generator().manual_seed(5))
        composed = compose(features, alpha)
        grouped = features.maps.view(count, codes, *features.maps.shape[1:]).double()
        expected = torch.einsum("nkchw,nkc->nchw", grouped, alpha.double())
        assert torch.allclose(composed.maps.double(), expected, atol=1e-5)
        weights = alpha.double().abs().mean(2)
        weights = weights / weights.sum(1, keepdim=True)
        for part in ("picture", "styles"):
            values = getattr(features, part)
            if values is not None:
                grouped = values.reshape(count, codes, -1).double()
                expected = torch.einsum("nkx,nk->nx", grouped, weights)
                assert torch.allclose(getattr(composed, part).double().flatten(1), expected, atol=1e-5)
        assert prior.late(composed, "z", layer).shape == (count, 3, prior.resolution, prior.resolution)


def test_shares():
    alpha = torch.tensor([[[1.0, 1.0], [-3.0, 3.0]], [[0.0, 0.0], [0.0, 0.0]]])
    assert torch.allclose(shares(alpha), torch.tensor([[0.25, 0.75], [0.5, 0.5]]))
    assert shares(torch.zeros(1, 1, 4)).item() == 1.0


def test_composing_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match=r"6 codes with 4 channels do not fit.*2 pictures of 3 codes with 5 channels"):
        compose(Features(torch.zeros(6, 4, 2, 2)), torch.ones(2, 3, 5))


def test_gradients_reach_every_code_and_every_importance(prior):
    for space in prior.spaces:
        for layer in range(1, prior.layers + 1):
            codes = spread_codes(prior, space, 4).requires_grad_()
            alpha = torch.full((2, 2, prior.channels(layer)), 0.5, requires_grad=True)
            picture = prior.late(compose(prior.early(codes, space, layer), alpha), space, layer)
            picture.square().mean().backward()
            assert codes.grad.flatten(1).abs().amax(1).min() > 0, (space, layer)
            assert alpha.grad.abs().amax(2).min() > 0, (space, layer)


@pytest.mark.parametrize("name", ["pggan", "stylegan2", "mobilestylegan"])
def test_gradients_are_right(name):
    """Against finite differences, through both halves and the composition; styles are float32 whatever the weights."""
    prior = prior_of(copy.deepcopy(module_of(name)).double())
    layer = prior.layers - 2
    generator = torch.Generator().manual_seed(1)
    codes = torch.randn(2, *prior.code_shape("z"), generator=generator, dtype=torch.float64)
    alpha = torch.rand(1, 2, prior.channels(layer), generator=generator, dtype=torch.float64) + 0.1
    aim = torch.randn(1, 3, prior.resolution, prior.resolution, generator=generator, dtype=torch.float64)

    def loss(codes, alpha):
        return (prior.late(compose(prior.early(codes, "z", layer), alpha), "z", layer) - aim).square().mean()

    codes.requires_grad_()
    alpha.requires_grad_()
    loss(codes, alpha).backward()
    for leaf in (codes, alpha):
        step = torch.randn(leaf.shape, generator=generator, dtype=torch.float64) * 1e-4
        moved = [
            loss(*(value + sign * step if value is leaf else value for value in (codes, alpha))).detach()
            for sign in (1, -1)
        ]
        assert (moved[0] - moved[1]).item() == pytest.approx(2 * (leaf.grad * step).sum().item(), rel=1e-2)


def test_no_weight_gets_a_gradient_or_changes(prior):
    name = next(name for name in NAMES if prior.name in name)
    module = copy.deepcopy(module_of(name))
    before = {key: value.clone() for key, value in module.state_dict().items()}
    own = prior_of(module)
    codes = spread_codes(own, "z").requires_grad_()
    own.generate(codes, "z").mean().backward()
    assert all(parameter.grad is None for parameter in module.parameters())
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())


def test_start(prior):
    for space in prior.spaces:
        codes = prior.start(5, space, torch.Generator().manual_seed(7))
        assert codes.shape == (5, *prior.code_shape(space))
        assert codes.is_contiguous()
        assert same_bits(codes, prior.start(5, space, torch.Generator().manual_seed(7)))
        assert not torch.equal(codes, prior.start(5, space, torch.Generator().manual_seed(8)))
        assert len(torch.unique(codes.flatten(1), dim=0)) == 5
    z = prior.start(4000, "z", torch.Generator().manual_seed(7))
    assert z.mean().abs() < 0.02
    assert z.std() == pytest.approx(1, abs=0.02)


def test_a_start_in_w_is_near_the_mean(styled):
    prior = styled
    generator = torch.Generator()
    w = prior.start(64, "w", generator.manual_seed(1))
    drawn = prior.latents(prior.start(64, "z", generator.manual_seed(1)), "z")[:, 0]
    ratio = (w - prior.mean_w()).norm(dim=1) / (drawn - prior.mean_w()).norm(dim=1)
    assert torch.allclose(ratio, torch.full_like(ratio, 0.25), atol=1e-4)
    plus = prior.start(2, "w+", generator.manual_seed(1))
    assert same_bits(plus[:, 0], plus[:, -1])


def test_mean_of_w(prior):
    if "w" not in prior.spaces:
        with pytest.raises(ValueError, match="no mapping network"):
            prior.mean_w()
        return
    mean = prior.mean_w()
    assert mean.shape == prior.code_shape("w")
    again = prior_of(module_of(next(name for name in NAMES if prior.name in name)))
    if again.layers == prior.layers:
        assert same_bits(mean, again.mean_w())


def test_mean_of_w_is_that_of_draws_or_the_stored_one():
    drawn = prior_of(module_of("mobilestylegan"))
    w = drawn.latents(torch.randn(20000, 16, generator=torch.Generator().manual_seed(9)), "z")[:, 0]
    assert (drawn.mean_w() - w.mean(0)).abs().max() < 0.1 * w.std(0).max()
    module = module_of("stylegan2")
    assert torch.equal(prior_of(module).mean_w(), module.latent_avg)


@pytest.mark.parametrize("name", ["stylegan2", "mobilestylegan"])
def test_truncation(name):
    module = module_of(name)
    full, half, none = prior_of(module), prior_of(module, psi=0.5), prior_of(module, psi=0.0)
    z = spread_codes(full, "z")
    w = full.latents(z, "z")[:, 0]
    expected = full.mean_w() + 0.5 * (w - full.mean_w())
    assert torch.allclose(half.latents(z, "z")[:, 0], expected)
    assert torch.allclose(
        none.generate(z, "z"), full.generate(full.mean_w()[None], "w").expand(3, -1, -1, -1), atol=1e-5
    )
    assert same_bits(half.generate(w, "w"), full.generate(w, "w"))


def test_batched_codes_are_each_code_s_own(prior):
    """Within rounding: a matrix product may order its sums by the size of the batch."""
    codes = spread_codes(prior, "z", 5)
    together = prior.generate(codes, "z")
    apart = torch.cat([prior.generate(code[None], "z") for code in codes])
    assert (together - apart).abs().max() <= 1e-4 * together.std()


def test_what_is_wrong_is_said(prior):
    codes = spread_codes(prior, "z")
    with pytest.raises(ValueError, match=rf"layer {prior.layers + 1}: {prior.name} .* has layers 1 to {prior.layers}"):
        prior.early(codes, "z", prior.layers + 1)
    with pytest.raises(ValueError, match="layer 0"):
        prior.late(prior.early(codes, "z", 1), "z", 0)
    with pytest.raises(ValueError, match=rf"space 'q': {prior.name} takes codes in z"):
        prior.generate(codes, "q")
    with pytest.raises(ValueError, match=r"codes of shape \(3, 7\)"):
        prior.generate(codes[:, :7], "z")
    with pytest.raises(ValueError, match="layer 99"):
        prior.channels(99)


@pytest.mark.parametrize("name", ["stylegan2", "mobilestylegan"])
def test_features_of_another_layer_are_refused(name):
    prior = prior_of(module_of(name))
    with pytest.raises(ValueError, match=r"features after layer 3 .* carry"):
        prior.late(prior.early(spread_codes(prior, "z"), "z", 2), "z", 3)


def test_what_is_no_prior():
    gpen = networks.build("gpen", {"in_size": 8, "out_size": 8, "narrow": 0.02, "style_dim": 8, "n_mlp": 1})
    with pytest.raises(ValueError, match=r"gpen is no prior.*encoder's features.*pggan, stylegan2, mobilestylegan"):
        prior_of(gpen)
    with pytest.raises(ValueError, match="Linear is no prior"):
        prior_of(nn.Linear(2, 2))
    with pytest.raises(ValueError, match=r"psi is 0\.5, but pggan"):
        prior_of(module_of("pggan"), psi=0.5)
    with pytest.raises(ValueError, match=r"psi is 2\.0; it must be from 0 to 1"):
        prior_of(module_of("stylegan2"), psi=2.0)
    grey = networks.build("pggan", {"resolution": 8, "fmaps_base": 64, "fmaps_max": 4, "image_channels": 1})
    with pytest.raises(ValueError, match="pictures of 1 channels"):
        prior_of(grey)


@pytest.mark.parametrize("name", ["pggan", "stylegan2", "mobilestylegan"])
def test_a_step_is_one_graph(name):
    """`fullgraph` refuses whatever would bring a step back to Python, such as reading a number off the device."""
    prior = prior_of(module_of(name))
    layer = prior.layers // 2
    space = prior.spaces[-1]

    def step(codes, alpha):
        return prior.late(compose(prior.early(codes, space, layer), alpha), space, layer).square().mean()

    torch.compiler.reset()
    compiled = torch.compile(step, backend="aot_eager", fullgraph=True, dynamic=False)
    grads = []
    for run in (step, compiled):
        codes = spread_codes(prior, space, 4).requires_grad_()
        alpha = torch.full((2, 2, prior.channels(layer)), 0.5, requires_grad=True)
        loss = run(codes, alpha)
        loss.backward()
        grads.append((loss.detach(), codes.grad, alpha.grad))
    for plain, graph in zip(*grads, strict=True):
        assert torch.allclose(plain, graph, rtol=1e-4, atol=1e-6)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", NAMES)
def test_on_a_gpu(name):
    host, device = prior_of(module_of(name)), prior_of(copy.deepcopy(module_of(name)).cuda())
    for space in host.spaces:
        codes = device.start(3, space, torch.Generator().manual_seed(0))
        assert codes.is_cuda
        torch.backends.cudnn.allow_tf32 = False
        expected = host.generate(codes.cpu(), space)
        assert (device.generate(codes, space).cpu() - expected).abs().max() <= 1e-3 * expected.std()
