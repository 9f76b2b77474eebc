"""How far networks see: what is computed from their layers against what their gradients show."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from operators import networks
from operators.networks.folded.norms import FrozenInstanceNorm
from operators.whole.networks import architectures, whole_network
from operators.whole.reach import conv, enlarged, folded, reach, transposed


class Given(nn.Module):
    """A normalisation whose statistics do not depend on the picture."""

    def forward(self, x):
        return 1.3 * x + 0.1


def with_statistics_given(module):
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, FrozenInstanceNorm):
                setattr(parent, name, Given())
    return module


def always_on(module):
    """The module with activations that pass everything on, so that no path is blocked by chance."""
    for part in module.modules():
        if hasattr(part, "slopes"):
            nn.init.constant_(part.slopes, 0.7)
    return module


def seen(module, about, side, column):
    """First and last column of the input on which an output column depends, by its gradient."""
    picture = torch.rand(1, 3, side, side, dtype=torch.float64, requires_grad=True)
    made = module(picture)
    # Rows in the middle: what is at the edges may see less.
    made[0, :, made.shape[2] // 2 - 2 * about.scale * about.multiple : made.shape[2] // 2, column].sum().backward()
    columns = picture.grad.abs().sum((0, 1, 2)).nonzero().flatten()
    return int(columns.min()), int(columns.max())


def test_the_reach_is_what_gradients_show(whole, small_network, monkeypatch):
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)  # or small gradients would be rounded to nothing
    monkeypatch.setattr(torch.nn.functional, "relu", lambda x: torch.nn.functional.leaky_relu(x, 0.5))
    monkeypatch.setattr(nn.ReLU, "forward", lambda self, x: torch.nn.functional.leaky_relu(x, 0.5))
    found = small_network(whole)
    about = found.about
    module = with_statistics_given(always_on(found.module)).double()
    side = -(-(2 * about.window + 2 * about.multiple + 4) // about.multiple) * about.multiple
    middle = side // 2 // about.multiple * about.multiple * about.scale
    farthest = 0
    for column in range(middle, middle + about.scale * about.multiple):
        first, last = seen(module, about, side, column)
        place = column // about.scale
        farthest = max(farthest, place - first, last - place)
    assert farthest == about.window


def test_networks_that_normalise_by_the_picture_see_all_of_it(small_network):
    for name in ("pix2pix instance", "cyclegan", "transform"):
        found = small_network(name)
        assert found.about.reach is None
        side = -(-(2 * found.about.window + 40) // found.about.multiple) * found.about.multiple
        picture = torch.rand(1, 3, side, side)
        changed = picture.clone()
        changed[..., : side // 8] *= 0.5
        difference = (found.module(picture) - found.module(changed)).abs()[..., -1]
        assert difference.max() > 0


@pytest.mark.parametrize(
    ("steps", "scale", "multiple", "expected"),
    [
        ([conv(3)], 1, 1, 1),
        ([conv(9), conv(3)], 1, 1, 5),
        ([conv(3), enlarged(2), conv(3)], 2, 1, 2),
        ([folded(2), conv(3), enlarged(2)], 1, 2, 3),
        ([conv(4, 2), transposed(4)], 1, 2, 3),
        ([conv(3, 2), transposed(3)], 1, 2, 2),
    ],
)
def test_small_stacks(steps, scale, multiple, expected):
    assert reach(steps, scale, multiple) == expected


def known(architecture, **arguments):
    with torch.device("meta"):
        module = networks.build(architecture, arguments)
    return whole_network(architecture, networks.recognise(module.state_dict()).arguments)


def test_published_networks():
    x4 = known("rrdb")
    assert (x4.scale, x4.reach, x4.multiple) == (4, 349, 1)
    x2 = known("rrdb", unshuffle=2)
    assert (x2.scale, x2.multiple) == (2, 2)
    assert x2.reach == 2 * 348 + 1 + 1
    assert known("msrresnet").reach == 35
    assert known("srresnet").reach == 40
    unet = known("pix2pix")
    assert (unet.scale, unet.multiple, unet.reach) == (1, 256, 765)
    nine = known("cyclegan")
    assert (nine.reach, nine.window, nine.multiple) == (None, 84, 4)
    assert known("transform").window == 57


def test_what_is_no_network_for_whole_pictures():
    assert "gpen" not in architectures()
    with pytest.raises(ValueError, match="gpen is no network for whole pictures; those are rrdb"):
        whole_network("gpen", {})
    with pytest.raises(ValueError, match="takes and makes 1 and 3 channels"):
        known("pix2pix", input_nc=1, ngf=2)
    with pytest.raises(ValueError, match="folds by 4 and enlarges by 2"):
        known("rrdb", unshuffle=4, ups=1, num_feat=4, num_block=1)
