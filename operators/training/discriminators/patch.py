"""A discriminator of patches, in the layout in which pix2pix and CycleGAN train theirs."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

_MOST = 8


class PatchDiscriminator(nn.Module):
    """Says of each overlapping patch whether it looks real; with three layers a patch has 70 pixels a side.

    Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks" (2017), section 3.2.2 and appendix
    6.1.2; names and places as in pytorch-CycleGAN-and-pix2pix (`model.0.weight` and on).

    Args:
        channels: of the pictures; pix2pix gives input and output together, six channels.
        width: of the first layer.
        layers: that halve the size.
        norm: after all but the first and last layer.
    """

    def __init__(
        self, channels: int = 3, width: int = 64, layers: int = 3, norm: Literal["batch", "instance"] = "batch"
    ) -> None:
        super().__init__()
        made: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        before = width
        for number in range(1, layers + 1):
            after = width * min(2**number, _MOST)
            stride = 2 if number < layers else 1
            # A batch normalisation takes the bias away again.
            made.append(nn.Conv2d(before, after, 4, stride, 1, bias=norm == "instance"))
            made += [nn.BatchNorm2d(after) if norm == "batch" else nn.InstanceNorm2d(after), nn.LeakyReLU(0.2)]
            before = after
        self.model = nn.Sequential(*made, nn.Conv2d(before, 1, 4, 1, 1))

    def forward(self, pictures: Tensor) -> Tensor:
        """Judge (N, channels, H, W): (N, 1, h, w), one number a patch."""
        judged: Tensor = self.model(pictures)
        return judged
