"""Resampling by a small fixed filter, as StyleGAN2 does it: a depthwise convolution with a constant kernel."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

Taps = Sequence[float]


def fir_kernel(taps: Taps, gain: float = 1.0) -> Tensor:
    """The outer product of the taps with themselves, summing to `gain`; (n, n) float32.

    It is made on the CPU whatever the default device is: kernels that no checkpoint stores are not filled by loading.
    """
    row = torch.tensor(tuple(taps), dtype=torch.float32, device="cpu")
    square = row[:, None] * row[None, :]
    return square * (gain / square.sum())


def depthwise(x: Tensor, kernel: Tensor, padding: tuple[int, int], stride: int = 1) -> Tensor:
    """Filter every channel with one kernel.

    Args:
        x: (N, C, H, W).
        kernel: (n, n); a true convolution, so it is flipped here.
        padding: zeros before and after, on both axes.
        stride: pixels.
    """
    channels = x.shape[1]
    weight = kernel.flip(0, 1).to(x.dtype).expand(channels, 1, -1, -1)
    before, after = padding
    if before != after:
        x = functional.pad(x, (before, after, before, after))
        before = 0
    return functional.conv2d(x, weight, stride=stride, padding=before, groups=channels)


def upsample_depthwise(x: Tensor, weight: Tensor) -> Tensor:
    """Double the resolution: zeros between the pixels, then a filter, as one depthwise transposed convolution.

    Args:
        x: (N, C, H, W).
        weight: (C, 1, n, n), each summing to 4.

    Returns:
        (N, C, 2H, 2W).
    """
    taps = weight.shape[2]
    y = functional.conv_transpose2d(x, weight, stride=2, padding=(taps - 1) // 2 - taps % 2, groups=len(weight))
    return y if taps % 2 == 0 else y[..., : 2 * x.shape[2], : 2 * x.shape[3]]


def padding_after_transposed(taps: int, kernel_size: int) -> tuple[int, int]:
    """Zeros around the output of a transposed convolution of stride 2, so that the filter leaves twice the input."""
    surplus = taps - 2 - (kernel_size - 1)
    return (surplus + 1) // 2 + 1, surplus // 2 + 1


def padding_before_strided(taps: int, kernel_size: int) -> tuple[int, int]:
    """Zeros around the input of the filter, so that a convolution of stride 2 after it leaves half the input."""
    surplus = taps - 2 + kernel_size - 1
    return (surplus + 1) // 2, surplus // 2


class Blur(nn.Module):
    """The filter on its own.

    Args:
        taps: of the filter, one axis.
        padding: zeros before and after.
        gain: sum of the kernel.
        stored: whether checkpoints hold the kernel, under the name `kernel`.
    """

    kernel: Tensor

    def __init__(self, taps: Taps, padding: tuple[int, int], *, gain: float = 1.0, stored: bool = True) -> None:
        super().__init__()
        self.padding = padding
        self.register_buffer("kernel", fir_kernel(taps, gain), persistent=stored)

    def forward(self, x: Tensor) -> Tensor:
        """Filter (N, C, H, W)."""
        return depthwise(x, self.kernel, self.padding)


class FirUpsample(nn.Module):
    """Doubles the resolution.

    Args:
        taps: of the filter, one axis.
        stored: whether checkpoints hold the kernel, under the name `kernel`.
    """

    kernel: Tensor

    def __init__(self, taps: Taps = (1, 3, 3, 1), *, stored: bool = True) -> None:
        super().__init__()
        self.register_buffer("kernel", fir_kernel(taps, 4.0), persistent=stored)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C, 2H, 2W)."""
        return upsample_depthwise(x, self.kernel.to(x.dtype).expand(x.shape[1], 1, -1, -1))
