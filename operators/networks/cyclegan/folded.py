"""CycleGAN's generator as it is executed."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from operators.networks.cyclegan.network import Block, CycleGan
from operators.networks.folded.convolution import constant
from operators.networks.folded.norms import FrozenInstanceNorm, batch_factors, batch_folded


class FrozenDoubling(nn.Module):
    """Transposed convolution of stride 2 that doubles the size exactly, as two halves of the authors' layer.

    Args:
        conv: a `ConvTranspose2d` of 3 x 3, stride 2, padding 1, output padding 1.
        norm: a `BatchNorm2d` behind it, or None.
    """

    def __init__(self, conv: nn.ConvTranspose2d, norm: nn.BatchNorm2d | None) -> None:
        super().__init__()
        weight, bias = conv.weight.detach(), None if conv.bias is None else conv.bias.detach()
        if norm is not None:
            factor, addend = batch_factors(norm)
            weight = weight * factor[None, :, None, None]
            bias = addend if bias is None else bias * factor + addend
        self.weight = constant(weight)
        self.bias = None if bias is None else constant(bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, I, H, W) to (N, O, 2H, 2W)."""
        return functional.conv_transpose2d(x, self.weight, self.bias, stride=2, padding=1, output_padding=1)


class FoldedBlock(nn.Module):
    """Residual block, frozen.

    Args:
        block: to be folded.
    """

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.inner = folded(list(block.conv_block))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) onto itself."""
        result: Tensor = x + self.inner(x)
        return result


class FoldedCycleGan(nn.Module):
    """CycleGAN's generator, frozen.

    Args:
        network: to be folded; it is not changed.
    """

    def __init__(self, network: CycleGan) -> None:
        super().__init__()
        # The last part is the hyperbolic tangent, which is computed in float32.
        self.parts = folded(list(network.model)[:-1])

    def forward(self, x: Tensor) -> Tensor:
        """Translate (N, C, H, W), any float type, to float32; arithmetic in the weights' type."""
        made: Tensor = self.parts(x.to(next(self.parameters()).dtype))
        return torch.tanh(made.float())


def folded(parts: Sequence[nn.Module]) -> nn.Sequential:
    """The parts of a sequence, frozen, with batch normalisation folded into the convolution before it.

    Args:
        parts: padding, convolutions, normalisation, activations, dropout, blocks.

    Raises:
        TypeError: a part is none of these.
    """
    made: list[nn.Module] = []
    for index, part in enumerate(parts):
        behind = parts[index + 1] if index + 1 < len(parts) else None
        batch = behind if isinstance(behind, nn.BatchNorm2d) else None
        if isinstance(part, nn.Conv2d):
            made.append(batch_folded(part, batch))
        elif isinstance(part, nn.ConvTranspose2d):
            made.append(FrozenDoubling(part, batch))
        elif isinstance(part, nn.InstanceNorm2d):
            made.append(FrozenInstanceNorm(part, part.num_features))
        elif isinstance(part, Block):
            made.append(FoldedBlock(part))
        elif isinstance(part, nn.ReflectionPad2d):
            made.append(nn.ReflectionPad2d(part.padding))
        elif isinstance(part, nn.ReLU):
            made.append(nn.ReLU())
        elif not isinstance(part, nn.BatchNorm2d | nn.Dropout | nn.Identity):
            raise TypeError(f"not a part of this network: {type(part).__name__}")
    return nn.Sequential(*made)
