"""PGGAN as a prior, as mGANprior uses it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from operators.inversion.priors.contract import Features, Place, check_codes, check_space, place_at
from operators.networks.pggan.network import Block, Pggan


class PgganPrior:
    """PGGAN with its layers as places: two at each resolution, up to what `lod` leaves in.

    Codes are in z alone, standard normal, (z_space_dim,); the optimisation begins with normal codes, as the paper's.

    Args:
        network: as `from_state_dict` makes it; its weights are not changed.
    """

    name = "pggan"
    spaces: tuple[str, ...] = ("z",)

    def __init__(self, network: Pggan) -> None:
        blocks = [network.get_submodule(f"layer{index}") for index in range(2 * network.active)]
        self._blocks = [block for block in blocks if isinstance(block, Block)]
        self._to_picture = network.get_submodule(f"output{network.active - 1}")
        self._doublings = network.levels - network.active
        self._features = int(_weight(self._blocks[0]).shape[1])
        self.resolution = 2 << network.levels
        self.layers = len(self._blocks)
        self.places = tuple(
            Place(index + 1, 4 << index // 2, int(block.wscale.bias.shape[0]))
            for index, block in enumerate(self._blocks)
        )

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return self._blocks[0].wscale.bias.device

    def code_shape(self, space: str) -> tuple[int, ...]:
        """Shape of one code.

        Raises:
            ValueError: the space is not z.
        """
        check_space(self, space)
        return (self._features,)

    def start(self, count: int, space: str, generator: torch.Generator) -> Tensor:
        """Normal codes (count, z_space_dim)."""
        shape = (count, *self.code_shape(space))
        return torch.randn(shape, generator=generator, device=generator.device).to(self.device)

    def mean_w(self) -> Tensor:
        """PGGAN has no mapping network.

        Raises:
            ValueError: always.
        """
        raise ValueError("pggan has no mapping network, and so no mean of w; its codes are in z")

    def channels(self, layer: int) -> int:
        """Channels of a layer's features."""
        return place_at(self, layer).channels

    def early(self, codes: Tensor, space: str, layer: int) -> Features:
        """Features (M, C, h, w) of codes (M, z_space_dim) after a layer."""
        check_codes(self, codes, space)
        place_at(self, layer)
        maps = codes[:, :, None, None]
        for block in self._blocks[:layer]:
            maps = block(maps)
        return Features(maps)

    def late(self, features: Features, space: str, layer: int) -> Tensor:
        """Pictures (M, 3, S, S) of features after a layer."""
        check_space(self, space)
        place_at(self, layer)
        maps = features.maps
        for block in self._blocks[layer:]:
            maps = block(maps)
        picture: Tensor = self._to_picture(maps)
        for _ in range(self._doublings):
            picture = functional.interpolate(picture, scale_factor=2.0, mode="nearest")
        return picture

    def generate(self, codes: Tensor, space: str) -> Tensor:
        """Pictures (M, 3, S, S) of codes (M, z_space_dim)."""
        return self.late(self.early(codes, space, self.layers), space, self.layers)


def _weight(block: Block) -> Tensor:
    """The first layer's kernel (O, I, 4, 4), which is never fused with a doubling."""
    assert block.conv is not None
    return block.conv.weight
