"""Generators as priors: codes in, a picture out, cut in two at any layer."""

from __future__ import annotations

from operators.inversion.priors.choose import PRIORS, prior_of
from operators.inversion.priors.contract import Features, Place, Prior, compose

__all__ = ["PRIORS", "Features", "Place", "Prior", "compose", "prior_of"]
