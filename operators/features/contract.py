"""What a feature network is, whoever trained it."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn


class FeatureNetwork(nn.Module):
    """Pictures to named feature maps; differentiable, frozen, in eval mode.

    Args:
        name: of the network, for records: `vgg16` or `sface`.
        weights_sha256: content hash of its file.
        trunk: what computes; see `forward`.
        layers: names of the maps, from the shallowest.
        deep: the layer that the papers would call relu4_3 of VGG-16: of what is far from pixels, the finest.
    """

    def __init__(self, name: str, weights_sha256: str, trunk: nn.Module, layers: tuple[str, ...], deep: str) -> None:
        super().__init__()
        self.name = name
        self.weights_sha256 = weights_sha256
        self.layers = layers
        self.deep = deep
        self.trunk = trunk.eval().requires_grad_(False)

    def train(self, mode: bool = True) -> FeatureNetwork:
        """Stay in eval mode: whoever trains something through it does not train it."""
        return super().train(False)

    def forward(self, pictures: Tensor) -> Mapping[str, Tensor]:
        """Look at pictures.

        Args:
            pictures: (N, 3, H, W) RGB in [-1, 1]; at least 32 pixels a side.

        Returns:
            (N, C, h, w) by layer, in the order of `layers`.
        """
        maps: Mapping[str, Tensor] = self.trunk(pictures)
        return maps
