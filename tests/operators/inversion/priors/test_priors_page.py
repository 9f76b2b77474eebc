"""docs/priors.md has the layers and the numbers as the code has them."""

from __future__ import annotations

import re
from pathlib import Path

import torch

from operators import networks
from operators.inversion.priors import PRIORS, prior_of
from operators.inversion.priors.styled import MEAN_DRAWS, START_SPREAD
from operators.models import CHECKPOINTS

PAGE = (Path(__file__).parents[4] / "docs" / "priors.md").read_text(encoding="utf-8")
FULL = {"pggan": {"resolution": 1024}, "stylegan2": {"resolution": 1024}, "mobilestylegan": {}}


def full_size(name):
    with torch.device("meta"):
        return prior_of(networks.build(name, FULL[name]))


def test_the_layers_are_those_of_the_code():
    rows = [row.split(" | ") for row in re.findall(r"^\| (\d+ \| .*) \|$", PAGE, flags=re.MULTILINE)]
    assert [int(row[0]) for row in rows] == list(range(1, 19))
    for column, name in enumerate(PRIORS, 1):
        told = [row[column] for row in rows if row[column] != "-"]
        assert told == [f"{place.resolution} px, {place.channels}" for place in full_size(name).places]


def test_the_priors_are_those_of_the_code():
    rows = re.findall(r"^\| `(\w+)` \| .* \| (z[^|]*) \| (\d+) \| [^|]* \|$", PAGE, flags=re.MULTILINE)
    assert [name for name, _, _ in rows] == list(PRIORS)
    for name, spaces, layers in rows:
        prior = full_size(name)
        assert tuple(spaces.split(", ")) == prior.spaces
        assert int(layers) == prior.layers


def test_numbers_and_names():
    assert f"{MEAN_DRAWS:,} fixed draws" in PAGE
    assert f"+ {START_SPREAD} (w(z)" in PAGE
    latents = [full_size(name).code_shape("w+")[0] for name in ("stylegan2", "mobilestylegan")]
    assert f"L is {latents[0]} for StyleGAN2 at 1024 pixels, {latents[1]} for MobileStyleGAN" in PAGE
    assert f"`{CHECKPOINTS['mobilestylegan-ffhq'].package}`" in PAGE
