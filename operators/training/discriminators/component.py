"""GFPGAN's discriminators of eyes and mouth."""

from __future__ import annotations

from torch import Tensor, nn

from operators.networks.layers.convolution import ConvLayer


class ComponentDiscriminator(nn.Module):
    """Looks at the square of one component.

    Wang et al., "Towards Real-World Blind Face Restoration with Generative Facial Prior" (2021), section 3.3; layers as
    in its released training code. Unlike that code's, the last convolution has no bias of its own.

    Args:
        width: of the first layer; doubled twice.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.conv1 = ConvLayer(3, width, 3)
        self.conv2 = ConvLayer(width, 2 * width, 3, half="fir")
        self.conv3 = ConvLayer(2 * width, 2 * width, 3)
        self.conv4 = ConvLayer(2 * width, 4 * width, 3, half="fir")
        self.conv5 = ConvLayer(4 * width, 4 * width, 3)
        self.final_conv = ConvLayer(4 * width, 1, 3, activate=False)

    def forward(self, squares: Tensor) -> Tensor:
        """Judge (N, 3, S, S): (N, 1, S / 4, S / 4), logits."""
        return self.judged(squares)[0]

    def judged(self, squares: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Logits, and the features before each halving and at the end, for `component_style`."""
        first = self.conv3(self.conv2(self.conv1(squares)))
        second = self.conv5(self.conv4(first))
        return self.final_conv(second), [first, second]
