"""Terms of faces that are all aligned alike: how they look to a feature network, and whether it is the same person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from operators.faces.templates import template_points
from operators.features.contract import FeatureNetwork
from operators.features.identity import Embedder
from operators.features.networks import SFACE_LAYERS
from operators.features.perceptual import perceptual_distances
from operators.networks.vgg16.network import LAYERS
from operators.training.contract import Hardware
from operators.training.schedules.game import placed
from operators.training.schedules.perception import feature_network
from operators.training.schedules.prepared import cast
from operators.training.terms.content import identity_distance


class FaceTerms:
    """`perceptual` and `identity`, those of them that count.

    Args:
        perceptual: weight of `perceptual_distances`; with 0 its network is not even loaded.
        identity: of `identity_distance`, likewise.
        size: pixels a side of the faces.
        template: alignment that they have.
        hardware: what the networks run on.
        starts: `features`, a VGG-16 in place of SFace.

    Raises:
        ValueError: `features` is another network.
        operators.models.ModelFileError: SFace's file is missing or not the expected one.
    """

    def __init__(
        self,
        perceptual: float,
        identity: float,
        *,
        size: int,
        template: str,
        hardware: Hardware,
        starts: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self._hardware = hardware
        self._features: FeatureNetwork | None = None
        self._embedder: Embedder | None = None
        if perceptual:
            self._features = placed(feature_network(starts, LAYERS, SFACE_LAYERS), hardware)
        if identity:
            self._embedder = placed(Embedder((template_points(template, size) + 0.5) / size), hardware)

    def __call__(self, made: Tensor, truth: Tensor) -> dict[str, Tensor]:
        """The terms by name.

        Args:
            made: (N, 3, S, S) in [-1, 1].
            truth: likewise, without a gradient.
        """
        terms: dict[str, Tensor] = {}
        if self._features is not None:
            seen, expected = self._seen(self._features, made), self._seen(self._features, truth, known=True)
            terms["perceptual"] = perceptual_distances(seen, expected).mean()
        if self._embedder is not None:
            with cast(self._hardware):
                found = self._embedder(made)
            with torch.no_grad(), cast(self._hardware):
                person = self._embedder(truth)
            terms["identity"] = identity_distance(found.float(), person.float())
        return terms

    def _seen(self, features: FeatureNetwork, pictures: Tensor, *, known: bool = False) -> dict[str, Tensor]:
        with torch.set_grad_enabled(not known and torch.is_grad_enabled()), cast(self._hardware):
            return {name: one.float() for name, one in features(pictures).items()}
