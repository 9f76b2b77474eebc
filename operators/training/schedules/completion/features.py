"""The feature network of the perceptual term."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch.nn import functional

from operators.training.contract import Hardware
from operators.training.schedules.perception import feature_network, seen
from operators.training.schedules.prepared import placed

VGG_LAYER, SFACE_LAYER = "relu2_2", "conv_4"
"""The paper's; and SFace's last step at the same half of the picture's side."""
_LEAST_SIDE = 32


class Features:
    """Pictures to the maps of one layer.

    Args:
        starts: of the training; VGG-16 as `features`, else SFace is taken, which comes with the package.
        hardware: what it runs on.

    Raises:
        ValueError: `features` is another network.
    """

    def __init__(self, starts: Mapping[str, Mapping[str, Any]], hardware: Hardware) -> None:
        self._hardware = hardware
        self._network = placed(feature_network(starts, (VGG_LAYER,), (SFACE_LAYER,)), hardware)

    def __call__(self, pictures: Tensor) -> Tensor:
        """Look at (N, 3, S, S) in [-1, 1]: (N, C, h, w) float32. Pictures below 32 pixels a side are enlarged."""
        side = pictures.shape[-1]
        if side < _LEAST_SIDE:
            pictures = functional.interpolate(pictures, scale_factor=float(_LEAST_SIDE // side), mode="nearest")
        return seen(self._network, pictures, self._hardware)[self._network.layers[-1]]
