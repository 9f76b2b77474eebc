"""SRResNet as it is executed: batch normalisation folded into the convolutions."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from operators.networks.folded.convolution import FrozenConv2d, constant
from operators.networks.folded.norms import batch_folded
from operators.networks.srresnet.network import LEAK, ModifiedSrResNet, SrResNet, ended


class Activated(nn.Module):
    """A frozen convolution, a pixel shuffle where there is one, and a PReLU.

    Args:
        conv: the convolution.
        slopes: of the PReLU.
        factor: of the pixel shuffle, 1 for none.
    """

    def __init__(self, conv: FrozenConv2d, slopes: Tensor, factor: int = 1) -> None:
        super().__init__()
        self.conv = conv
        self.slopes = constant(slopes)
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, I, H, W)."""
        y: Tensor = self.conv(x)
        if self.factor > 1:
            y = functional.pixel_shuffle(y, self.factor)
        return functional.prelu(y, self.slopes)


class FoldedSrResNet(nn.Module):
    """SRResNet in the paper's form, frozen.

    Args:
        network: to be folded; it is not changed.
    """

    def __init__(self, network: SrResNet) -> None:
        super().__init__()
        names, blocks = network.names, network.blocks

        def part(name: str) -> nn.Module:
            return network.get_submodule(name)

        def prelu(name: str) -> Tensor:
            found = part(name)
            assert isinstance(found, nn.PReLU)
            return found.weight.detach()

        first, second = names.first
        self.first = Activated(batch_folded(part(first), None), prelu(second))
        self.blocks = nn.ModuleList()
        for number in range(blocks):
            conv1, norm1, between, conv2, norm2 = names.block(number)
            inner = Activated(batch_folded(part(conv1), part(norm1)), prelu(between))
            self.blocks.append(nn.Sequential(inner, batch_folded(part(conv2), part(norm2))))
        self.middle = batch_folded(*(part(name) for name in names.middle(blocks)))
        ups = [names.up(blocks, number) for number in range(len(network.factors))]
        self.ups = nn.Sequential(
            *(
                Activated(batch_folded(part(conv), None), prelu(slopes), factor)
                for (conv, slopes), factor in zip(ups, network.factors, strict=True)
            )
        )
        self.last = batch_folded(part(names.last(blocks, len(network.factors))), None)
        self.ending = names.ending

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge (N, 3, H, W), any float type, to float32; arithmetic in the weights' type."""
        first: Tensor = self.first(x.to(self.last.weight.dtype))
        features = first
        for block in self.blocks:
            features = features + block(features)
        picture: Tensor = self.last(self.ups(first + self.middle(features)))
        return ended(picture.float(), self.ending)


class FoldedModifiedSrResNet(nn.Module):
    """SRResNet without normalisation, frozen.

    Args:
        network: to be folded; it is not changed.
    """

    def __init__(self, network: ModifiedSrResNet) -> None:
        super().__init__()

        def frozen(name: str) -> FrozenConv2d:
            return batch_folded(network.get_submodule(name), None)

        self.first = frozen("conv_first")
        self.blocks = nn.ModuleList()
        for number in range(network.blocks):
            first, second = network.block(number)
            self.blocks.append(nn.Sequential(frozen(first), nn.ReLU(), frozen(second)))
        self.ups = nn.ModuleList(frozen(network.names.up(number)) for number in range(1, len(network.factors) + 1))
        self.hr = frozen(network.names.hr)
        self.last = frozen("conv_last")
        self.factors = network.factors
        self.scale = float(torch.tensor(network.factors).prod())

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge (N, 3, H, W), any float type, to float32; arithmetic in the weights' type."""
        # The enlargement to which is added stays float32: in a shorter type it would lose the picture's digits.
        base = functional.interpolate(x.float(), scale_factor=self.scale, mode="bilinear", align_corners=False)
        features = functional.leaky_relu(self.first(x.to(self.first.weight.dtype)), LEAK)
        for block in self.blocks:
            features = features + block(features)
        for conv, factor in zip(self.ups, self.factors, strict=True):
            features = functional.leaky_relu(functional.pixel_shuffle(conv(features), factor), LEAK)
        features = functional.leaky_relu(self.hr(features), LEAK)
        detail: Tensor = self.last(features)
        return detail.float() + base
