"""RRDBNet as it is trained, with the parameter names of published checkpoints."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from operators.networks.layers.named import place
from operators.networks.rrdb.names import NAMES

SLOPE = 0.2
RESIDUAL = 0.2
"""What a dense block and a block of three add is taken times this."""
DENSE, CONVOLUTIONS = 3, 5


class Rrdb(nn.Module):
    """Residual-in-residual dense blocks at the input's resolution, then doublings by repetition.

    Args:
        num_in_ch: channels of the input picture.
        num_out_ch: of the output.
        num_feat: of the features.
        num_block: blocks of three dense blocks.
        num_grow_ch: channels that each convolution of a dense block adds.
        ups: doublings.
        unshuffle: the input is folded by this factor, its pixels becoming channels; with two doublings 2 makes a
            network of scale 2, and 4 one of scale 1 (Real-ESRGAN, section 3.4).
        names: set of parameter names, a key of `NAMES`.
        up_factor: of each doubling; 3 for the few networks of scale 3.

    Raises:
        ValueError: the names are none of those, or the input is to be folded by another factor than 1, 2 or 4.
    """

    def __init__(
        self,
        num_in_ch: int = 3,
        num_out_ch: int = 3,
        *,
        num_feat: int = 64,
        num_block: int = 23,
        num_grow_ch: int = 32,
        ups: int = 2,
        unshuffle: int = 1,
        names: str = "basicsr",
        up_factor: int = 2,
    ) -> None:
        super().__init__()
        if names not in NAMES:
            raise ValueError(f"names is {names!r}; expected one of {', '.join(NAMES)}")
        if unshuffle not in {1, 2, 4}:
            raise ValueError(f"unshuffle is {unshuffle}; expected 1, 2 or 4")
        self.names = NAMES[names]
        self.blocks, self.ups, self.unshuffle, self.up_factor = num_block, ups, unshuffle, up_factor
        self._put(self.names.first, num_in_ch * unshuffle**2, num_feat)
        for block in range(num_block):
            for dense in range(1, DENSE + 1):
                for conv in range(1, CONVOLUTIONS + 1):
                    grown = num_feat + (conv - 1) * num_grow_ch
                    leaving = num_feat if conv == CONVOLUTIONS else num_grow_ch
                    self._put(self.names.dense(block, dense, conv), grown, leaving)
        self._put(self.names.body(num_block), num_feat, num_feat)
        for number in range(1, ups + 1):
            self._put(self.names.up(number), num_feat, num_feat)
        self._put(self.names.hr(ups), num_feat, num_feat)
        self._put(self.names.last(ups), num_feat, num_out_ch)

    def _put(self, name: str, entering: int, leaving: int) -> None:
        conv = nn.Conv2d(entering, leaving, 3, padding=1)
        if ".conv" in name:
            # The authors' start for dense blocks: a tenth of He's.
            nn.init.kaiming_normal_(conv.weight)
            with torch.no_grad():
                conv.weight.mul_(0.1)
            nn.init.zeros_(conv.bias)  # type: ignore[arg-type]  # it has one
        place(self, name, conv)

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge.

        Args:
            x: (N, num_in_ch, H, W) in [0, 1], RGB; H and W multiples of `unshuffle`.

        Returns:
            (N, num_out_ch, s H, s W), in about [0, 1].
        """
        names = self.names
        if self.unshuffle > 1:
            x = functional.pixel_unshuffle(x, self.unshuffle)
        first = self._conv(names.first, x)
        features = first
        for block in range(self.blocks):
            features = self._block(block, features)
        features = first + self._conv(names.body(self.blocks), features)
        for number in range(1, self.ups + 1):
            larger = functional.interpolate(features, scale_factor=float(self.up_factor), mode="nearest")
            features = functional.leaky_relu(self._conv(names.up(number), larger), SLOPE)
        features = functional.leaky_relu(self._conv(names.hr(self.ups), features), SLOPE)
        return self._conv(names.last(self.ups), features)

    def _block(self, block: int, x: Tensor) -> Tensor:
        y = x
        for dense in range(1, DENSE + 1):
            y = self._dense(block, dense, y)
        return y * RESIDUAL + x

    def _dense(self, block: int, dense: int, x: Tensor) -> Tensor:
        grown = x
        for conv in range(1, CONVOLUTIONS):
            made = self._conv(self.names.dense(block, dense, conv), grown)
            grown = torch.cat((grown, functional.leaky_relu(made, SLOPE)), 1)
        return self._conv(self.names.dense(block, dense, CONVOLUTIONS), grown) * RESIDUAL + x

    def _conv(self, name: str, x: Tensor) -> Tensor:
        result: Tensor = self.get_submodule(name)(x)
        return result
