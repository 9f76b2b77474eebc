"""The sets of names under which SRResNet was published."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class ModifiedNames:
    """One set of names of the form without batch normalisation.

    Attributes:
        body: before the number of a block.
        up: the convolution before a pixel shuffle, from its number, 1 for the first.
        hr: the last convolution but one.
    """

    body: str
    up: Callable[[int], str]
    hr: str


MODIFIED: Mapping[str, ModifiedNames] = MappingProxyType(
    {
        "basicsr": ModifiedNames("body.", lambda number: f"upconv{number}", "conv_hr"),
        "basicsr-2018": ModifiedNames("recon_trunk.", lambda number: f"upconv{number}", "HRconv"),
        "mmediting": ModifiedNames("trunk_net.", lambda number: f"upsample{number}.upsample_conv", "conv_hr"),
    }
)


@dataclass(frozen=True)
class Names:
    """One set of names of the paper's form.

    Attributes:
        first: convolution and PReLU at the beginning.
        block: convolution, normalisation, PReLU, convolution, normalisation of a block, from its number.
        middle: convolution and normalisation behind the blocks, from their number.
        up: convolution and PReLU of an enlargement, from the number of blocks and its own number.
        last: the last convolution, from the number of blocks and of enlargements.
        ending: what becomes of the last convolution's result: `tanh`, `shifted` for (tanh + 1) / 2, `clamp` to [0, 1].
    """

    first: tuple[str, str]
    block: Callable[[int], tuple[str, str, str, str, str]]
    middle: Callable[[int], tuple[str, str]]
    up: Callable[[int, int], tuple[str, str]]
    last: Callable[[int, int], str]
    ending: str


def _numbered(number: int) -> tuple[str, str, str, str, str]:
    block = f"block{number + 2}"
    return f"{block}.conv1", f"{block}.bn1", f"{block}.prelu", f"{block}.conv2", f"{block}.bn2"


def _tutorial(prefix: str) -> Names:
    def block(number: int) -> tuple[str, str, str, str, str]:
        at = f"{prefix}residual_blocks.{number}.conv_block"
        return (
            *(f"{at}1.conv_block.0", f"{at}1.conv_block.1", f"{at}1.conv_block.2"),
            *(f"{at}2.conv_block.0", f"{at}2.conv_block.1"),
        )

    return Names(
        first=(f"{prefix}conv_block1.conv_block.0", f"{prefix}conv_block1.conv_block.1"),
        block=block,
        middle=lambda blocks: (f"{prefix}conv_block2.conv_block.0", f"{prefix}conv_block2.conv_block.1"),
        up=lambda blocks, number: (
            f"{prefix}subpixel_convolutional_blocks.{number}.conv",
            f"{prefix}subpixel_convolutional_blocks.{number}.prelu",
        ),
        last=lambda blocks, ups: f"{prefix}conv_block3.conv_block.0",
        ending="tanh",
    )


NAMES: Mapping[str, Names] = MappingProxyType(
    {
        "leftthomas": Names(
            first=("block1.0", "block1.1"),
            block=_numbered,
            middle=lambda blocks: (f"block{blocks + 2}.0", f"block{blocks + 2}.1"),
            up=lambda blocks, number: (f"block{blocks + 3}.{number}.conv", f"block{blocks + 3}.{number}.prelu"),
            last=lambda blocks, ups: f"block{blocks + 3}.{ups}",
            ending="shifted",
        ),
        "lornatang": Names(
            first=("conv1.0", "conv1.1"),
            block=lambda number: (
                *(f"trunk.{number}.rcb.0", f"trunk.{number}.rcb.1", f"trunk.{number}.rcb.2"),
                *(f"trunk.{number}.rcb.3", f"trunk.{number}.rcb.4"),
            ),
            middle=lambda blocks: ("conv2.0", "conv2.1"),
            up=lambda blocks, number: (
                f"upsampling.{number}.upsample_block.0",
                f"upsampling.{number}.upsample_block.2",
            ),
            last=lambda blocks, ups: "conv3",
            ending="clamp",
        ),
        "sgrvinod": _tutorial(""),
        "sgrvinod-srgan": _tutorial("net."),
    }
)
"""By whose repository: leftthomas/SRGAN, Lornatang/SRGAN-PyTorch, sgrvinod's tutorial on super-resolution."""
