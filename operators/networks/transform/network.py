"""The transformation network of perceptual losses as it is trained, with the parameter names of pytorch/examples."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class Conv(nn.Module):
    """Doubling if asked for, mirrored border, convolution under the name `conv2d`.

    Args:
        entering: channels of the input.
        leaving: of the output.
        side: of the kernel, odd.
        stride: pixels.
        factor: by which the input is enlarged before, by repetition; 1 for not.
    """

    def __init__(self, entering: int, leaving: int, side: int, stride: int = 1, factor: int = 1) -> None:
        super().__init__()
        self.side, self.factor = side, factor
        self.conv2d = nn.Conv2d(entering, leaving, side, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, entering, H, W)."""
        if self.factor > 1:
            x = functional.interpolate(x, scale_factor=float(self.factor), mode="nearest")
        margin = self.side // 2
        result: Tensor = self.conv2d(functional.pad(x, (margin, margin, margin, margin), mode="reflect"))
        return result


class Residual(nn.Module):
    """Residual block; no activation behind the sum.

    Args:
        channels: of the features.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = Conv(channels, channels, 3), Conv(channels, channels, 3)
        self.in1, self.in2 = (nn.InstanceNorm2d(channels, affine=True) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, channels, H, W) onto itself."""
        y = functional.relu(self.in1(self.conv1(x)))
        result: Tensor = self.in2(self.conv2(y)) + x
        return result


class Transform(nn.Module):
    """Two halvings, residual blocks, two doublings by repetition.

    Args:
        channels: at full resolution.
        blocks: residual blocks; 5 as published.
        large: side of the first and last kernel, odd.

    Raises:
        ValueError: the large kernel is even.
    """

    def __init__(self, *, channels: int = 32, blocks: int = 5, large: int = 9) -> None:
        super().__init__()
        if large % 2 == 0:
            raise ValueError(f"kernels of {large} pixels; expected odd ones")
        self.blocks = blocks
        self.conv1 = Conv(3, channels, large)
        self.conv2 = Conv(channels, 2 * channels, 3, 2)
        self.conv3 = Conv(2 * channels, 4 * channels, 3, 2)
        self.in1, self.in2, self.in3 = (nn.InstanceNorm2d(channels << level, affine=True) for level in range(3))
        for number in range(1, blocks + 1):
            self.add_module(f"res{number}", Residual(4 * channels))
        self.deconv1 = Conv(4 * channels, 2 * channels, 3, factor=2)
        self.deconv2 = Conv(2 * channels, channels, 3, factor=2)
        self.deconv3 = Conv(channels, 3, large)
        self.in4 = nn.InstanceNorm2d(2 * channels, affine=True)
        self.in5 = nn.InstanceNorm2d(channels, affine=True)

    def forward(self, x: Tensor) -> Tensor:
        """Transform.

        Args:
            x: (N, 3, H, W) in [0, 255], RGB; H and W multiples of 4.

        Returns:
            (N, 3, H, W), in about [0, 255].
        """
        y = functional.relu(self.in1(self.conv1(x)))
        y = functional.relu(self.in2(self.conv2(y)))
        y = functional.relu(self.in3(self.conv3(y)))
        for number in range(1, self.blocks + 1):
            y = self.get_submodule(f"res{number}")(y)
        y = functional.relu(self.in4(self.deconv1(y)))
        y = functional.relu(self.in5(self.deconv2(y)))
        result: Tensor = self.deconv3(y)
        return result
