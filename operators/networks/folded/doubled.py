"""Bilinear doubling followed by a convolution of 3 x 3, with a quarter of the arithmetic.

Doubling is zeros between the pixels and then the filter (1, 3, 3, 1) / 4 on each axis. Filter and convolution commute,
and a convolution over pixels of which three quarters are zero is a transposed convolution: so it comes first, over the
small image, and the filter after it. Only the border differs. Repeating the border pixel gives the doubled image its
right values inside, and one ring of repeated pixels around it, where the convolution should see zeros. What the ring
adds reaches only the outermost rows and columns, and is computed on four strips and taken away. The result is exact.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from operators.networks.folded.convolution import FrozenConv2d, FrozenTransposedConv2d, constant, depthwise_filter
from operators.networks.layers.bilinear import BilinearDouble
from operators.networks.layers.equalised import SLOPE
from operators.networks.layers.fir import fir_kernel

# Measured for GFPGAN-512 with OpenVINO on two AVX-512 cores, seconds a face in float32 and bfloat16: 0.84 and 0.42 with
# plain doubling everywhere, 0.71 and 0.36 from 256 channels on, 0.64 and 0.33 from 128 on, 0.63 and 0.33 from 64 on.
# With fewer channels memory and not arithmetic takes the time, the more so on a GPU.
EARLY_CHANNELS = 128

# Below, the strips cost as much as is saved.
_LEAST_SIDE = 16


def doubled_convolution(
    weight: Tensor, side: int, early: int, bias: Tensor | None = None, *, activate: bool = False
) -> nn.Module:
    """A module that doubles (N, I, side, side) bilinearly and convolves it, zeros around, in the faster of two ways.

    Args:
        weight: (O, I, 3, 3).
        side: pixels before doubling.
        early: channels from which on the convolution comes first.
        bias: (O,), or None.
        activate: leaky ReLU, its gain being in weight and bias.
    """
    if weight.shape[1] >= early and side >= _LEAST_SIDE:
        return DoubledConv2d(weight, side, bias, activate=activate)
    return nn.Sequential(BilinearDouble(), FrozenConv2d(weight, bias, padding=1, activate=activate))


class DoubledConv2d(nn.Module):
    """Bilinear doubling and convolution, convolution first.

    Args:
        weight: (O, I, 3, 3).
        side: pixels before doubling.
        bias: (O,), or None.
        activate: leaky ReLU, its gain being in weight and bias.
    """

    def __init__(self, weight: Tensor, side: int, bias: Tensor | None = None, *, activate: bool = False) -> None:
        super().__init__()
        # A transposed convolution spreads a pixel by the kernel; a convolution gathers by it: hence the flip.
        self.transposed = FrozenTransposedConv2d(weight.flip(2, 3).transpose(0, 1), padding=1)
        self.filter = depthwise_filter(fir_kernel((1, 3, 3, 1), 4.0).to(weight.device), len(weight), (0, 0))
        edges = [weight[:, :, :1], weight[:, :, 2:], *(weight[..., at].unsqueeze(2) for at in (0, 2))]
        self.edges = FrozenConv2d(torch.cat(edges), groups=4)
        first = torch.zeros(1, 1, 1, 2 * side, device=weight.device)
        first[..., 0] = 1.0
        self.first, self.last = constant(first), constant(first.flip(3))
        self.bias = None if bias is None else constant(bias.detach().view(1, -1, 1, 1))
        self.activate = activate

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, I, side, side) to (N, O, 2 side, 2 side)."""
        y: Tensor = self.filter(self.transposed(functional.pad(x, (1, 1, 1, 1), mode="replicate")))
        top, bottom, left, right = self._ring(x).chunk(4, 1)
        rows = top * self.first.transpose(2, 3) + bottom * self.last.transpose(2, 3)
        columns = left.transpose(2, 3) * self.first + right.transpose(2, 3) * self.last
        y = y - rows - columns
        if self.bias is not None:
            y = y + self.bias
        return functional.leaky_relu(y, SLOPE) if self.activate else y

    def _ring(self, x: Tensor) -> Tensor:
        """What the ring adds to the top row, bottom row, left and right column; (N, 4 O, 1, 2 side)."""
        rows = torch.cat((x[:, :, :1], x[:, :, -1:]), 1)
        columns = torch.cat((x[..., :1], x[..., -1:]), 1).transpose(2, 3)
        strips = functional.interpolate(
            torch.cat((rows, columns), 1), scale_factor=(1.0, 2.0), mode="bilinear", align_corners=False
        )
        above_below, beside = strips.chunk(2, 1)
        # The corners are counted with the rows.
        above_below = functional.pad(above_below, (1, 1, 0, 0), mode="replicate")
        result: Tensor = self.edges(torch.cat((above_below, functional.pad(beside, (1, 1, 0, 0))), 1))
        return result
