"""How far a network sees: which input pixels an output pixel depends on, followed back through its layers.

A layer is a step from a span of its output's pixels, both ends included, to the span of its input's that they depend
on. One axis is enough, since all layers here are the same along both. What stands at a picture's edge, zeros or a
mirrored border, never reaches further than the layer itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

Step = Callable[[int, int], tuple[int, int]]


def conv(side: int, stride: int = 1) -> Step:
    """A convolution, padded so that the picture keeps its size, or has it divided by the stride.

    Args:
        side: of the kernel; odd with padding `side // 2`, or 4 with padding 1.
        stride: pixels.
    """
    padding = (side - 1) // 2
    return lambda first, last: (first * stride - padding, last * stride - padding + side - 1)


def transposed(side: int) -> Step:
    """A transposed convolution of stride 2 and padding 1.

    Args:
        side: of the kernel.
    """
    return lambda first, last: (-((side - 2 - first) // 2), (last + 1) // 2)


def enlarged(factor: int) -> Step:
    """Enlargement by repetition, or by a pixel shuffle.

    Args:
        factor: whole.
    """
    return lambda first, last: (first // factor, last // factor)


def folded(factor: int) -> Step:
    """A pixel unshuffle.

    Args:
        factor: whole.
    """
    return lambda first, last: (first * factor, last * factor + factor - 1)


def reach(steps: Iterable[Step], scale: int, multiple: int) -> int:
    """The largest distance between an output pixel's place in the input and an input pixel that it depends on.

    Args:
        steps: layers, first to last.
        scale: output pixels per input pixel, along one axis.
        multiple: after so many input pixels the dependence repeats.

    Returns:
        Input pixels.
    """
    backwards = list(steps)[::-1]
    farthest = 0
    for pixel in range(scale * multiple):
        first = last = pixel
        for step in backwards:
            first, last = step(first, last)
        place = pixel // scale
        farthest = max(farthest, place - first, last - place)
    return farthest
