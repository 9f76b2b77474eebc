"""The networks that take whole pictures: scale, reach, size and values; importing it loads no torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from operators.whole.reach import Step, conv, enlarged, folded, reach, transposed

Arguments = Mapping[str, Any]
Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Values:
    """What black and white are to a network.

    Attributes:
        low: what stands for 0, of red, green and blue.
        high: what stands for 1.
    """

    low: Triple
    high: Triple


def _values(low: float, high: float) -> Values:
    return Values((low, low, low), (high, high, high))


UNIT, SIGNED, BYTES = _values(0.0, 1.0), _values(-1.0, 1.0), _values(0.0, 255.0)
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
IMAGENET = Values(
    (-_MEAN[0] / _DEVIATION[0], -_MEAN[1] / _DEVIATION[1], -_MEAN[2] / _DEVIATION[2]),
    ((1 - _MEAN[0]) / _DEVIATION[0], (1 - _MEAN[1]) / _DEVIATION[1], (1 - _MEAN[2]) / _DEVIATION[2]),
)
"""Colours less the mean of ImageNet, over their deviation."""


@dataclass(frozen=True)
class WholeNetwork:
    """What is known of a network before it is run.

    Attributes:
        name: architecture, as `operators.networks.recognise` names it.
        scale: output pixels per input pixel, along one axis.
        reach: input pixels, along one axis, that an output pixel depends on; None where it depends on all.
        window: the same where the statistics of the whole picture are given; equal to `reach` where that is no None.
        multiple: height and width of the input are multiples of it.
        least: they are no less than it: a mirrored border is shorter than what it mirrors.
        entering: values of the input.
        leaving: values of the output.
        description: one line.
    """

    name: str
    scale: int
    reach: int | None
    window: int
    multiple: int
    least: int
    entering: Values
    leaving: Values
    description: str


_CHANNELS = ("num_in_ch", "num_out_ch", "input_nc", "output_nc")


def whole_network(architecture: str, arguments: Arguments) -> WholeNetwork:
    """What is known of a network that takes whole pictures.

    Args:
        architecture: as recognised.
        arguments: as recognised.

    Raises:
        ValueError: it takes no whole pictures, or none in colour.
    """
    if architecture not in _NETWORKS:
        raise ValueError(f"{architecture} is no network for whole pictures; those are {', '.join(_NETWORKS)}")
    found = _NETWORKS[architecture](arguments)
    channels = [arguments[key] for key in _CHANNELS if key in arguments]
    if set(channels) - {3}:
        counts = " and ".join(str(count) for count in channels)
        raise ValueError(f"this {architecture} takes and makes {counts} channels; pictures here have 3, RGB")
    return found


def architectures() -> tuple[str, ...]:
    """Architectures that take whole pictures."""
    return tuple(_NETWORKS)


def _made(
    name: str,
    steps: list[Step],
    description: str,
    *,
    scale: int = 1,
    multiple: int = 1,
    least: int = 1,
    global_statistics: bool = False,
    entering: Values = UNIT,
    leaving: Values = UNIT,
) -> WholeNetwork:
    window = reach(steps, scale, multiple)
    far = None if global_statistics else window
    return WholeNetwork(name, scale, far, window, multiple, least, entering, leaving, description)


def _rrdb(arguments: Arguments) -> WholeNetwork:
    factor, fold, ups = arguments.get("up_factor", 2), arguments["unshuffle"], arguments["ups"]
    larger = factor**ups
    if larger % fold:
        raise ValueError(f"it folds by {fold} and enlarges by {larger}; expected a whole number of times as large")
    steps = [folded(fold), *[conv(3)] * (15 * arguments["num_block"] + 2)]
    steps += [enlarged(factor), conv(3)] * ups + [conv(3)] * 2
    scale = larger // fold
    described = f"RRDBNet (ESRGAN, Real-ESRGAN): enlarges {scale} times" if scale > 1 else "RRDBNet: cleans"
    return _made("rrdb", steps, described, scale=scale, multiple=fold)


def _msrresnet(arguments: Arguments) -> WholeNetwork:
    steps = [conv(3)] * (1 + 2 * arguments["blocks"])
    for factor in arguments["factors"]:
        steps += [conv(3), enlarged(factor)]
    scale = math.prod(arguments["factors"])
    return _made("msrresnet", [*steps, conv(3), conv(3)], f"SRResNet (BasicSR): enlarges {scale} times", scale=scale)


def _srresnet(arguments: Arguments) -> WholeNetwork:
    small, large = conv(arguments["small"]), conv(arguments["large"])
    steps = [large, *[small] * (1 + 2 * arguments["blocks"])]
    for factor in arguments["factors"]:
        steps += [small, enlarged(factor)]
    scale = math.prod(arguments["factors"])
    signed = str(arguments["names"]).startswith("sgrvinod")
    return _made(
        "srresnet",
        [*steps, large],
        f"SRResNet (SRGAN): enlarges {scale} times",
        scale=scale,
        entering=IMAGENET if signed else UNIT,
        leaving=SIGNED if signed else UNIT,
    )


def _pix2pix(arguments: Arguments) -> WholeNetwork:
    downs = arguments["num_downs"]
    return _made(
        "pix2pix",
        [conv(4, 2)] * downs + [transposed(4)] * downs,
        f"U-Net of pix2pix, {downs} levels: translates",
        multiple=1 << downs,
        global_statistics=arguments["norm"] == "instance",
        entering=SIGNED,
        leaving=SIGNED,
    )


def _cyclegan(arguments: Arguments) -> WholeNetwork:
    steps = [conv(7), conv(3, 2), conv(3, 2), *[conv(3)] * (2 * arguments["n_blocks"])]
    return _made(
        "cyclegan",
        [*steps, transposed(3), transposed(3), conv(7)],
        f"CycleGAN's generator, {arguments['n_blocks']} residual blocks: translates",
        multiple=4,
        # Borders of 3 pixels at full size, and of 1 at a quarter of it.
        least=8,
        global_statistics=arguments["norm"] == "instance",
        entering=SIGNED,
        leaving=SIGNED,
    )


def _transform(arguments: Arguments) -> WholeNetwork:
    large = conv(arguments["large"])
    steps = [large, conv(3, 2), conv(3, 2), *[conv(3)] * (2 * arguments["blocks"])]
    return _made(
        "transform",
        [*steps, enlarged(2), conv(3), enlarged(2), conv(3), large],
        "transformation network of perceptual losses: gives the style it was trained for",
        multiple=4,
        least=max(8, arguments["large"] // 2 + 1),
        global_statistics=True,
        entering=BYTES,
        leaving=BYTES,
    )


_NETWORKS: Mapping[str, Callable[[Arguments], WholeNetwork]] = MappingProxyType(
    {
        "rrdb": _rrdb,
        "msrresnet": _msrresnet,
        "srresnet": _srresnet,
        "pix2pix": _pix2pix,
        "cyclegan": _cyclegan,
        "transform": _transform,
    }
)
