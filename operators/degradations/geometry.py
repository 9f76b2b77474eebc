"""Where pixels go: flips and shifts, which masks follow."""

from __future__ import annotations

from typing import Annotated, Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from operators.degradations.contract import Degradation, Degraded, Generator, Image, Mask, Size

Pixels = Annotated[int, Field(ge=-1024, le=1024)]


class Flip(Degradation):
    """Left and right exchanged; recipes give it to the target as well (`both`)."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """A mirror image."""
        return Degraded(self.rearranged(image))

    def rearranged(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """A mirror image."""
        return np.asarray(cv2.flip(pixels, 1))

    def moved(self, mask: Mask, original: Size) -> Mask:
        """Mirrored too."""
        return np.ascontiguousarray(mask[:, ::-1])


class Shift(Degradation):
    """The picture moved by whole pixels, what it leaves filled by its mirror image: RestoreFormer++."""

    right: Pixels = 0
    """Pixels to the right."""
    down: Pixels = 0
    """Pixels down."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """The border is mirrored with its own pixels (`symmetric` of NumPy)."""
        return Degraded(self.rearranged(image))

    def rearranged(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Moved."""
        return pixels[self._rows(pixels.shape[0])][:, self._columns(pixels.shape[1])]

    def moved(self, mask: Mask, original: Size) -> Mask:
        """Moved too."""
        return mask[self._rows(mask.shape[0])][:, self._columns(mask.shape[1])]

    def _rows(self, count: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        return _mirrored(count, self.down)

    def _columns(self, count: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        return _mirrored(count, self.right)


def _mirrored(count: int, shift: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Index that each place takes its value from: a triangle wave of period twice the count."""
    index = np.mod(np.arange(count, dtype=np.intp) - shift, 2 * count)
    return np.where(index < count, index, 2 * count - 1 - index)
