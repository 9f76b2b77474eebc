"""A blur and the resize behind it as one, where the blur's last half is needed at the smaller size only."""

from __future__ import annotations

from operators.degradations.blur import Blur
from operators.degradations.contract import Degradation, Image, Size
from operators.degradations.filtering import down, gaussian_line, turned
from operators.degradations.resize import Resize

_SHORT = 27
"""Length of a line below which blurring all of the picture along its rows costs less than turning it twice."""


def fused(first: Degradation, second: Degradation, image: Image, original: Size) -> Image | None:
    """What the second makes of what the first makes of an image; None where they are better done in turn.

    A round Gaussian and every way of resizing are products of one for columns and one for rows, and what is done to
    columns and what is done to rows may change places. So the picture is blurred and shrunk down its columns, and only
    what is left is blurred and shrunk along its rows. The result is the same up to rounding.

    Args:
        first: as drawn.
        second: the step after it.
        image: (H, W, 3) float32.
        original: height and width that the recipe began with.

    Raises:
        OperatorError: as the second does.
    """
    if not (isinstance(first, Blur) and first.kernel == "iso" and isinstance(second, Resize)):
        return None
    current = (image.shape[0], image.shape[1])
    height, width = second.size(current, original)
    line = gaussian_line(first.size, first.sigma)
    if height >= current[0] or width >= current[1] or line.size < _SHORT:
        return None
    low = turned(second.resized(down(image, line), (height, current[1])))
    return turned(second.resized(down(low, line), (width, height)))
