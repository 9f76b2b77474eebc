"""What every degradation is: parameters, and a pure function of an image, them and a generator."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

Image = NDArray[np.float32]
"""(H, W, 3) float32, RGB. A photograph lies in [0, 1]; a bicubic resize or a sinc filter may overshoot, as it does in
the papers' code, and whatever needs [0, 1] clips first."""

Mask = NDArray[np.float32]
"""(H, W) float32 in [0, 1]: the share of a pixel that damage has replaced or covered; 0 is untouched."""

Plane = NDArray[np.float32]
"""(H, W) float32."""

Size = tuple[int, int]
"""Height and width in pixels."""

Generator = np.random.Generator


@dataclass(frozen=True)
class Degraded:
    """What a degradation gives back.

    Attributes:
        image: the degraded image.
        mask: where it lies, of the image's height and width; None for what changes a picture as a whole.
    """

    image: Image
    mask: Mask | None = None


class Degradation(BaseModel):
    """One degradation with its parameters: frozen, strict, every number bounded.

    A subclass has a field for each parameter and a `degrade`. The same parameters, image and generator state give the
    same bits on every run on machines of one kind.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        validate_default=True,
    )

    version: ClassVar[str] = "1"
    """Changes whenever the same parameters would give other pixels."""

    def degrade(self, image: Image, generator: Generator, original: Size) -> Degraded:
        """Degrade an image.

        Args:
            image: (H, W, 3) float32, RGB, in [0, 1] apart from overshoots; never changed.
            generator: of this step alone.
            original: height and width of the image that the recipe began with, for what resizes back to it.
        """
        raise NotImplementedError

    def rearranged(self, pixels: NDArray[Any]) -> NDArray[Any] | None:
        """What only moves whole pixels gives back the picture, of the same type; None for what computes values.

        Args:
            pixels: (H, W, 3) of any type.
        """
        return None

    def moved(self, mask: Mask, original: Size) -> Mask:
        """A mask of an earlier step, brought to where this step has moved its pixels."""
        return mask


@cache
def layout(degradation: type[Degradation]) -> tuple[tuple[str, Any, bool], ...]:
    """Name, default and whether it is a float, of each parameter in the order of the fields.

    Parameters without a default have None here; a recipe must give them.
    """
    fields = degradation.model_fields.items()
    return tuple(
        (name, None if field.is_required() else field.default, field.annotation is float) for name, field in fields
    )
