"""Settings of the operator for whole pictures, and the tiles that follow from them; free of torch."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from operators.engines.options import EngineOptions
from operators.whole.networks import WholeNetwork
from operators.whole.windows import Tiling

ANY_ENGINE = EngineOptions()
"""The fastest that the machine has."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_USUAL = {1: 512, 2: 512}
_USUAL_LARGER = 256
"""Sides of tiles by scale: at scale 4 the last layers hold 16 pixels for each of the input."""
_FAR = 64
"""Overlap of an RRDBNet, which sees far but weakly (docs/whole-image.md has the measurement)."""


@dataclass(frozen=True)
class WholeOptions:
    """What is done with a whole picture.

    Attributes:
        model: name of the model file, such as `realesrgan-x4plus`; the operator goes by it.
        sha256: content hash that the file must have, in lower-case hex.
        tile: side of the windows, input pixels; None for what suits the network.
        overlap: input pixels between what is kept of a window and its edge; None for what suits the network. From the
            network's reach on, tiles cannot be told from the picture run at once.
        engine: what executes the network; `profile.best` is the number of windows run together on a GPU.

    Raises:
        ValueError: a value is not one of these.
    """

    model: str
    sha256: str
    tile: int | None = None
    overlap: int | None = None
    engine: EngineOptions = ANY_ENGINE

    def __post_init__(self) -> None:
        if not isinstance(self.model, str) or not self.model:
            raise ValueError(f"model: {self.model!r} found, expected the name of a model file")
        if not isinstance(self.sha256, str) or not _SHA256.fullmatch(self.sha256):
            raise ValueError(f"sha256: {self.sha256!r} found, expected 64 lower-case hexadecimal digits")
        for name, value, least in (("tile", self.tile, 16), ("overlap", self.overlap, 0)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
                raise ValueError(f"{name}: {value!r} found, expected a whole number of {least} or more, or none")
        if not isinstance(self.engine, EngineOptions):
            raise ValueError(f"engine: {self.engine!r} found, expected EngineOptions")


def tiling(network: WholeNetwork, tile: int | None = None, overlap: int | None = None, batch: int = 1) -> Tiling:
    """How pictures are cut for a network.

    Without an overlap it is the network's reach, so that tiles leave no trace; but for an RRDBNet that sees four times
    as far, 64 pixels of its features (docs/whole-image.md has what that leaves).

    Args:
        network: whose.
        tile: side of the windows; it is brought up to the network's multiple. None for what suits the network.
        overlap: None for what suits the network.
        batch: windows run together.

    Raises:
        ValueError: the tile has no room between its overlaps, or statistics of the whole picture need a larger overlap.
    """
    if overlap is None:
        far = _FAR * network.multiple
        overlap = far if network.name == "rrdb" and network.window > 4 * far else network.window
    if network.reach is None and overlap < network.window:
        raise ValueError(
            f"overlap: {overlap} found, expected {network.window} or more: {network.name} normalises by the whole "
            "picture, which takes windows that see as far as it does"
        )
    step = network.multiple
    margin = -(-overlap // step) * step
    if tile is None:
        tile = max(_USUAL.get(network.scale, _USUAL_LARGER), min(6 * margin, 2 * margin + 512))
    return Tiling(-(-tile // step) * step, overlap, network.scale, batch, step, network.least)


def halved(geometry: Tiling) -> Tiling | None:
    """The same with tiles of half the side, or as small as the overlap allows; None where they are that already."""
    least = 2 * geometry.margin + geometry.multiple
    half = geometry.tile // 2 // geometry.multiple * geometry.multiple
    smaller = max(half, least)
    if smaller >= geometry.tile:
        return None
    return replace(geometry, tile=smaller)
