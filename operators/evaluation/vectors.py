"""One vector a picture, for distances between sets: mean features of a named network."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from operators.evaluation.table import SFACE_LAYER, VGG_LAYER
from operators.features import sface_features, vgg_features
from operators.networks.load import recognised_of
from operators.networks.vgg16.network import Vgg16

Picture = NDArray[np.uint8]

SIDE = 256
"""Pixels a side to which pictures are brought, where the network takes any size: only pictures of one size compare."""


class Vectors:
    """Pictures to the means of a feature map over its area.

    The same is done with Inception's last map in FID; numbers of other networks cannot be compared with published ones.

    Args:
        name: of the network and its layer, for records.
        weights_sha256: content hash of its file.
        look: (1, 3, side, side) RGB in [-1, 1] to (1, C, h, w) or (1, C).
        side: pixels a side that the network is shown.
    """

    def __init__(self, name: str, weights_sha256: str, look: Callable[[Tensor], Tensor], side: int = SIDE) -> None:
        self.name = name
        self.weights_sha256 = weights_sha256
        self.side = side
        self._look = look

    def of(self, picture: Picture) -> NDArray[np.float32]:
        """The vector of one picture.

        Args:
            picture: (H, W, 3) uint8, RGB; it is stretched to a square.

        Returns:
            (C,) float32.
        """
        with torch.inference_mode():
            maps = self._look(self._shown(picture))
        return np.asarray(maps.flatten(2).mean(2)[0] if maps.dim() > 2 else maps[0], np.float32)

    def _shown(self, picture: Picture) -> Tensor:
        """Averaged over areas where it shrinks: subsampling would show patterns that the picture does not have."""
        if picture.shape[:2] != (self.side, self.side):
            shrinks = picture.shape[0] * picture.shape[1] > self.side**2
            method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
            picture = np.asarray(cv2.resize(picture, (self.side, self.side), interpolation=method), np.uint8)
        return torch.from_numpy(picture.transpose(2, 0, 1)[np.newaxis].astype(np.float32) / 127.5 - 1.0)


def sface_vectors() -> Vectors:
    """Of SFace, which comes with the package.

    Raises:
        operators.models.ModelFileError: the model file is missing or not the expected one.
    """
    network = sface_features((SFACE_LAYER,))
    return Vectors(f"sface:{SFACE_LAYER}", network.weights_sha256, lambda shown: network(shown)[SFACE_LAYER])


def module_vectors(name: str, weights_sha256: str, module: nn.Module, layer: str = "") -> Vectors:
    """Of a network that `operators.networks.from_state_dict` has made.

    Args:
        name: of the model.
        weights_sha256: content hash of its file.
        module: a VGG-16, or any other that takes pictures in [-1, 1].
        layer: an activation of VGG-16 (`relu5_3` if empty); of another network the name of a submodule, as its
            `named_modules` has it, whose output is taken.

    Raises:
        ValueError: there is no such layer, or none is named where one has to be.
    """
    if isinstance(module, Vgg16):
        layer = layer or VGG_LAYER
        network = vgg_features(module, weights_sha256, (layer,))
        return Vectors(f"{name}:{layer}", weights_sha256, lambda shown: network(shown)[layer])
    known = [place for place, _ in module.named_modules() if place]
    if layer not in known:
        found = f"layer {layer!r} is not in it" if layer else "no layer is named"
        raise ValueError(
            f"{name}: {found}; write {name}:LAYER with one of its {len(known)} modules, from {known[0]} to {known[-1]}"
        )
    recognised = recognised_of(module)
    channels, height = recognised.input_shape[0], recognised.input_shape[-1]
    if len(recognised.input_shape) != 3 or channels != 3:
        raise ValueError(f"{name}: takes {recognised.input_shape}, expected a network that takes RGB pictures")
    side = SIDE if recognised.sizeless else height
    return Vectors(f"{name}:{layer}", weights_sha256, _Hooked(module.eval(), layer), side)


class _Hooked:
    """What a submodule gives while the whole network runs."""

    def __init__(self, module: nn.Module, layer: str) -> None:
        self._module = module
        self._layer = layer

    def __call__(self, shown: Tensor) -> Tensor:
        found: list[object] = []
        hook = self._module.get_submodule(self._layer).register_forward_hook(lambda _, __, given: found.append(given))
        try:
            self._module(shown)
        finally:
            hook.remove()
        if not found or not isinstance(found[0], Tensor) or found[0].dim() not in (2, 4):
            raise ValueError(f"layer {self._layer} gives no (N, C) or (N, C, H, W) tensor: name another one")
        return found[0]
