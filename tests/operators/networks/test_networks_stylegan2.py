"""StyleGAN2 against a plain reading of the paper: weights modulated for each image, zeros between pixels, filters."""

from __future__ import annotations

import math

import torch
from torch.nn import functional

from operators import networks
from operators.checkpoints import read


def filtered(x, kernel, before, after):
    """A true convolution of each channel with a kernel, after padding."""
    padded = functional.pad(x, (before, after, before, after))
    weight = kernel.flip(0, 1)[None, None]
    return torch.cat([functional.conv2d(padded[:, [channel]], weight) for channel in range(x.shape[1])], 1)


def spread(x):
    """Zeros between the pixels, and after the last."""
    wide = torch.zeros(*x.shape[:2], 2 * x.shape[2], 2 * x.shape[3], dtype=x.dtype)
    wide[..., ::2, ::2] = x
    return wide


def modulated(tensors, path, x, w, *, up=False, demodulate=True):
    """Equations 1 and 3 of the paper, one image after the other."""
    weight = tensors[f"{path}.weight"][0]
    style = w @ (tensors[f"{path}.modulation.weight"] / math.sqrt(w.shape[1])).t() + tensors[f"{path}.modulation.bias"]
    weight = weight / math.sqrt(weight[0].numel())
    made = []
    for image, factors in zip(x, style, strict=True):
        own = weight * factors[None, :, None, None]
        if demodulate:
            own = own / torch.sqrt(own.square().sum((1, 2, 3), keepdim=True) + 1e-8)
        side = own.shape[-1] // 2
        if up:
            # A transposed convolution is a convolution with the kernel turned by half a circle, of the spread image.
            wide = functional.pad(spread(image[None])[..., :-1, :-1], (2, 2, 2, 2))
            y = functional.conv2d(wide, own.flip(2, 3))
            made.append(filtered(y, tensors[f"{path}.blur.kernel"], 1, 1))
        else:
            made.append(functional.conv2d(image[None], own, padding=side))
    return torch.cat(made)


def styled(tensors, path, x, w, noise, *, up=False):
    y = modulated(tensors, f"{path}.conv", x, w, up=up) + tensors[f"{path}.noise.weight"] * noise
    return functional.leaky_relu(y + tensors[f"{path}.activate.bias"][None, :, None, None], 0.2) * math.sqrt(2)


def drawn(tensors, z, layers):
    x = z / torch.sqrt(z.square().mean(1, keepdim=True) + 1e-8)
    for index in range(1, layers + 1):
        weight, bias = tensors[f"style.{index}.weight"], tensors[f"style.{index}.bias"]
        x = functional.leaky_relu(x @ (weight * 0.01 / math.sqrt(x.shape[1])).t() + bias * 0.01, 0.2) * math.sqrt(2)
    w, noises = x, [tensors[name] for name in tensors if name.startswith("noises.")]
    x = styled(tensors, "conv1", tensors["input.input"].expand(len(z), -1, -1, -1), w, noises[0])
    picture = modulated(tensors, "to_rgb1.conv", x, w, demodulate=False) + tensors["to_rgb1.bias"]
    for level in range(len(noises) // 2):
        x = styled(tensors, f"convs.{2 * level}", x, w, noises[2 * level + 1], up=True)
        x = styled(tensors, f"convs.{2 * level + 1}", x, w, noises[2 * level + 2])
        larger = filtered(spread(picture), tensors[f"to_rgbs.{level}.upsample.kernel"], 2, 1)
        own = modulated(tensors, f"to_rgbs.{level}.conv", x, w, demodulate=False)
        picture = larger + own + tensors[f"to_rgbs.{level}.bias"]
    return picture


def test_a_plain_reading_of_the_paper_gives_the_same(tiny_network, one_torch_thread):
    module = tiny_network("stylegan2")
    tensors = {name: tensor.double() for name, tensor in module.state_dict().items()}
    z = torch.randn(3, 24, generator=torch.Generator().manual_seed(1))
    expected = drawn(tensors, z.double(), 2)
    assert expected.shape == (3, 3, 32, 32)
    assert (module(z) - expected).abs().max() < 1e-5 * expected.std()


def test_noise_stands_where_none_is_stored(tiny_network, one_torch_thread):
    """Without stored noise the picture is that of noise zero; noise of one's own can be given."""
    stored = tiny_network("stylegan2")
    tensors = stored.state_dict()
    bare = networks.from_state_dict({name: value for name, value in tensors.items() if "noises" not in name})
    z = torch.randn(2, 24, generator=torch.Generator().manual_seed(1))
    none = [torch.zeros_like(noise) for noise in stored.noises.all()]
    assert torch.allclose(bare(z), stored(z, none), atol=1e-6)
    assert (bare(z) - stored(z)).abs().max() > 0.01
    assert torch.equal(bare(z, stored.noises.all()), stored(z))


def test_a_checkpoint_as_trainers_save_it(tiny_network, tmp_path):
    """The moving average under `g_ema`, and beside it the mean of w, which belongs to it."""
    module = tiny_network("stylegan2")
    tensors = module.state_dict()
    mean = tensors.pop("latent_avg") + 1.5
    others = {"g": {"x": torch.zeros(2)}, "d": {"x": torch.zeros(2)}, "ada_aug_p": 0.2}
    torch.save({**others, "g_ema": tensors, "latent_avg": mean}, tmp_path / "550000.pt")
    loaded = networks.from_state_dict(read(tmp_path / "550000.pt"))
    assert torch.equal(loaded.latent_avg, mean)
    z = torch.randn(2, 24, generator=torch.Generator().manual_seed(1))
    assert torch.equal(loaded(z), module(z))
    # Beside another group it is nobody's.
    torch.save({"params": tensors, "latent_avg": mean}, tmp_path / "other.pt")
    assert networks.from_state_dict(read(tmp_path / "other.pt")).latent_avg is None
