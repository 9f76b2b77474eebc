"""From a network to the prior that it is."""

from __future__ import annotations

from torch import nn

from operators.inversion.priors.contract import Prior
from operators.inversion.priors.mobilestylegan import MobileStyleGanPrior
from operators.inversion.priors.pggan import PgganPrior
from operators.inversion.priors.stylegan2 import StyleGan2Prior
from operators.networks.gpen.network import Gpen
from operators.networks.mobilestylegan.network import MobileStyleGan
from operators.networks.pggan.network import Pggan
from operators.networks.stylegan2.network import StyleGan2

PRIORS = ("pggan", "stylegan2", "mobilestylegan")
"""Architectures that are priors."""


def prior_of(module: nn.Module, psi: float = 1.0) -> Prior:
    """The prior that a network is.

    Args:
        module: as `from_state_dict` makes it, on its device; trainable parts are left as they are.
        psi: truncation of w in space z, 0 to 1; 1 leaves w as it is.

    Raises:
        ValueError: the network draws nothing from a code, or has no w to be truncated, or pictures without colours.
    """
    if isinstance(module, StyleGan2):
        return StyleGan2Prior(module, psi)
    if isinstance(module, MobileStyleGan):
        return MobileStyleGanPrior(module, psi)
    if isinstance(module, Pggan):
        if psi != 1.0:
            raise ValueError(f"the truncation psi is {psi}, but pggan has no w to be truncated; leave it at 1")
        channels = len(module.get_parameter("output0.wscale.bias"))
        if channels != 3:
            raise ValueError(f"this pggan draws pictures of {channels} channels; a prior needs 3, RGB")
        return PgganPrior(module)
    known = ", ".join(PRIORS)
    if isinstance(module, Gpen):
        raise ValueError(
            "gpen is no prior: its generator was trained with an encoder's features in the place of noise, and draws "
            f"no faces without them; priors are {known} (a GPEN's own prior, before it was embedded, is a stylegan2)"
        )
    raise ValueError(f"{type(module).__name__} is no prior: it draws no picture from a code; priors are {known}")
